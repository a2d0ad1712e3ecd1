//! JWS compact serialization with RS256 (RFC 7515), as far as Tapis tokens use it.
//!
//! Tests need headers that JWT libraries refuse to write, so signing is done here.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use crate::claims::TokenClaims;
use crate::keys::SigningKey;

/// The header of every token that the site issues: no `kid`.
pub(crate) fn header() -> Map<String, Value> {
    let pairs = [("typ", "JWT"), ("alg", "RS256")];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect()
}

/// Signs a token; `None` if the system has no randomness.
pub(crate) fn sign(
    header: Map<String, Value>,
    claims: Map<String, Value>,
    key: &SigningKey,
) -> Option<String> {
    let part = |object| URL_SAFE_NO_PAD.encode(Value::Object(object).to_string());
    let input = format!("{}.{}", part(header), part(claims));
    let signature = key.sign(input.as_bytes())?;
    Some(format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// A parsed token, before verification.
pub(crate) struct Unverified<'a> {
    /// Parsed once: the key is selected by the claims that are used later (rule A4).
    pub(crate) claims: TokenClaims,
    input: &'a str,
    signature: Vec<u8>,
}

impl<'a> Unverified<'a> {
    pub(crate) fn parse(token: &'a str) -> Option<Self> {
        let (input, signature) = token.rsplit_once('.')?;
        let (header, payload) = input.split_once('.')?;
        let header: Map<String, Value> = decode(header)?;
        let plain = header.get("alg") == Some(&json!("RS256")) && !header.contains_key("crit");
        plain.then_some(())?;
        Some(Self { claims: decode(payload)?, input, signature: URL_SAFE_NO_PAD.decode(signature).ok()? })
    }

    pub(crate) fn is_signed_by(&self, key: &SigningKey) -> bool {
        key.verifies(self.input.as_bytes(), &self.signature)
    }
}

fn decode<T: serde::de::DeserializeOwned>(part: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}
