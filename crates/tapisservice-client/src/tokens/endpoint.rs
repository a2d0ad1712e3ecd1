//! Where service tokens come from.

use tapisservice_core::SiteId;

use super::pair::ServiceToken;
use crate::{BoxFuture, ClientError};

/// Something that gives out service tokens: the Tokens API, or a test.
pub(crate) trait TokenEndpoint: Send + Sync + 'static {
    /// A token for `target_site`, for the service's password.
    fn create<'a>(
        &'a self,
        target_site: &'a SiteId,
    ) -> BoxFuture<'a, Result<ServiceToken, ServiceTokenError>>;

    /// A token in the place of `held`, for its refresh token.
    fn refresh<'a>(
        &'a self,
        held: &'a ServiceToken,
    ) -> BoxFuture<'a, Result<ServiceToken, ServiceTokenError>>;
}

/// Why a service has no token. The text holds neither tokens nor passwords, nor anything that the other side wrote.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceTokenError {
    /// The first token was requested and has not arrived yet.
    #[error("the first service token is being obtained")]
    Pending,
    /// The last request for a token failed.
    #[error("{reason}")]
    #[non_exhaustive]
    Failed {
        /// What was requested, where, and what came of it.
        reason: String,
        /// Whether the same request may succeed later without anybody changing anything.
        temporary: bool,
    },
}

impl ServiceTokenError {
    /// Whether the same request may succeed later without anybody changing anything.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Pending => true,
            Self::Failed { temporary, .. } => *temporary,
        }
    }

    pub(crate) fn temporary(reason: impl Into<String>) -> Self {
        Self::Failed { reason: reason.into(), temporary: true }
    }

    pub(crate) fn lasting(reason: impl Into<String>) -> Self {
        Self::Failed { reason: reason.into(), temporary: false }
    }
}

impl From<ServiceTokenError> for ClientError {
    fn from(error: ServiceTokenError) -> Self {
        Self::Credentials { reason: error.to_string(), temporary: error.is_temporary() }
    }
}
