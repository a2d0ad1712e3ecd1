//! One error type for everything a handler can fail with.

use std::any::{TypeId, type_name};
use std::error::Error as StdError;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use axum_core::response::{IntoResponse, Response};
use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};

use crate::envelope::{error_bytes, json_response};
use crate::{MissingContext, ResponseShape};

/// What a handler returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Source = Arc<dyn StdError + Send + Sync>;

/// After how long to come back, when a [`ErrorKind::Unavailable`] does not say.
const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(5);

/// The classes of failure of PROTOCOL section 4, and those a service needs daily.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A base Tapis error.
    Base,
    /// The service is set up wrongly.
    ServiceConfig,
    /// There is no token.
    NoToken,
    /// The caller could not be identified.
    Authentication,
    /// The caller may not do this.
    Permissions,
    /// The database refused or failed.
    Dao,
    /// Something about the resource the request names.
    Resource,
    /// It does not exist, or the caller may not know of it.
    NotFound,
    /// It exists already, or changed meanwhile.
    Conflict,
    /// The body, the path or the query does not fit.
    BadInput,
    /// The path answers other methods.
    MethodNotAllowed,
    /// The body or the request is too large.
    TooLarge,
    /// The body is of a media type that is not understood.
    UnsupportedMediaType,
    /// The caller took too long to send its request.
    RequestTimeout,
    /// The service took too long to answer.
    Timeout,
    /// Something this depends on does not answer; trying again may help.
    Unavailable,
    /// An error of a type the framework does not know.
    Unrecognized,
    /// The code that answered panicked.
    Panic,
}

/// A failure, with what the caller may know and what only the log may.
///
/// It displays as the caller's message. [`detail`](Self::with_detail) and [`source`](Self::source) go to the log. Any
/// [`std::error::Error`] becomes one of kind [`Unrecognized`](ErrorKind::Unrecognized) by `?`: a 500 that names its type
/// and never its text. For that reason this type does not implement `std::error::Error` itself.
///
/// ```
/// use http::StatusCode;
/// use tapisservice_core::{Error, Result};
///
/// fn parse(text: &str) -> Result<u8> {
///     Ok(text.parse::<u8>()?)
/// }
///
/// let error = parse("canary").unwrap_err();
/// assert_eq!(error.status(), StatusCode::INTERNAL_SERVER_ERROR);
/// assert_eq!(error.to_string(), "Unrecognized exception type core::num::error::ParseIntError");
///
/// let error = Error::base("bookmark already exists").with_code(StatusCode::CONFLICT);
/// assert_eq!(error.status(), StatusCode::CONFLICT);
/// ```
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    message: String,
    code: Option<StatusCode>,
    detail: Option<String>,
    source: Option<Source>,
    retry_after: Option<Duration>,
    origin: Origin,
}

/// Where a failure comes from: of all failures that look alike, one reason for the log (F23).
///
/// It is made of the program's text and of the registry, never of what a caller sent, so that callers cannot make up reasons.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    kind: ErrorKind,
    place: &'static Location<'static>,
    source_type: Option<&'static str>,
    peer: Option<Arc<str>>,
}

/// A response extension: the failure a response was rendered from, for the error mapper.
#[derive(Debug, Clone)]
pub struct ErrorReport(pub Arc<Error>);

macro_rules! constructors {
    ($($(#[$doc:meta])* $name:ident => $kind:ident;)*) => {$(
        $(#[$doc])*
        #[track_caller]
        pub fn $name(message: impl Into<String>) -> Self {
            Self::new(ErrorKind::$kind, message)
        }
    )*};
}

impl Error {
    /// A failure of a kind, with what the caller may know.
    #[track_caller]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let message = message.into();
        let origin = Origin { kind, place: Location::caller(), source_type: None, peer: None };
        Self(Box::new(Inner {
            kind,
            message,
            code: None,
            detail: None,
            source: None,
            retry_after: None,
            origin,
        }))
    }

    constructors! {
        /// `BaseTapisError`: 400 unless [`with_code`](Self::with_code) says otherwise.
        base => Base;
        /// `ServiceConfigError`: 500.
        service_config => ServiceConfig;
        /// `NoTokenError`: 401.
        no_token => NoToken;
        /// `AuthenticationError`: 401.
        authentication => Authentication;
        /// `PermissionsError`: 403.
        permissions => Permissions;
        /// `DAOError`: 500.
        dao => Dao;
        /// `ResourceError`: 400.
        resource => Resource;
        /// 404.
        not_found => NotFound;
        /// 409.
        conflict => Conflict;
        /// 400.
        bad_input => BadInput;
        /// 503 with `Retry-After`.
        unavailable => Unavailable;
    }

    /// A failure whose type the framework does not know: 500, the caller learns the name of the type.
    #[track_caller]
    pub fn unrecognized<E: StdError + Send + Sync + 'static>(error: E) -> Self {
        Self::new(ErrorKind::Unrecognized, format!("Unrecognized exception type {}", type_name::<E>()))
            .with_source(error)
    }

    /// A panic: 500; its text goes to the log.
    #[track_caller]
    pub fn panic(text: impl Into<String>) -> Self {
        Self::new(ErrorKind::Panic, "Unrecognized exception type panic").with_detail(text)
    }

    /// Sets the HTTP status. One that is no error status (below 400) becomes 500.
    pub fn with_code(mut self, code: StatusCode) -> Self {
        let is_error = code.is_client_error() || code.is_server_error();
        self.0.code = Some(if is_error { code } else { StatusCode::INTERNAL_SERVER_ERROR });
        self
    }

    /// Adds text for the log, which the caller does not see.
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// Adds the error behind this one, for the log and the error mapper.
    pub fn with_source<E: StdError + Send + Sync + 'static>(mut self, source: E) -> Self {
        self.0.source = Some(Arc::new(source));
        self.0.origin.source_type = Some(type_name::<E>());
        self
    }

    /// Says which other party failed, `tacc/systems` for example. Failures of different parties are different reasons for the log
    /// ([`Origin`]): name only what a caller cannot make up.
    pub fn with_peer(mut self, peer: impl Into<Arc<str>>) -> Self {
        self.0.origin.peer = Some(peer.into());
        self
    }

    /// Says when trying again may help; a `Retry-After` in whole seconds.
    pub fn with_retry_after(mut self, after: Duration) -> Self {
        self.0.retry_after = Some(after);
        self
    }

    /// The class of the failure.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What the caller may know.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What only the log may know.
    pub fn detail(&self) -> Option<&str> {
        self.0.detail.as_deref()
    }

    /// The error behind this one.
    pub fn source(&self) -> Option<&(dyn StdError + Send + Sync + 'static)> {
        self.0.source.as_deref()
    }

    /// Where it comes from: what makes one reason of failures whose texts differ.
    pub fn origin(&self) -> &Origin {
        &self.0.origin
    }

    /// The HTTP status: the code that was set, else the one of the kind.
    pub fn status(&self) -> StatusCode {
        self.0.code.unwrap_or_else(|| default_status(self.0.kind))
    }

    /// The status as the Python original answers (`legacy_error_status`): a refusal is a 400 unless a code was set.
    pub fn legacy_status(&self) -> StatusCode {
        match self.status() {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN if self.0.code.is_none() => {
                StatusCode::BAD_REQUEST
            }
            status => status,
        }
    }

    /// The message followed by the detail and the chain of sources: for the log, and for the caller where
    /// `show_traceback` is on.
    pub fn traceback(&self) -> String {
        let mut parts = vec![self.0.message.trim_end_matches('.').to_owned()];
        parts.extend(self.detail().map(str::to_owned));
        let mut next = self.source().map(|e| e as &(dyn StdError + 'static));
        while let Some(error) = next {
            parts.push(error.to_string());
            next = error.source();
        }
        if parts.len() == 1 { self.0.message.clone() } else { parts.join(": ") }
    }

    /// The answer to the caller: the envelope with `message`, and the headers that belong to `status`.
    pub fn render(&self, status: StatusCode, message: &str, shape: &ResponseShape) -> Response {
        let mut response = json_response(status, error_bytes(message, shape));
        let headers = response.headers_mut();
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("TapisJWT realm=\"tapis\""));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            let after = self.0.retry_after.unwrap_or(DEFAULT_RETRY_AFTER);
            let seconds = after.as_secs().saturating_add(u64::from(after.subsec_nanos() > 0));
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        response
    }
}

fn default_status(kind: ErrorKind) -> StatusCode {
    match kind {
        ErrorKind::Base | ErrorKind::Resource | ErrorKind::BadInput => StatusCode::BAD_REQUEST,
        ErrorKind::NoToken | ErrorKind::Authentication => StatusCode::UNAUTHORIZED,
        ErrorKind::Permissions => StatusCode::FORBIDDEN,
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        ErrorKind::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
        ErrorKind::Conflict => StatusCode::CONFLICT,
        ErrorKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorKind::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ErrorKind::ServiceConfig | ErrorKind::Dao | ErrorKind::Unrecognized | ErrorKind::Panic => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
        ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorKind::Timeout => StatusCode::GATEWAY_TIMEOUT,
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("message", &self.0.message)
            .field("code", &self.0.code)
            .field("detail", &self.0.detail)
            .field("source", &self.0.source.as_ref().map(ToString::to_string))
            .finish_non_exhaustive()
    }
}

impl<E: StdError + Send + Sync + 'static> From<E> for Error {
    #[track_caller]
    fn from(error: E) -> Self {
        if TypeId::of::<E>() == TypeId::of::<MissingContext>() {
            return Self::service_config("the service is not assembled correctly").with_source(error);
        }
        Self::unrecognized(error)
    }
}

/// A complete envelope; the error mapper renders it again, knowing the configuration.
impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let mut response = self.render(self.status(), self.message(), &ResponseShape::current());
        response.extensions_mut().insert(ErrorReport(Arc::new(self)));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the text of the error")]
    struct Foreign;

    #[test]
    fn the_status_follows_from_the_kind_unless_a_code_is_set() {
        let cases = [
            (Error::base("x"), 400, 400),
            (Error::permissions("x"), 403, 400),
            (Error::permissions("x").with_code(StatusCode::FORBIDDEN), 403, 403),
            (Error::authentication("x"), 401, 400),
            (Error::no_token("x"), 401, 400),
            (Error::resource("x").with_code(StatusCode::NOT_FOUND), 404, 404),
            (Error::unavailable("x"), 503, 503),
            (Error::base("x").with_code(StatusCode::OK), 500, 500),
            (Error::from(Foreign), 500, 500),
        ];
        for (error, status, legacy) in cases {
            assert_eq!(
                (error.status().as_u16(), error.legacy_status().as_u16()),
                (status, legacy),
                "{error:?}"
            );
        }
    }

    #[test]
    fn an_unknown_type_is_named_but_its_text_is_for_the_log() {
        let error = Error::from(Foreign);
        assert!(error.to_string().starts_with("Unrecognized exception type "));
        assert!(error.to_string().ends_with("Foreign"));
        assert!(!error.to_string().contains("text of"));
        assert!(error.traceback().ends_with(": the text of the error"));
    }

    #[test]
    fn refusals_carry_the_headers_of_their_status() {
        let response = Error::no_token("x").into_response();
        assert!(response.headers()[WWW_AUTHENTICATE].to_str().unwrap().starts_with("TapisJWT"));
        let busy = Error::unavailable("x").with_retry_after(Duration::from_millis(1200)).into_response();
        assert_eq!(busy.headers()[RETRY_AFTER], "2");
        let never = Error::unavailable("x").with_retry_after(Duration::MAX).into_response();
        assert_eq!(never.headers()[RETRY_AFTER], u64::MAX.to_string());
    }

    #[test]
    fn failures_of_one_place_are_one_reason_whatever_their_texts_say() {
        let about = |what: &str| Error::dao(format!("no {what}")).with_detail(what);
        assert_eq!(about("a").origin(), about("b").origin());
        assert_ne!(about("a").origin(), Error::dao("no a").origin(), "another place");
        let parse = |text: &str| -> Result<u8> { Ok(text.parse::<u8>()?) };
        assert_eq!(parse("x").unwrap_err().origin(), parse("").unwrap_err().origin());
        assert_ne!(about("a").origin(), about("a").with_source(Foreign).origin(), "another type behind it");
        assert_ne!(
            about("a").with_peer("x/y").origin(),
            about("a").with_peer("x/z").origin(),
            "another party"
        );
        let questioned = || -> Result<()> { Err(Foreign)? };
        assert!(format!("{:?}", questioned().unwrap_err().origin()).contains("error.rs"));
    }
}
