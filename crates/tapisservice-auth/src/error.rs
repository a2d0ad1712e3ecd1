//! Why a request is refused: a reason for the log, a class and a status for the caller.

use tapisservice_core::{Error, ErrorKind, ServiceError, TenantId};
use tapisservice_tenants::{Authority, Miss};

use crate::{ClaimFault, JwsError};

/// What is wrong with a token (rules A1 to A12).
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum TokenFault {
    /// A1.
    #[error("the token is longer than 16 KiB")]
    TooLong,
    /// A1.
    #[error("the token holds characters that no token has")]
    Characters,
    /// A2, A3, A4.
    #[error("the token is malformed: {0}")]
    Jws(JwsError),
    /// A5: the claim is missing or cannot be an id.
    #[error("tapis/tenant_id is missing or no tenant id")]
    TenantId,
    /// A5.
    #[error("tenant {0} is not registered")]
    UnknownTenant(TenantId),
    /// A5.
    #[error("tenant {0} has no public key")]
    NoKey(TenantId),
    /// A6.
    #[error("the key of tenant {0} did not sign the token")]
    Signature(TenantId),
    /// A7 to A12.
    #[error("{0}")]
    Claim(ClaimFault),
    /// A7.
    #[error("the token has expired")]
    Expired,
    /// O2.
    #[error("the token is for another site")]
    TargetSite,
}

/// Why a request is refused. It displays as the log may know it; [`to_error`](ServiceError::to_error) says what the caller learns: the
/// class of the failure. Neither holds the token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// A20.
    #[error("No Tapis access token found in the request.")]
    NoToken,
    /// A1 to A12, O2.
    #[error(transparent)]
    Token(TokenFault),
    /// A1.
    #[error("Invalid request; more than one X-Tapis-Token header.")]
    SeveralTokens,
    /// H2.
    #[error("Invalid request; more than one Host header.")]
    SeveralHosts,
    /// O1.
    #[error("Invalid request; cannot set OBO headers with a user token.")]
    OnBehalfOfByUser,
    /// O3.
    #[error("Invalid request; a service token needs X-Tapis-Tenant and X-Tapis-User, each exactly once.")]
    OnBehalfOfHeaders,
    /// O4.
    #[error("Invalid request; the tenant in X-Tapis-Tenant is not registered.")]
    UnknownOnBehalfOfTenant(TenantId),
    /// O5.
    #[error("The service may not act for users of tenant {0}.")]
    NotAllowableTenant(TenantId),
    /// O6 and H8.
    #[error("Requests for tenant {0} are served at another site.")]
    OtherSite(TenantId),
    /// H2 and H4.
    #[error("Invalid request; the host of the request belongs to no tenant.")]
    UnknownHost(Option<Authority<'static>>),
    /// H3.
    #[error("The tenant_id claim in the token, {claim} does not match the URL tenant, {url}.")]
    OtherTenant {
        /// The token's tenant.
        claim: TenantId,
        /// The Host's tenant.
        url: TenantId,
    },
    /// H7.
    #[error("This service does not serve tenant {0}.")]
    NotServed(TenantId),
    /// T7.
    #[error("The tenant registry is not available.")]
    NoRegistry,
}

impl From<ClaimFault> for TokenFault {
    fn from(fault: ClaimFault) -> Self {
        Self::Claim(fault)
    }
}

impl From<TokenFault> for AuthError {
    fn from(fault: TokenFault) -> Self {
        Self::Token(fault)
    }
}

impl AuthError {
    /// What a newer registry might know (rules A5, A6, O4 and H2).
    pub fn miss(&self) -> Option<Miss> {
        match self {
            Self::Token(TokenFault::UnknownTenant(id)) | Self::UnknownOnBehalfOfTenant(id) => {
                Some(Miss::Tenant(id.clone()))
            }
            Self::Token(TokenFault::Signature(id)) => Some(Miss::Signature(id.clone())),
            Self::UnknownHost(Some(host)) => Some(Miss::Host(host.clone())),
            _ => None,
        }
    }

    /// Whether another token, or none, would not be refused like this.
    pub(crate) fn is_of_the_token(&self) -> bool {
        !matches!(self, Self::SeveralHosts | Self::NoRegistry)
    }

    /// What the log needs beyond the message.
    fn detail(&self) -> Option<String> {
        match self {
            Self::Token(TokenFault::Expired) => None,
            Self::Token(fault) => Some(fault.to_string()),
            Self::UnknownOnBehalfOfTenant(id) => Some(format!("tenant {id} is not registered")),
            Self::UnknownHost(Some(host)) => Some(format!("the host is {host}")),
            Self::UnknownHost(None) => Some("the Host is missing or malformed".to_owned()),
            _ => None,
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            Self::NoToken => ErrorKind::NoToken,
            Self::Token(_) | Self::OnBehalfOfByUser | Self::OnBehalfOfHeaders => ErrorKind::Authentication,
            Self::SeveralTokens
            | Self::SeveralHosts
            | Self::UnknownOnBehalfOfTenant(_)
            | Self::UnknownHost(_) => ErrorKind::BadInput,
            Self::NotAllowableTenant(_)
            | Self::OtherSite(_)
            | Self::OtherTenant { .. }
            | Self::NotServed(_) => ErrorKind::Permissions,
            Self::NoRegistry => ErrorKind::Unavailable,
        }
    }
}

/// The caller learns the class of the failure, the log the reason; neither holds the token.
impl ServiceError for AuthError {
    fn to_error(&self) -> Error {
        let error = match self {
            Self::Token(TokenFault::Expired) => {
                Error::new(self.kind(), "The Tapis access token has expired.")
            }
            Self::Token(_) => Error::new(self.kind(), "The Tapis access token is not valid."),
            _ => Error::new(self.kind(), self.to_string()),
        };
        match self.detail() {
            Some(detail) => error.with_detail(detail),
            None => error,
        }
    }
}
