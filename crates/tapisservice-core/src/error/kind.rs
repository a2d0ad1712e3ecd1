//! Classes of failure and their default statuses.

use http::StatusCode;

/// The class of a failure: those of the Python library, and those a service needs daily.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A base Tapis error.
    Base,
    /// The service is misconfigured.
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
    /// It exists already, or it changed meanwhile.
    Conflict,
    /// The body, the path or the query is invalid.
    BadInput,
    /// The path answers other methods.
    MethodNotAllowed,
    /// The body or the request is too large.
    TooLarge,
    /// The media type of the body is not supported.
    UnsupportedMediaType,
    /// The caller took too long to send its request.
    RequestTimeout,
    /// The service took too long to answer.
    Timeout,
    /// A dependency is unavailable; a retry may help.
    Unavailable,
    /// An error of a type the framework does not know.
    Unrecognized,
    /// The code that answered panicked.
    Panic,
}

impl ErrorKind {
    /// The status of a failure that sets none itself. This is the only place that gives a kind its status.
    pub fn default_status(self) -> StatusCode {
        match self {
            Self::Base | Self::Resource | Self::BadInput => StatusCode::BAD_REQUEST,
            Self::NoToken | Self::Authentication => StatusCode::UNAUTHORIZED,
            Self::Permissions => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::Conflict => StatusCode::CONFLICT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::ServiceConfig | Self::Dao | Self::Unrecognized | Self::Panic => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Timeout => StatusCode::GATEWAY_TIMEOUT,
        }
    }
}
