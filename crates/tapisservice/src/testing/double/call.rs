//! What a double was asked.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, Method, StatusCode};
use serde_json::Value;

/// A call that a [`ServiceDouble`](super::ServiceDouble) received.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RecordedCall {
    /// The method.
    pub method: Method,
    /// The path, as it was sent.
    pub path: String,
    /// The operation; `None` if the service has none for this method and path.
    pub operation_id: Option<String>,
    /// Its path and query parameters, decoded, by name. Of a repeated one the last.
    pub args: BTreeMap<String, String>,
    /// The body: JSON, or else a string; null without one.
    pub body: Value,
    /// Who called; `None` without a token that can be read.
    pub caller: Option<RecordedCaller>,
    /// The status of the response.
    pub status: StatusCode,
}

/// Who called a [`ServiceDouble`](super::ServiceDouble): what the token and the headers say. Nothing is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordedCaller {
    /// The tenant of the token: for a service, the admin tenant of its site.
    pub tenant: String,
    /// The user or service of the token.
    pub username: String,
    /// The tenant and the user of `X-Tapis-Tenant` and `X-Tapis-User`.
    pub on_behalf_of: Option<(String, String)>,
}

impl RecordedCaller {
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let header = |name: &str| headers.get_all(name).iter().next()?.to_str().ok().map(str::to_owned);
        let token = header("x-tapis-token")?;
        let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
        let claims: Value = serde_json::from_slice(&payload).ok()?;
        let claim = |name: &str| claims[name].as_str().map(str::to_owned);
        Some(Self {
            tenant: claim("tapis/tenant_id")?,
            username: claim("tapis/username")?,
            on_behalf_of: header("x-tapis-tenant").zip(header("x-tapis-user")),
        })
    }
}

impl fmt::Display for RecordedCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operation = self.operation_id.as_deref().unwrap_or("no operation");
        write!(f, "{} {} ({operation})", self.method, self.path)?;
        if let Some(caller) = &self.caller {
            write!(f, " by {}@{}", caller.username, caller.tenant)?;
            if let Some((tenant, user)) = &caller.on_behalf_of {
                write!(f, " on behalf of {user}@{tenant}")?;
            }
        }
        write!(f, ": {}", self.status.as_u16())
    }
}
