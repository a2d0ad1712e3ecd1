//! What a token is issued for.

use serde_json::{Map, Value};

/// User or service, as in `tapis/account_type`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum AccountType {
    User,
    Service,
}

impl AccountType {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Service => "service",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::User, Self::Service].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// What a token is issued for: enough to issue an access token, or a refresh token for it.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    pub(crate) account: AccountType,
    pub(crate) username: String,
    pub(crate) tenant: String,
    pub(crate) target_site: Option<String>,
    /// `user@tenant` of the delegation (rule A12).
    pub(crate) delegation_sub: Option<String>,
    /// Seconds.
    pub(crate) access_ttl: i64,
    /// Seconds; `None` for no refresh token.
    pub(crate) refresh_ttl: Option<i64>,
    /// Claims besides the standard ones.
    pub(crate) extra: Map<String, Value>,
}

/// Four hours, the default of the Tokens API.
pub(crate) const ACCESS_TTL: i64 = 4 * 3600;
/// One year.
pub(crate) const REFRESH_TTL: i64 = 365 * 24 * 3600;

impl Grant {
    pub(crate) fn user(username: impl Into<String>, tenant: impl Into<String>) -> Self {
        Self {
            account: AccountType::User,
            username: username.into(),
            tenant: tenant.into(),
            target_site: None,
            delegation_sub: None,
            access_ttl: ACCESS_TTL,
            refresh_ttl: None,
            extra: Map::new(),
        }
    }

    pub(crate) fn service(username: impl Into<String>, tenant: impl Into<String>, target_site: &str) -> Self {
        let user = Self::user(username, tenant);
        Self { account: AccountType::Service, target_site: Some(target_site.to_owned()), ..user }
    }

    pub(crate) fn subject(&self) -> String {
        format!("{}@{}", self.username, self.tenant)
    }
}
