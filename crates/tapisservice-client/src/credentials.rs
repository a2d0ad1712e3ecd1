//! Credentials of requests.

use std::fmt;

use http::HeaderMap;

use crate::{BoxFuture, ClientError};

/// Credentials for requests to one origin: a service token (as the service, or on behalf of a user) or a user session. The transport
/// asks for them for every request that is sent, so no request leaves without them.
pub trait Credentials: fmt::Debug + Send + Sync + 'static {
    /// The headers with the credentials: `X-Tapis-Token`, and `X-Tapis-Tenant` and `X-Tapis-User` for services. All values are marked
    /// sensitive.
    ///
    /// # Errors
    ///
    /// When there is no usable token. Then the request is not sent.
    fn headers(&self) -> BoxFuture<'_, Result<HeaderMap, ClientError>>;

    /// Called once after a 401, with the headers that were sent. Returns whether the token was renewed, so that a retry can succeed.
    ///
    /// # Errors
    ///
    /// When the renewal failed.
    fn renew<'a>(&'a self, refused: &'a HeaderMap) -> BoxFuture<'a, Result<bool, ClientError>>;
}
