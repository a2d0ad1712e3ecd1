//! Unverified claims of a token: for its expiry and for names, never for decisions.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Claims {
    /// Seconds since 1970. `None` if the token has no `exp`, or is not a JWT.
    pub(crate) expires: Option<Duration>,
    pub(crate) username: Option<String>,
    pub(crate) tenant_id: Option<String>,
}

#[derive(Deserialize)]
struct Payload {
    exp: Option<Value>,
    #[serde(rename = "tapis/username")]
    username: Option<Value>,
    #[serde(rename = "tapis/tenant_id")]
    tenant_id: Option<Value>,
}

impl Claims {
    /// The claims of a compact JWS (RFC 7519 section 3); empty for anything else.
    pub(crate) fn decode_unverified(token: &str) -> Self {
        let payload = token.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
        let payload: Option<Payload> = payload.and_then(|json| serde_json::from_slice(&json).ok());
        payload.map_or_else(Self::default, |payload| Self {
            expires: payload.exp.as_ref().and_then(numeric_date),
            username: payload.username.as_ref().and_then(text),
            tenant_id: payload.tenant_id.as_ref().and_then(text),
        })
    }

    /// How long the token is still valid; zero once it has expired.
    pub(crate) fn expires_in(&self) -> Option<Duration> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.expires.map(|expires| expires.saturating_sub(now))
    }
}

/// A `NumericDate` (RFC 7519 section 2), fractions included. A time before 1970 counts as 1970.
fn numeric_date(value: &Value) -> Option<Duration> {
    let seconds = value.as_f64()?;
    Some(Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX))
}

fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn decode_unverified(payload: &Value) -> Claims {
        Claims::decode_unverified(&format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(payload.to_string())))
    }

    #[test]
    fn expiry_and_names_are_read() {
        let claims =
            decode_unverified(&json!({"exp": 1000.5, "tapis/username": "alice", "tapis/tenant_id": "tacc"}));
        assert_eq!(claims.expires, Some(Duration::from_millis(1_000_500)));
        assert_eq!(claims.username.as_deref(), Some("alice"));
        assert_eq!(claims.tenant_id.as_deref(), Some("tacc"));
        assert_eq!(claims.expires_in(), Some(Duration::ZERO));
    }

    #[test]
    fn odd_moments_are_neither_a_panic_nor_for_ever_young() {
        let cases = [
            (json!({"exp": -1}), Some(Duration::ZERO)),
            (json!({"exp": 1e300}), Some(Duration::MAX)),
            (json!({"exp": "1000"}), None),
            (json!({"exp": null}), None),
            (json!({}), None),
        ];
        for (payload, expected) in cases {
            assert_eq!(decode_unverified(&payload).expires, expected, "{payload}");
        }
    }

    #[test]
    fn what_is_no_token_has_no_claims() {
        for text in ["", ".", "a.b.c", "opaque", "e30.e30", "e30.W10.x", "e30.MQ.x", "\u{e9}.\u{e9}.\u{e9}"] {
            assert_eq!(Claims::decode_unverified(text), Claims::default(), "{text}");
        }
    }
}
