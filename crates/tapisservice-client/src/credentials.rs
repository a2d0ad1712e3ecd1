//! What signs a request in.

use std::fmt;

use http::HeaderMap;

use crate::{BoxFuture, ClientError};

/// Puts credentials on requests to one origin. Implemented by service tokens (as itself, or on behalf of a user) and by user
/// sessions; the transport asks it for every request and nothing else does, so no request leaves without it.
pub trait Credentials: fmt::Debug + Send + Sync + 'static {
    /// The header fields that sign a request in: `X-Tapis-Token`, and `X-Tapis-Tenant` and `X-Tapis-User` for services. All
    /// values are marked sensitive.
    ///
    /// # Errors
    ///
    /// When there is no usable token: then the request is not sent.
    fn headers(&self) -> BoxFuture<'_, Result<HeaderMap, ClientError>>;

    /// Called once after a 401, with the fields that were sent. Returns whether the token was renewed, so that sending the request
    /// once more can help.
    ///
    /// # Errors
    ///
    /// When renewing was tried and failed.
    fn renew<'a>(&'a self, refused: &'a HeaderMap) -> BoxFuture<'a, Result<bool, ClientError>>;
}
