//! JSON Web Signatures in compact form (RFC 7515), RS256 only (rules A2, A3 and A6).

use std::fmt;

use aws_lc_rs::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use tapisservice_core::{Payload, json};
use tapisservice_tenants::TenantKey;

use super::unverified::UnverifiedClaims;

/// Base64url without padding, with canonical trailing bits (rule A2).
const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(false),
);

/// The maximum nesting depth of a header or payload (rules A3 and A4).
const MAX_DEPTH: usize = 32;

/// Header parameters that change the meaning of the signature, or what is signed (rule A3).
const REFUSED_PARAMETERS: [&str; 4] = ["crit", "b64", "zip", "enc"];

/// Why a text is not a JWS that this crate verifies. The message does not quote the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum JwsError {
    /// Not three non-empty parts.
    #[error("not three non-empty parts")]
    Structure,
    /// A part is not canonical base64url without padding.
    #[error("a part is not canonical base64url")]
    Base64,
    /// The header is not one JSON object with unique names.
    #[error("the header is not a plain JSON object")]
    Header,
    /// `alg` is not `RS256`.
    #[error("alg is not RS256")]
    Algorithm,
    /// `typ` is present and not `JWT`.
    #[error("typ is not JWT")]
    Type,
    /// `kid` is present and not a string.
    #[error("kid is not a string")]
    KeyId,
    /// One of `crit`, `b64`, `zip` and `enc` is present.
    #[error("the header has an unsupported parameter (crit, b64, zip or enc)")]
    Extension,
    /// The payload is not one JSON object with unique names.
    #[error("the payload is not a plain JSON object")]
    Payload,
}

/// A parsed compact JWS with an RS256 header. Do not trust its payload before [`is_signed_by`](Self::is_signed_by) returns `true`.
///
/// Every token is verified with this type and [`TenantKey::from_pem`].
///
/// ```
/// use tapisservice_auth::{Jws, JwsError};
///
/// let unsigned = b"eyJhbGciOiJub25lIn0.e30.c2ln"; // {"alg":"none"}
/// assert_eq!(Jws::parse(unsigned).unwrap_err(), JwsError::Algorithm);
/// ```
pub struct Jws {
    /// The SHA-256 of the signing input.
    signed: [u8; SHA256_OUTPUT_LEN],
    /// The payload, followed by the signature.
    bytes: Vec<u8>,
    payload_length: usize,
}

/// A token is a secret: it is not printed.
impl fmt::Debug for Jws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jws").finish_non_exhaustive()
    }
}

impl Jws {
    /// Parses a compact JWS (rules A2 and A3).
    ///
    /// # Errors
    ///
    /// When it is not three non-empty parts of canonical base64url, or its header is not an RS256 header.
    pub fn parse(compact: &[u8]) -> Result<Self, JwsError> {
        let mut parts = compact.split(|b| *b == b'.');
        let (Some(header), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(JwsError::Structure);
        };
        if header.is_empty() || payload.is_empty() || signature.is_empty() {
            return Err(JwsError::Structure);
        }
        let mut bytes = Vec::with_capacity(compact.len());
        decode_part(header, &mut bytes)?;
        check_header(&bytes)?;
        bytes.clear();
        decode_part(payload, &mut bytes)?;
        let payload_length = bytes.len();
        decode_part(signature, &mut bytes)?;
        let mut signed = [0; SHA256_OUTPUT_LEN];
        signed.copy_from_slice(digest(&SHA256, &compact[..header.len() + 1 + payload.len()]).as_ref());
        Ok(Self { signed, bytes, payload_length })
    }

    /// Whether `key` signed it (rule A6).
    pub fn is_signed_by(&self, key: &TenantKey) -> bool {
        key.verify_rs256(&self.signed, self.signature())
    }

    /// The payload, verified or not.
    pub fn payload(&self) -> &[u8] {
        &self.bytes[..self.payload_length]
    }

    fn signature(&self) -> &[u8] {
        &self.bytes[self.payload_length..]
    }

    /// Parses the payload, once: the tenant that selects the key and the claims that are used later come from the same parse (rule A4).
    pub(crate) fn decode(&self) -> Result<(UnverifiedClaims<'_>, Payload), JwsError> {
        let mut claims = UnverifiedClaims::default();
        let payload = Payload::read(self.payload(), MAX_DEPTH, |name, value| claims.set(name, value))
            .map_err(|_| JwsError::Payload)?;
        Ok((claims, payload))
    }
}

fn decode_part(part: &[u8], bytes: &mut Vec<u8>) -> Result<(), JwsError> {
    BASE64URL.decode_vec(part, bytes).map_err(|_| JwsError::Base64)
}

/// The header only confirms RS256: `kid` selects no key, and `jwk`, `jku`, `x5u` and `x5c` are ignored.
fn check_header(bytes: &[u8]) -> Result<(), JwsError> {
    let (mut is_rs256, mut is_extended, mut is_jwt, mut has_good_key_id) = (false, false, true, true);
    json::members(bytes, MAX_DEPTH, |name, value| match name {
        "alg" => is_rs256 = value.as_str() == Some("RS256"),
        "typ" => is_jwt = value.as_str().is_some_and(|typ| typ.eq_ignore_ascii_case("JWT")),
        "kid" => has_good_key_id = value.as_str().is_some(),
        name => is_extended |= REFUSED_PARAMETERS.contains(&name),
    })
    .map_err(|_| JwsError::Header)?;
    if !is_rs256 {
        Err(JwsError::Algorithm)
    } else if is_extended {
        Err(JwsError::Extension)
    } else if !is_jwt {
        Err(JwsError::Type)
    } else if !has_good_key_id {
        Err(JwsError::KeyId)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(header: &str, payload: &str) -> String {
        format!("{}.{}.c2ln", BASE64URL.encode(header), BASE64URL.encode(payload))
    }

    /// What verifying a text comes to before any key is looked at.
    fn read(text: &str) -> Result<(), JwsError> {
        Jws::parse(text.as_bytes())?.decode().map(drop)
    }

    #[test]
    fn the_header_says_rs256_and_nothing_that_changes_its_meaning() {
        let cases = [
            (r#"{"alg":"RS256"}"#, None),
            (r#"{"alg":"RS256","typ":"jwt","kid":"k"}"#, None),
            (r#"{"alg":"RS256","jku":"http://evil.example","x5u":7,"jwk":{}}"#, None),
            (r#"{"alg":"rs256"}"#, Some(JwsError::Algorithm)),
            (r#"{"alg":["RS256"]}"#, Some(JwsError::Algorithm)),
            (r#"{"alg":"none"}"#, Some(JwsError::Algorithm)),
            (r#"{"typ":"JWT"}"#, Some(JwsError::Algorithm)),
            (r#"{"alg":"RS256","alg":"RS256"}"#, Some(JwsError::Header)),
            (r#"["RS256"]"#, Some(JwsError::Header)),
            (r#"{"alg":"RS256","typ":"at+jwt"}"#, Some(JwsError::Type)),
            (r#"{"alg":"RS256","typ":null}"#, Some(JwsError::Type)),
            (r#"{"alg":"RS256","kid":1}"#, Some(JwsError::KeyId)),
            (r#"{"alg":"RS256","crit":[]}"#, Some(JwsError::Extension)),
            (r#"{"alg":"RS256","zip":"DEF"}"#, Some(JwsError::Extension)),
        ];
        for (header, error) in cases {
            assert_eq!(read(&token(header, "{}")).err(), error, "{header}");
        }
    }

    #[test]
    fn three_canonical_parts_and_an_object() {
        let good = token(r#"{"alg":"RS256"}"#, "{}");
        assert_eq!(read(&good), Ok(()));
        let cases = [
            (String::new(), JwsError::Structure),
            ("...".to_owned(), JwsError::Structure),
            (format!("{good}."), JwsError::Structure),
            (format!("{good}.x"), JwsError::Structure),
            (good.replace(".c2ln", ".c2ln="), JwsError::Base64),
            (good.replace(".c2ln", ".c2l"), JwsError::Base64), // spare bits that are not zero
            (good.replace(".c2ln", ".c2+n"), JwsError::Base64),
            (token(r#"{"alg":"RS256"}"#, "[]"), JwsError::Payload),
            (token(r#"{"alg":"RS256"}"#, r#"{"a":1,"a":1}"#), JwsError::Payload),
            (
                token(r#"{"alg":"RS256"}"#, &format!("{}1{}", "[".repeat(200), "]".repeat(200))),
                JwsError::Payload,
            ),
        ];
        for (text, error) in cases {
            assert_eq!(read(&text), Err(error), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn parsing_never_panics(text in "[A-Za-z0-9_.-]{0,80}") {
            let _ = read(&text);
        }

        #[test]
        fn any_header_and_payload_are_taken_or_refused(header in ".{0,60}", payload in ".{0,60}") {
            let _ = read(&token(&header, &payload));
        }
    }
}
