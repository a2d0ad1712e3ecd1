//! What a verified token says.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::{SiteId, TenantId, Username};

/// Who the holder of a token is: a person or a Tapis service (claim `tapis/account_type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AccountType {
    /// A person, or a program that acts as one.
    User,
    /// A Tapis service.
    Service,
}

impl fmt::Display for AccountType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::User => "user",
            Self::Service => "service",
        })
    }
}

/// A token that one party holds for another (claims `tapis/delegation` and `tapis/delegation_sub`, rule A12).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delegation {
    /// Who the token was delegated to.
    pub username: Username,
    /// The tenant of that party.
    pub tenant_id: TenantId,
}

/// The claims of a verified access token (RFC 7519 section 4 and PROTOCOL section 2), each already of its type.
#[derive(Debug, Clone, PartialEq)]
pub struct Claims {
    /// `tapis/tenant_id`: the tenant whose key signed the token.
    pub tenant_id: TenantId,
    /// `tapis/username`: the token's own user. Of a service token this is the *service*, not the user it
    /// acts for: see [`RequestContext::request_username`](crate::RequestContext::request_username).
    pub username: Username,
    /// `tapis/account_type`.
    pub account_type: AccountType,
    /// `tapis/delegation_sub` when `tapis/delegation` is true.
    pub delegation: Option<Delegation>,
    /// `tapis/target_site`: the site a service token may be used at.
    pub target_site: Option<SiteId>,
    /// The whole payload, as it was signed.
    pub all: Map<String, Value>,
}

/// A verified access token: its claims, and the compact JWS that carried them.
///
/// The raw text is a secret: it is not in the [`fmt::Debug`] output.
///
/// ```
/// # use tapisservice_core::{AccessToken, AccountType, Claims, TenantId, Username};
/// # let claims = Claims { tenant_id: TenantId::new("tacc").unwrap(), username: Username::new("alice").unwrap(),
/// #     account_type: AccountType::User, delegation: None, target_site: None, all: serde_json::Map::new() };
/// let token = AccessToken::new("eyJhbGciOi.eyJqdGkiOi.c2ln", claims);
/// assert!(!format!("{token:?}").contains("eyJ"));
/// assert_eq!(token.claims().username, "alice");
/// ```
#[derive(Clone)]
pub struct AccessToken {
    compact: Arc<str>,
    claims: Arc<Claims>,
}

impl AccessToken {
    /// Joins a compact JWS with the claims that its verification gave.
    pub fn new(compact: impl Into<Arc<str>>, claims: Claims) -> Self {
        Self { compact: compact.into(), claims: Arc::new(claims) }
    }

    /// The verified claims.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// The raw token (`g.x_tapis_token` in Python). Never log it or send it to anybody but a Tapis service.
    pub fn expose(&self) -> &str {
        &self.compact
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken").field("compact", &"***").field("claims", &self.claims).finish()
    }
}
