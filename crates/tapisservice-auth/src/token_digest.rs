//! What a token is recognised by.

use std::fmt;
use std::hash::{Hash, Hasher};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use memchr::memrchr;

/// The longest token that [`LastToken`] keeps. There is one for each connection.
const MAX_KEPT_BYTES: usize = 2048;

/// The SHA-256 digests of what is signed of a compact JWS and of the signature on it: every character of the token is in one of them.
///
/// That of what is signed is what the signature is on (RFC 7518 section 3.3), so nothing is digested twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TokenDigest {
    signed: Sha256,
    signature: Sha256,
}

pub(crate) type Sha256 = [u8; SHA256_OUTPUT_LEN];

impl TokenDigest {
    /// The digest of a text that may be a token; none of one without a dot, which is no token.
    pub(crate) fn of(text: &[u8]) -> Option<Self> {
        let dot = memrchr(b'.', text)?;
        Some(Self { signed: sha256(&text[..dot]), signature: sha256(&text[dot + 1..]) })
    }

    /// The digest of what is signed.
    pub(crate) fn signed(&self) -> &Sha256 {
        &self.signed
    }
}

/// Any part of a digest is as good as a hash of it.
impl Hash for TokenDigest {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let (start, _) = self.signed.split_at(size_of::<u64>());
        state.write_u64(start.iter().fold(0, |number, b| number << 8 | u64::from(*b)));
    }
}

pub(crate) fn sha256(bytes: &[u8]) -> Sha256 {
    let mut sum = Sha256::default();
    sum.copy_from_slice(digest(&SHA256, bytes).as_ref());
    sum
}

/// The token that a connection showed last, so that one that comes again and again is not digested with every request.
///
/// Its text is kept once it came twice in a row. Texts are compared whole, and in a time that does not depend on where they differ: requests
/// of several people may come over one connection of a proxy.
#[derive(Default)]
pub(crate) struct LastToken {
    /// Empty, or the text that has the digest.
    text: Vec<u8>,
    digest: Option<TokenDigest>,
}

impl LastToken {
    /// What [`TokenDigest::of`] gives.
    pub(crate) fn digest_of(&mut self, text: &[u8]) -> Option<TokenDigest> {
        if !self.text.is_empty() && verify_slices_are_equal(&self.text, text).is_ok() {
            return self.digest;
        }
        let digest = TokenDigest::of(text);
        self.text.clear();
        if digest.is_some() && digest == self.digest && text.len() <= MAX_KEPT_BYTES {
            self.text.extend_from_slice(text);
        }
        self.digest = digest;
        digest
    }
}

/// A clone is for another connection: it knows nothing yet.
impl Clone for LastToken {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// It is a secret: it is not printed.
impl fmt::Debug for LastToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_of_a_connection_changes_no_digest() {
        let long = [&[b'a'; MAX_KEPT_BYTES][..], b".b"].concat();
        let texts: [&[u8]; 9] =
            [b"", b"a.b.c", b"a.b.c", b"a.b.c", b"a.b.d", &long, &long, b"no dot", b"no dot"];
        let mut last = LastToken::default();
        let mut kept = Vec::new();
        for text in texts.iter().chain(texts.iter().rev()) {
            assert_eq!(last.digest_of(text), TokenDigest::of(text), "{}", String::from_utf8_lossy(text));
            assert!(last.text.is_empty() || last.text == *text, "what is kept is what came last");
            kept.push(!last.text.is_empty());
        }
        assert_eq!(kept.iter().filter(|kept| **kept).count(), 4, "{kept:?}");
        assert!(last.clone().text.is_empty());
        assert_eq!(format!("{last:?}"), "***");
    }

    proptest::proptest! {
        #[test]
        fn texts_with_one_digest_are_one_text(one in "[ab.]{0,6}", other in "[ab.]{0,6}") {
            let digests = (TokenDigest::of(one.as_bytes()), TokenDigest::of(other.as_bytes()));
            let same = digests.0.is_some() && digests.0 == digests.1;
            proptest::prop_assert_eq!(same, one == other && one.contains('.'));
        }
    }
}
