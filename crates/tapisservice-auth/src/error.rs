//! Why a request is rejected: a reason for the log, a kind and a status for the caller.

use tapisservice_core::{Error, ErrorKind, ServiceError, TenantId};
use tapisservice_tenants::{Authority, CacheMiss};

use crate::{ClaimError, JwsError};

/// What is wrong with a token (rules A1 to A12).
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// A1.
    #[error("the token is longer than 16 KiB")]
    TooLong,
    /// A1.
    #[error("the token has characters other than base64url and dots")]
    Characters,
    /// A2, A3, A4.
    #[error("the token is malformed: {0}")]
    Jws(JwsError),
    /// A5: the claim is missing or not a valid id.
    #[error("claim tapis/tenant_id is missing or invalid")]
    TenantId,
    /// A5.
    #[error("tenant {0} is not registered")]
    UnknownTenant(TenantId),
    /// A5.
    #[error("tenant {0} has no public key")]
    NoKey(TenantId),
    /// A6.
    #[error("the signature is not by the key of tenant {0}")]
    Signature(TenantId),
    /// A7 to A12.
    #[error("{0}")]
    Claim(ClaimError),
    /// A7.
    #[error("the token has expired")]
    Expired,
    /// O2.
    #[error("claim tapis/target_site names another site")]
    TargetSite,
}

/// Why a request is rejected. It displays as the reason for the log; [`to_error`](ServiceError::to_error) is what the caller sees: the
/// kind of the error. Neither contains the token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// A20.
    #[error("No Tapis access token found in the request.")]
    NoToken,
    /// A1 to A12, O2.
    #[error(transparent)]
    Token(TokenError),
    /// A1.
    #[error("Invalid request; more than one X-Tapis-Token header.")]
    MultipleTokens,
    /// H2.
    #[error("Invalid request; more than one Host header.")]
    MultipleHosts,
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
    WrongSite(TenantId),
    /// H2 and H4.
    #[error("Invalid request; the Host header matches no tenant.")]
    UnknownHost(Option<Authority<'static>>),
    /// H3.
    #[error("The tenant_id claim in the token, {claim} does not match the URL tenant, {url}.")]
    TenantMismatch {
        /// The token's tenant.
        claim: TenantId,
        /// The Host's tenant.
        url: TenantId,
    },
    /// H7.
    #[error("This service does not serve tenant {0}.")]
    TenantNotServed(TenantId),
    /// T7.
    #[error("The tenant registry is not available.")]
    NoRegistry,
}

impl From<ClaimError> for TokenError {
    fn from(fault: ClaimError) -> Self {
        Self::Claim(fault)
    }
}

impl From<TokenError> for AuthError {
    fn from(fault: TokenError) -> Self {
        Self::Token(fault)
    }
}

impl AuthError {
    /// The cache miss behind the error, which a newer registry may resolve (rules A5, A6, O4 and H2).
    pub fn cache_miss(&self) -> Option<CacheMiss> {
        match self {
            Self::Token(TokenError::UnknownTenant(id)) | Self::UnknownOnBehalfOfTenant(id) => {
                Some(CacheMiss::Tenant(id.clone()))
            }
            Self::Token(TokenError::Signature(id)) => Some(CacheMiss::Signature(id.clone())),
            Self::UnknownHost(Some(host)) => Some(CacheMiss::Host(host.clone())),
            _ => None,
        }
    }

    /// Whether the token is the reason: another token, or none, would not give this error.
    pub(crate) fn is_about_token(&self) -> bool {
        !matches!(self, Self::MultipleHosts | Self::NoRegistry)
    }

    /// The detail for the log.
    fn detail(&self) -> Option<String> {
        match self {
            Self::Token(TokenError::Expired) => None,
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
            Self::MultipleTokens
            | Self::MultipleHosts
            | Self::UnknownOnBehalfOfTenant(_)
            | Self::UnknownHost(_) => ErrorKind::BadInput,
            Self::NotAllowableTenant(_)
            | Self::WrongSite(_)
            | Self::TenantMismatch { .. }
            | Self::TenantNotServed(_) => ErrorKind::Permissions,
            Self::NoRegistry => ErrorKind::Unavailable,
        }
    }
}

/// The caller sees the kind of the error, the log the reason. Neither contains the token.
impl ServiceError for AuthError {
    fn to_error(&self) -> Error {
        let error = match self {
            Self::Token(TokenError::Expired) => {
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
