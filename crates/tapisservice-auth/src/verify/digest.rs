//! The digests that identify a token.

use std::hash::{Hash, Hasher};

use aws_lc_rs::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use memchr::memrchr;

/// The SHA-256 digests of the signing input and of the signature of a compact JWS. Together they cover every character of the token.
///
/// The signature is verified over the digest of the signing input (RFC 7518 section 3.3), so nothing is hashed twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TokenDigest {
    signed: Sha256,
    signature: Sha256,
}

pub(super) type Sha256 = [u8; SHA256_OUTPUT_LEN];

impl TokenDigest {
    /// The digest of a text that may be a token; `None` without a dot, since that is no token.
    pub(crate) fn of(text: &[u8]) -> Option<Self> {
        let dot = memrchr(b'.', text)?;
        Some(Self { signed: sha256(&text[..dot]), signature: sha256(&text[dot + 1..]) })
    }

    /// The digest of the signing input.
    pub(crate) fn signed(&self) -> &Sha256 {
        &self.signed
    }
}

/// A part of a digest is as good as a hash of it.
impl Hash for TokenDigest {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let (start, _) = self.signed.split_at(size_of::<u64>());
        state.write_u64(start.iter().fold(0, |number, b| number << 8 | u64::from(*b)));
    }
}

pub(super) fn sha256(bytes: &[u8]) -> Sha256 {
    let mut sum = Sha256::default();
    sum.copy_from_slice(digest(&SHA256, bytes).as_ref());
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn texts_with_one_digest_are_one_text(one in "[ab.]{0,6}", other in "[ab.]{0,6}") {
            let digests = (TokenDigest::of(one.as_bytes()), TokenDigest::of(other.as_bytes()));
            let same = digests.0.is_some() && digests.0 == digests.1;
            proptest::prop_assert_eq!(same, one == other && one.contains('.'));
        }
    }
}
