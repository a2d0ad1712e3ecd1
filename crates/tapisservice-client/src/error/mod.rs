//! One error for everything a call can fail with.

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

/// Why a call failed. No variant holds a token, a password or a body.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The operation does not exist; the error lists what does and names the nearest.
    #[error(transparent)]
    UnknownOperation(Box<UnknownOperation>),
    /// An argument does not fit the operation; the error names what it takes and the nearest.
    #[error(transparent)]
    Arguments(Box<ArgumentError>),
    /// A value that cannot be sent safely, such as one that would lead out of the path it is for.
    #[error("{name}: {reason}")]
    InvalidValue {
        /// The parameter or header field.
        name: String,
        /// What is wrong with its value, without the value.
        reason: String,
    },
    /// A specification cannot be read.
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
    /// The registry of tenants and sites has not been read yet, so nothing can be routed (rule T7).
    #[error("the registry of tenants and sites has not been read yet")]
    NoRegistry,
    /// The request that the call is to be made on behalf of is anonymous.
    #[error("the request has no identity, so there is nobody to call on behalf of")]
    Anonymous,
    /// There is no usable token, so nothing was sent.
    #[error("not signed in: {reason}")]
    Credentials {
        /// Why there is none.
        reason: String,
        /// Whether there may be one in a while.
        temporary: bool,
    },
    /// The other side could not be reached, or did not answer in time.
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
        /// Whether sending it again cannot do anything twice.
        retryable: bool,
    },
    /// The circuit breaker of this site and service is open, because many calls in a row failed: nothing was sent.
    #[error("{service} at {site} fails, so its circuit breaker is open for {} s", retry_after.as_secs())]
    CircuitOpen {
        /// The site.
        site: String,
        /// The service.
        service: String,
        /// How long it stays open.
        retry_after: Duration,
    },
    /// The other side answered with an error status.
    #[error("{0}")]
    Status(Box<StatusError>),
    /// The answer is not what it should be: no JSON, no envelope, another type.
    #[error("{method} {url}: {reason}")]
    InvalidResponse {
        /// The method.
        method: Method,
        /// The URL without its query.
        url: String,
        /// What is wrong with it, without its text.
        reason: String,
    },
    /// A file of this machine cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: String,
        /// What failed.
        source: io::Error,
    },
    /// The store of a user's sessions cannot be read or written.
    #[error("session store: {0}")]
    SessionStore(#[source] SessionStoreError),
    /// The client is set up wrongly.
    #[error(transparent)]
    Setup(#[from] SetupError),
}

/// An answer with an error status.
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
    /// When to come back, if the answer says so.
    pub retry_after: Option<Duration>,
}

impl StatusError {
    /// An answer with this status and message, and nothing else known of it: for tests of what handles one.
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
    /// The status the other side answered with, if it did.
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Status(error) => Some(error.status),
            _ => None,
        }
    }

    /// Whether the same call may succeed in a while.
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
