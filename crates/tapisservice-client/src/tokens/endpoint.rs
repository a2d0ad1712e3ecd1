//! What service tokens are got from.

use tapisservice_core::SiteId;

use super::pair::Held;
use crate::{BoxFuture, ClientError};

/// Something that gives out service tokens: the Tokens API, or a test.
pub(crate) trait TokenEndpoint: Send + Sync + 'static {
    /// A token for `target_site`, for the service's password.
    fn create<'a>(&'a self, target_site: &'a SiteId) -> BoxFuture<'a, Result<Held, TokenError>>;

    /// A token in the place of `held`, for its refresh token.
    fn refresh<'a>(&'a self, held: &'a Held) -> BoxFuture<'a, Result<Held, TokenError>>;
}

/// Why there is no token. The text holds neither tokens nor passwords, nor anything that the other side wrote.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub(crate) struct TokenError {
    pub(crate) reason: String,
    /// Whether the same request may succeed in a while without anybody changing anything.
    pub(crate) temporary: bool,
}

impl TokenError {
    pub(crate) fn temporary(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), temporary: true }
    }
}

impl From<TokenError> for ClientError {
    fn from(TokenError { reason, temporary }: TokenError) -> Self {
        Self::Credentials { reason, temporary }
    }
}
