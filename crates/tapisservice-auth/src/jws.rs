//! JSON Web Signatures in compact form (RFC 7515), RS256 only (rules A2, A3 and A6).

use std::fmt;

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use memchr::memchr_iter;
use tapisservice_core::{Payload, json};
use tapisservice_tenants::TenantKey;

use crate::claims::RawClaims;
use crate::token_digest::{Sha256, sha256};

/// Base64url without padding, with canonical trailing bits (rule A2).
const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(false),
);

/// How deeply a header or a payload may nest (rules A3 and A4).
const MAX_DEPTH: usize = 32;

/// Header parameters that change what a signature means, or what is signed (rule A3).
const REFUSED_PARAMETERS: [&str; 4] = ["crit", "b64", "zip", "enc"];

/// Why a text is not a JWS that may be verified here. Nothing of the text is quoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum JwsError {
    /// Not three non-empty parts.
    #[error("not three non-empty parts")]
    Structure,
    /// A part is not base64url without padding in its canonical form.
    #[error("a part is not canonical base64url")]
    Base64,
    /// The header is not one JSON object with unique names.
    #[error("the header is not a plain JSON object")]
    Header,
    /// `alg` is not `RS256`.
    #[error("alg is not RS256")]
    Algorithm,
    /// `typ` is there and not `JWT`.
    #[error("typ is not JWT")]
    Type,
    /// `kid` is there and no string.
    #[error("kid is not a string")]
    KeyId,
    /// One of `crit`, `b64`, `zip` and `enc` is there.
    #[error("the header asks for an extension")]
    Extension,
    /// The key did not make this signature.
    #[error("the signature does not verify")]
    Signature,
    /// The payload is not one JSON object with unique names.
    #[error("the payload is not a plain JSON object")]
    Payload,
}

/// What Tapis sites write into headers, encoded: it need not be read to be known as good.
const USUAL_HEADERS: [&[u8]; 2] =
    [b"eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9", b"eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9"];

/// A JWS whose header passed, not yet verified.
pub(crate) struct Jws {
    /// The payload, and after it the signature.
    bytes: Vec<u8>,
    payload_length: usize,
}

impl Jws {
    /// Takes a compact JWS apart (rules A2 and A3).
    pub(crate) fn parse(compact: &[u8]) -> Result<Self, JwsError> {
        let mut dots = memchr_iter(b'.', compact);
        let (Some(first), Some(second), None) = (dots.next(), dots.next(), dots.next()) else {
            return Err(JwsError::Structure);
        };
        let (header, payload, signature) =
            (&compact[..first], &compact[first + 1..second], &compact[second + 1..]);
        if header.is_empty() || payload.is_empty() || signature.is_empty() {
            return Err(JwsError::Structure);
        }
        let mut bytes = Vec::with_capacity(compact.len());
        if !USUAL_HEADERS.contains(&header) {
            decode(header, &mut bytes)?;
            check_header(&bytes)?;
            bytes.clear();
        }
        decode(payload, &mut bytes)?;
        let payload_length = bytes.len();
        decode(signature, &mut bytes)?;
        Ok(Self { bytes, payload_length })
    }

    fn payload(&self) -> &[u8] {
        &self.bytes[..self.payload_length]
    }

    fn signature(&self) -> &[u8] {
        &self.bytes[self.payload_length..]
    }

    /// Reads the payload (rule A4). `signed` is the digest of what is signed.
    pub(crate) fn said(&self, signed: Sha256) -> Result<Said<'_>, JwsError> {
        let mut claims = RawClaims::default();
        let payload = Payload::read(self.payload(), MAX_DEPTH, |name, value| claims.take(name, value))
            .map_err(|_| JwsError::Payload)?;
        Ok(Said { payload, claims, signed, signature: self.signature() })
    }
}

/// What a token says, be it true or not: the tenant that selects the key and the claims used later come from the one payload in
/// here (rule A4).
pub(crate) struct Said<'a> {
    pub(crate) payload: Payload,
    pub(crate) claims: RawClaims<'a>,
    signed: Sha256,
    signature: &'a [u8],
}

impl Said<'_> {
    /// Whether it is true, as `key` signed it (rule A6).
    pub(crate) fn is_signed_by(&self, key: &TenantKey) -> bool {
        key.verify_rs256(&self.signed, self.signature)
    }
}

fn decode(part: &[u8], bytes: &mut Vec<u8>) -> Result<(), JwsError> {
    BASE64URL.decode_vec(part, bytes).map_err(|_| JwsError::Base64)
}

/// The digest of what is signed of a compact JWS; what it is of other texts does not matter.
fn signed(compact: &str) -> Sha256 {
    sha256(compact.rsplit_once('.').map_or(compact, |(signed, _)| signed).as_bytes())
}

/// The header decides nothing but that this is RS256: `kid` chooses no key, `jwk`, `jku`, `x5u` and `x5c` are not looked at.
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

/// Verifies a compact JWS with one key and gives its payload, whatever that is.
///
/// This and [`TenantKey::from_pem`] are the two layers every token goes through.
///
/// # Errors
///
/// When it is not a compact RS256 JWS, or not signed by `key`.
pub fn verify_compact(compact: &str, key: &TenantKey) -> Result<Vec<u8>, JwsError> {
    let mut jws = Jws::parse(compact.as_bytes())?;
    if key.verify_rs256(&signed(compact), jws.signature()) {
        jws.bytes.truncate(jws.payload_length);
        Ok(jws.bytes)
    } else {
        Err(JwsError::Signature)
    }
}

/// A compact JWS with a JSON payload that was taken apart. Nothing in it is true before [`verify`](Self::verify) said so.
pub struct ParsedToken<'a> {
    compact: &'a str,
    signed: Sha256,
    jws: Jws,
}

/// A token is a secret: nothing of it is printed.
impl fmt::Debug for ParsedToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParsedToken").finish_non_exhaustive()
    }
}

impl<'a> ParsedToken<'a> {
    /// Takes a compact JWS with a JSON payload apart.
    ///
    /// # Errors
    ///
    /// When it is not one (rules A2 to A4).
    pub fn parse(compact: &'a str) -> Result<Self, JwsError> {
        let token = Self { compact, signed: signed(compact), jws: Jws::parse(compact.as_bytes())? };
        token.said()?;
        Ok(token)
    }

    /// The payload, if `key` signed it (rule A6).
    ///
    /// # Errors
    ///
    /// [`JwsError::Signature`] when it did not.
    pub fn verify(&self, key: &TenantKey) -> Result<Payload, JwsError> {
        let said = self.said()?;
        if said.is_signed_by(key) { Ok(said.payload) } else { Err(JwsError::Signature) }
    }

    pub(crate) fn said(&self) -> Result<Said<'_>, JwsError> {
        self.jws.said(self.signed)
    }

    /// The text that was parsed.
    pub(crate) fn compact(&self) -> &'a str {
        self.compact
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(header: &str, payload: &str) -> String {
        format!("{}.{}.c2ln", BASE64URL.encode(header), BASE64URL.encode(payload))
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
            assert_eq!(ParsedToken::parse(&token(header, "{}")).err(), error, "{header}");
        }
    }

    #[test]
    fn the_usual_headers_are_good_ones() {
        for header in USUAL_HEADERS {
            let text = BASE64URL.decode(header).unwrap();
            assert_eq!(check_header(&text), Ok(()), "{}", String::from_utf8_lossy(&text));
        }
    }

    #[test]
    fn three_canonical_parts_and_an_object() {
        let good = token(r#"{"alg":"RS256"}"#, "{}");
        assert!(ParsedToken::parse(&good).is_ok());
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
            assert_eq!(ParsedToken::parse(&text).unwrap_err(), error, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn parsing_never_panics(text in "[A-Za-z0-9_.-]{0,80}") {
            let _ = ParsedToken::parse(&text);
        }

        #[test]
        fn any_header_and_payload_are_taken_or_refused(header in ".{0,60}", payload in ".{0,60}") {
            let _ = ParsedToken::parse(&token(&header, &payload));
        }
    }
}
