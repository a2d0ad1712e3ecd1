//! Kinds of errors and their default statuses.

use http::StatusCode;

/// The kind of an error: those of the Python library, and the ones that most services need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A base Tapis error.
    Base,
    /// The service is misconfigured.
    ServiceConfig,
    /// The request has no token.
    NoToken,
    /// The caller could not be identified.
    Authentication,
    /// The caller may not do this.
    Permissions,
    /// The database rejected the query or failed.
    Dao,
    /// Something is wrong with the resource that the request names.
    Resource,
    /// The resource does not exist, or the caller may not know that it does.
    NotFound,
    /// The resource already exists, or has changed in the meantime.
    Conflict,
    /// The body, the path or the query is invalid.
    BadInput,
    /// The path does not support the method.
    MethodNotAllowed,
    /// The body or the request is too large.
    TooLarge,
    /// The media type of the body is not supported.
    UnsupportedMediaType,
    /// The caller took too long to send its request.
    RequestTimeout,
    /// The service took too long to respond.
    Timeout,
    /// A dependency is unavailable; a retry may help.
    Unavailable,
    /// An error of a type the framework does not know.
    Unrecognized,
    /// The handler panicked.
    Panic,
}

impl ErrorKind {
    /// The status of an error that does not set one. This is the only place that maps kinds to statuses.
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
