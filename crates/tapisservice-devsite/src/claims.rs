//! The claims of Tapis tokens, as the site writes them and its services read them (docs/PROTOCOL.md, section 2).

use std::time::{SystemTime, UNIX_EPOCH};

use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::grant::{AccountType, Grant};

/// The latest `NumericDate` of a token: the end of the year 9999.
pub(crate) const MAX_NUMERIC_DATE: i64 = 253_402_300_799;

/// Seconds since 1970.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(MAX_NUMERIC_DATE)
}

/// The claims of an access token.
pub(crate) fn access(grant: &Grant, issuer: &str, expires: i64) -> Map<String, Value> {
    let mut claims = grant.extra.clone();
    claims.extend(registered(grant, issuer, expires, "access"));
    claims.insert("tapis/username".into(), json!(grant.username));
    claims.insert("tapis/account_type".into(), json!(grant.account.as_str()));
    claims.insert("tapis/delegation".into(), json!(grant.delegation_sub.is_some()));
    claims.insert("tapis/delegation_sub".into(), json!(grant.delegation_sub));
    if let Some(site) = &grant.target_site {
        claims.insert("tapis/target_site".into(), json!(site));
    }
    claims
}

/// The claims of a refresh token, which contains those of the access tokens to issue for it.
pub(crate) fn refresh(grant: &Grant, issuer: &str, expires: i64, ttl: i64) -> Map<String, Value> {
    let mut access_claims = access(grant, issuer, 0);
    access_claims.remove("exp");
    access_claims.remove("jti");
    access_claims.insert("ttl".into(), json!(grant.access_ttl));
    let mut claims = registered(grant, issuer, expires, "refresh");
    claims.insert("tapis/initial_ttl".into(), json!(ttl));
    claims.insert("tapis/access_token".into(), Value::Object(access_claims));
    claims
}

fn registered(grant: &Grant, issuer: &str, expires: i64, kind: &str) -> Map<String, Value> {
    let claims = json!({
        "jti": Uuid::new_v4(), "iss": issuer, "sub": grant.subject(), "tapis/tenant_id": grant.tenant,
        "tapis/token_type": kind, "exp": expires,
    });
    match claims {
        Value::Object(claims) => claims,
        _ => Map::new(),
    }
}

/// Whether the Tokens API sets this claim itself, so that callers may not.
pub(crate) fn is_standard(name: &str) -> bool {
    const REGISTERED: [&str; 7] = ["jti", "iss", "sub", "exp", "aud", "iat", "nbf"];
    const TAPIS: [&str; 9] = [
        "tenant_id",
        "token_type",
        "username",
        "account_type",
        "delegation",
        "delegation_sub",
        "target_site",
        "initial_ttl",
        "access_token",
    ];
    REGISTERED.contains(&name) || name.strip_prefix("tapis/").is_some_and(|rest| TAPIS.contains(&rest))
}

impl Grant {
    /// Restores the grant from the claims of a verified refresh token.
    pub(crate) fn from_refresh_claims(claims: &TokenClaims) -> Option<Self> {
        let old = claims.access_token.as_ref()?;
        let text = |name: &str| old.get(name).and_then(Value::as_str).map(str::to_owned);
        let extra = old.iter().filter(|(name, _)| !is_standard(name) && *name != "ttl");
        Some(Self {
            account: AccountType::parse(&text("tapis/account_type")?)?,
            username: text("tapis/username")?,
            tenant: claims.tenant_id.clone(),
            target_site: text("tapis/target_site"),
            delegation_sub: text("tapis/delegation_sub"),
            access_ttl: old.get("ttl")?.as_i64()?,
            refresh_ttl: Some(claims.initial_ttl?),
            extra: extra.map(|(name, value)| (name.clone(), value.clone())).collect(),
        })
    }
}

/// The claims that the services of the site read.
#[derive(Debug, Deserialize)]
pub(crate) struct TokenClaims {
    pub(crate) iss: String,
    pub(crate) sub: String,
    pub(crate) exp: i64,
    #[serde(rename = "tapis/tenant_id")]
    pub(crate) tenant_id: String,
    #[serde(rename = "tapis/token_type")]
    pub(crate) token_type: String,
    #[serde(rename = "tapis/username")]
    pub(crate) username: Option<String>,
    #[serde(rename = "tapis/account_type")]
    pub(crate) account_type: Option<String>,
    #[serde(rename = "tapis/target_site")]
    pub(crate) target_site: Option<String>,
    #[serde(rename = "tapis/initial_ttl")]
    pub(crate) initial_ttl: Option<i64>,
    #[serde(rename = "tapis/access_token")]
    pub(crate) access_token: Option<Map<String, Value>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refresh_token_remembers_its_grant() {
        let mut grant = Grant::service("jobs", "admin", "uh");
        grant.delegation_sub = Some("alice@tacc".into());
        grant.refresh_ttl = Some(99);
        grant.extra.insert("tapis/client_id".into(), json!("c"));
        let claims = Value::Object(refresh(&grant, "http://localhost/v3/tokens", now() + 99, 99));
        let again = Grant::from_refresh_claims(&serde_json::from_value(claims).unwrap()).unwrap();
        assert_eq!(format!("{again:?}"), format!("{grant:?}"));
    }

    #[test]
    fn a_refresh_token_names_neither_user_nor_account_type() {
        let claims = refresh(&Grant::user("alice", "tacc"), "http://localhost/v3/tokens", now(), 9);
        for absent in ["tapis/username", "tapis/account_type", "tapis/delegation", "iat", "tapis/target_site"]
        {
            assert!(!claims.contains_key(absent), "{absent}");
        }
    }
}
