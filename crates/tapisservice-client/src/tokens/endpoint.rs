//! The source of service tokens.

use tapisservice_core::SiteId;

use super::pair::ServiceToken;
use crate::{BoxFuture, ClientError};

/// Issues service tokens: the Tokens API, or a fake in tests.
pub(crate) trait TokenEndpoint: Send + Sync + 'static {
    /// Obtains a token for `target_site` with the password of the service.
    fn create<'a>(
        &'a self,
        target_site: &'a SiteId,
    ) -> BoxFuture<'a, Result<ServiceToken, ServiceTokenError>>;

    /// Renews `held` with its refresh token.
    fn refresh<'a>(
        &'a self,
        held: &'a ServiceToken,
    ) -> BoxFuture<'a, Result<ServiceToken, ServiceTokenError>>;
}

/// Why a service has no token. The message holds no token, no password, and nothing from the response.
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
        /// What was requested, where, and how it failed.
        reason: String,
        /// Whether the same request may succeed later.
        temporary: bool,
    },
}

impl ServiceTokenError {
    /// Whether the same request may succeed later.
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
