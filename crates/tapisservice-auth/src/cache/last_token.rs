//! The last token of a connection.

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use tapisservice_tenants::Registry;

use super::TokenCache;
use crate::headers::RawToken;
use crate::verify::{TokenDigest, VerifiedToken, Verifier, sealed};
use crate::{AuthError, AuthSettings, UnixTime};

/// The longest token that [`LastToken`] stores, once per connection.
const MAX_KEPT_BYTES: usize = 2048;

/// The last token of a connection, so that a repeated token is not hashed on every request.
///
/// Its text is stored after it came twice in a row. Texts are compared in constant time, because one connection of a proxy may
/// carry requests of several users.
#[derive(Default)]
pub(crate) struct LastToken {
    /// Empty, or the text of `digest`.
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

/// A clone is for another connection: it starts empty.
impl Clone for LastToken {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// A token is a secret: it is not printed.
impl fmt::Debug for LastToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A [`TokenCache`] with the known digest of the token to look up.
pub(crate) struct WithDigest<'a> {
    pub(super) cache: &'a TokenCache,
    pub(super) digest: Option<TokenDigest>,
}

impl sealed::Sealed for WithDigest<'_> {}

impl Verifier for WithDigest<'_> {
    fn settings(&self) -> &AuthSettings {
        self.cache.settings()
    }

    fn verify(
        &self,
        token: RawToken<'_>,
        registry: Option<&Registry>,
        now: UnixTime,
    ) -> Result<VerifiedToken, AuthError> {
        self.cache.verify_digested(token, self.digest.as_ref(), registry, now)
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
}
