//! The token pair in responses of the Tokens and Authenticator APIs.

use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::claims::{self, MAX_NUMERIC_DATE};
use crate::envelope::ApiError;
use crate::grant::Grant;
use crate::jws;
use crate::keys::SigningKey;
use crate::registry::Registry;

/// Issues the tokens of a grant: `{access_token: {access_token, expires_at, expires_in, jti}, refresh_token: ...}`.
pub(crate) fn issue(registry: &Registry, grant: &Grant) -> Result<Value, ApiError> {
    let tenant = registry.active_tenant(&grant.tenant).ok_or_else(|| {
        ApiError::bad_request(format!("Tenant {} is not served by this Tokens API.", grant.tenant))
    })?;
    let issuer = tenant.token_service();
    let now = claims::now();
    let expires = expiry(now, grant.access_ttl)?;
    let access = claims::access(grant, &issuer, expires);
    let mut result = Map::new();
    result.insert(
        "access_token".into(),
        entry("access_token", access, expires, grant.access_ttl, &tenant.key)?,
    );
    if let Some(ttl) = grant.refresh_ttl {
        let expires = expiry(now, ttl)?;
        let refresh = claims::refresh(grant, &issuer, expires, ttl);
        result.insert("refresh_token".into(), entry("refresh_token", refresh, expires, ttl, &tenant.key)?);
    }
    Ok(Value::Object(result))
}

fn expiry(now: i64, ttl: i64) -> Result<i64, ApiError> {
    let expires = now.checked_add(ttl).filter(|expires| ttl > 0 && *expires <= MAX_NUMERIC_DATE);
    expires.ok_or_else(|| {
        ApiError::bad_request(
            "The lifetime of a token must be a positive number of seconds, before the year 10000.",
        )
    })
}

fn entry(
    name: &str,
    claims: Map<String, Value>,
    expires: i64,
    ttl: i64,
    key: &SigningKey,
) -> Result<Value, ApiError> {
    let failed = || ApiError::new(http::StatusCode::INTERNAL_SERVER_ERROR, "The token could not be created.");
    let jti = claims.get("jti").cloned().unwrap_or_default();
    let moment =
        OffsetDateTime::from_unix_timestamp(expires).ok().and_then(|moment| moment.format(&Rfc3339).ok());
    let token = jws::sign(jws::header(), claims, key).ok_or_else(failed)?;
    Ok(json!({ name: token, "expires_at": moment, "expires_in": ttl, "jti": jti }))
}
