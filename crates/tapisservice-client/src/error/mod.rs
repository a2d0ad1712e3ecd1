//! The error of a call.

mod argument;
mod routing;
mod service_error;
mod session_store;
mod setup;
mod unknown_operation;

use std::io;
use std::time::Duration;

use http::{Method, StatusCode};

pub use argument::{AcceptedArgument, ArgumentError, ArgumentErrorKind};
pub use routing::RoutingError;
pub use session_store::SessionStoreError;
pub use setup::SetupError;
pub use unknown_operation::UnknownOperation;

/// The error of a call. No variant holds a token, a password or a body.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The operation does not exist. The error suggests the nearest name and lists all.
    #[error(transparent)]
    UnknownOperation(Box<UnknownOperation>),
    /// An argument is invalid for the operation. The error suggests the nearest name and lists what the operation accepts.
    #[error(transparent)]
    Arguments(Box<ArgumentError>),
    /// A value cannot be sent safely: it would change the path, for example.
    #[error("{name}: {reason}")]
    InvalidValue {
        /// The parameter or header.
        name: String,
        /// Why, without the value.
        reason: String,
    },
    /// A specification is invalid.
    #[error("{resource}: {reason}")]
    Spec {
        /// The resource the specification is for.
        resource: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The tenant or site to call cannot be determined (rules R1 to R5).
    #[error(transparent)]
    Routing(#[from] RoutingError),
    /// The tenant registry has not been loaded yet, so nothing can be routed (rule T7).
    #[error("the tenant registry has not been loaded yet")]
    NoRegistry,
    /// The request to act on behalf of is anonymous.
    #[error("the request is anonymous: there is no user to act on behalf of")]
    Anonymous,
    /// There is no usable token, so nothing was sent.
    #[error("no usable credentials: {reason}")]
    Credentials {
        /// Why.
        reason: String,
        /// Whether a later attempt may succeed.
        temporary: bool,
    },
    /// The other service could not be reached, or did not respond in time.
    #[error("{method} {url}: {reason}")]
    Connection {
        /// The method.
        method: Method,
        /// The URL without its query.
        url: String,
        /// What failed.
        reason: String,
        /// Whether it was a timeout.
        timeout: bool,
        /// Whether the request may safely be sent again.
        retryable: bool,
    },
    /// The circuit breaker of this service is open, because several calls in a row failed. Nothing was sent.
    #[error("the circuit breaker of {service} at {site} is open; retry in {} s", retry_after.as_secs())]
    CircuitOpen {
        /// The site.
        site: String,
        /// The service.
        service: String,
        /// How long it stays open.
        retry_after: Duration,
    },
    /// The other service responded with an error status.
    #[error("{0}")]
    Status(Box<StatusError>),
    /// The response is invalid: it is not JSON, has no envelope, or is of another type.
    #[error("{method} {url}: {reason}")]
    InvalidResponse {
        /// The method.
        method: Method,
        /// The URL without its query.
        url: String,
        /// Why, without its text.
        reason: String,
    },
    /// A local file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: String,
        /// What failed.
        source: io::Error,
    },
    /// The session store of a user cannot be read or written.
    #[error("session store: {0}")]
    SessionStore(#[source] SessionStoreError),
    /// The client is not set up correctly.
    #[error(transparent)]
    Setup(#[from] SetupError),
}

/// A response with an error status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{method} {url}: {} {message}", status.as_u16())]
#[non_exhaustive]
pub struct StatusError {
    /// The status.
    pub status: StatusCode,
    /// The envelope's message, or the reason phrase.
    pub message: String,
    /// The envelope's version.
    pub version: Option<String>,
    /// The method.
    pub method: Method,
    /// The URL without its query.
    pub url: String,
    /// When to retry, if the response states it.
    pub retry_after: Option<Duration>,
}

impl StatusError {
    /// An error response with this status and message: for tests of code that handles one.
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            version: None,
            method: Method::GET,
            url: String::new(),
            retry_after: None,
        }
    }
}

impl ClientError {
    /// The status of the response, if there was one.
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Status(error) => Some(error.status),
            _ => None,
        }
    }

    /// Whether the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Connection { retryable, .. } => *retryable,
            Self::CircuitOpen { .. } | Self::NoRegistry => true,
            Self::Credentials { temporary, .. } => *temporary,
            Self::Status(error) => matches!(error.status.as_u16(), 429 | 502 | 503 | 504),
            Self::UnknownOperation(_)
            | Self::Arguments(_)
            | Self::InvalidValue { .. }
            | Self::Spec { .. }
            | Self::Routing(_)
            | Self::Anonymous
            | Self::InvalidResponse { .. }
            | Self::File { .. }
            | Self::SessionStore(_)
            | Self::Setup(_) => false,
        }
    }
}

impl From<UnknownOperation> for ClientError {
    fn from(error: UnknownOperation) -> Self {
        Self::UnknownOperation(Box::new(error))
    }
}

impl From<ArgumentError> for ClientError {
    fn from(error: ArgumentError) -> Self {
        Self::Arguments(Box::new(error))
    }
}

impl From<ArgumentErrorKind> for ClientError {
    fn from(problem: ArgumentErrorKind) -> Self {
        ArgumentError::new(problem).into()
    }
}
