//! Converts the error types of a service into [`Error`].

use std::any::type_name;
use std::error::Error as StdError;
use std::io;
use std::iter::successors;

use crate::json::JsonError;
use crate::{Error, ErrorKind, InvalidId, InvalidTrackingId, MissingContext, Result};

/// An error type that defines what the caller sees, so that `?` is enough in a handler.
///
/// The framework implements it for its own errors, for JSON, I/O and failed tasks; a service implements it for its own. `?` on an
/// error type without it does not compile: implement it, or call [`unrecognized`](ResultExt::unrecognized).
///
/// ```
/// use tapisservice_core::{Error, Result, ServiceError};
///
/// #[derive(Debug, thiserror::Error)]
/// enum ShelfError {
///     #[error("the shelf is full: {0} books")]
///     Full(usize),
/// }
///
/// impl ServiceError for ShelfError {
///     fn to_error(&self) -> Error {
///         match self {
///             Self::Full(_) => Error::conflict("The shelf is full."),
///         }
///     }
/// }
///
/// fn put() -> Result<()> {
///     Err(ShelfError::Full(12))?;
///     Ok(())
/// }
///
/// let error = put().unwrap_err();
/// assert_eq!(error.status(), 409);
/// assert_eq!(error.traceback(), "The shelf is full: the shelf is full: 12 books");
/// ```
///
/// A foreign error is not converted silently:
///
/// ```compile_fail
/// # use tapisservice_core::Result;
/// fn parse(text: &str) -> Result<u8> {
///     Ok(text.parse::<u8>()?)
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say what a caller is told of it",
    label = "`ServiceError` is not implemented for `{Self}`",
    note = "implement `ServiceError` for your own error type",
    note = "for an error of another crate write `.unrecognized()?` (a 500 that names its type), or `.map_err(..)?` with an `Error`"
)]
pub trait ServiceError: StdError + Send + Sync + 'static {
    /// The error as the caller sees it. Its message and status go to the caller.
    ///
    /// Set a [detail](Error::with_detail) only to replace the text of this error in the log: otherwise `?` adds this error as the
    /// [source](Error::with_source).
    fn to_error(&self) -> Error;
}

impl<E: ServiceError> From<E> for Error {
    #[track_caller]
    fn from(error: E) -> Self {
        error.to_error().raised_by(error)
    }
}

/// An explicit conversion for errors of other crates.
pub trait ResultExt<T> {
    /// Converts a foreign error into an [`Error`] of kind [`Unrecognized`](ErrorKind::Unrecognized): a 500 that names its type. Its text
    /// goes to the log only. An [`Error`] among its sources is returned unchanged.
    ///
    /// ```
    /// use tapisservice_core::{Result, ResultExt as _};
    ///
    /// fn parse(text: &str) -> Result<u8> {
    ///     Ok(text.parse::<u8>().unrecognized()?)
    /// }
    ///
    /// let error = parse("canary").unwrap_err();
    /// assert_eq!(error.status(), 500);
    /// assert_eq!(error.to_string(), "Unrecognized exception type core::num::error::ParseIntError");
    /// ```
    ///
    /// # Errors
    ///
    /// The error, if there is one.
    fn unrecognized(self) -> Result<T>;
}

impl<T, E: Into<Box<dyn StdError + Send + Sync>>> ResultExt<T> for Result<T, E> {
    #[track_caller]
    fn unrecognized(self) -> Result<T> {
        match self {
            Ok(value) => Ok(value),
            Err(error) => Err(Error::unrecognized(error)),
        }
    }
}

impl Error {
    /// An error of a type that the framework does not know: 500, with the name of the type.
    ///
    /// If `error` is an [`Error`], or has one among its sources, that one is returned unchanged.
    #[track_caller]
    pub fn unrecognized<E: Into<Box<dyn StdError + Send + Sync>>>(error: E) -> Self {
        let error = error.into();
        let known = find(&*error);
        match known {
            Some(known) => known,
            None => Self::unrecognized_type::<E>().with_boxed_source(error, type_name::<E>()),
        }
    }

    /// A 500 that names the type `E`, for a case of a [`ServiceError`] that needs no other response.
    #[track_caller]
    pub fn unrecognized_type<E: ?Sized>() -> Self {
        Self::new(ErrorKind::Unrecognized, format!("Unrecognized exception type {}", type_name::<E>()))
    }
}

impl ServiceError for MissingContext {
    fn to_error(&self) -> Error {
        Error::service_config("The service is misconfigured.")
    }
}

impl ServiceError for InvalidId {
    fn to_error(&self) -> Error {
        Error::bad_input(format!("The identifier {self}."))
    }
}

impl ServiceError for InvalidTrackingId {
    fn to_error(&self) -> Error {
        Error::bad_input(format!("Invalid tracking id: {self}."))
    }
}

/// A value that does not serialize, or text that the service itself parses as JSON. The `Json` extractor reads request
/// bodies, and returns 400.
impl ServiceError for serde_json::Error {
    fn to_error(&self) -> Error {
        Error::unrecognized_type::<Self>()
    }
}

/// As for [`serde_json::Error`]. If the text came from a caller, use [`Error::bad_input`] instead.
impl ServiceError for JsonError {
    fn to_error(&self) -> Error {
        Error::unrecognized_type::<Self>()
    }
}

impl ServiceError for io::Error {
    fn to_error(&self) -> Error {
        find(self).unwrap_or_else(Error::unrecognized_type::<Self>)
    }
}

/// A body that could not be read or written.
impl ServiceError for axum_core::Error {
    fn to_error(&self) -> Error {
        find(self).unwrap_or_else(Error::unrecognized_type::<Self>)
    }
}

/// A spawned task that panicked or was aborted.
impl ServiceError for tokio::task::JoinError {
    fn to_error(&self) -> Error {
        if self.is_panic() {
            return Error::panic(self.to_string());
        }
        Error::unrecognized_type::<Self>()
    }
}

/// The [`Error`] that `error` is, or that is among its sources.
fn find(error: &(dyn StdError + 'static)) -> Option<Error> {
    successors(Some(error), |&error| cause(error)).find_map(|error| error.downcast_ref::<Error>().cloned())
}

fn cause<'e>(error: &'e (dyn StdError + 'static)) -> Option<&'e (dyn StdError + 'static)> {
    // `io::Error::source` skips the error it was created from.
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}
