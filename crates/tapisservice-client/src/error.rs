//! One error for everything a call can fail with.

use std::time::Duration;

use http::{Method, StatusCode};

/// Why a call failed. No variant holds a token, a password or a body.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The operation does not exist; the text lists what does and names the nearest.
    #[error("{0}")]
    UnknownOperation(String),
    /// The arguments do not fit the operation; the text names its parameters and the nearest.
    #[error("{0}")]
    Arguments(String),
    /// A value that cannot be sent safely, such as one that would lead out of the path it is for.
    #[error("{name}: {reason}")]
    Value {
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
    #[error("no route: {0}")]
    Route(String),
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
        repeatable: bool,
    },
    /// Calls to this site and service are held back for a while, because many failed.
    #[error("{service} at {site} does not answer; calls are held back for {} s", retry_after.as_secs())]
    CircuitOpen {
        /// The site.
        site: String,
        /// The service.
        service: String,
        /// How long.
        retry_after: Duration,
    },
    /// The other side answered with an error status.
    #[error("{0}")]
    Status(Box<StatusError>),
    /// The answer is not what it should be: no JSON, no envelope, another type.
    #[error("{method} {url}: {reason}")]
    Answer {
        /// The method.
        method: Method,
        /// The URL without its query.
        url: String,
        /// What is wrong with it, without its text.
        reason: String,
    },
    /// A file of this machine cannot be read or written.
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: String,
        /// What failed.
        reason: String,
    },
    /// The client is set up wrongly.
    #[error("{0}")]
    Setup(String),
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
            Self::Connection { repeatable, .. } => *repeatable,
            Self::CircuitOpen { .. } | Self::NoRegistry => true,
            Self::Credentials { temporary, .. } => *temporary,
            Self::Status(error) => matches!(error.status.as_u16(), 429 | 502 | 503 | 504),
            Self::UnknownOperation(_)
            | Self::Arguments(_)
            | Self::Value { .. }
            | Self::Spec { .. }
            | Self::Route(_)
            | Self::Anonymous
            | Self::Answer { .. }
            | Self::File { .. }
            | Self::Setup(_) => false,
        }
    }
}
