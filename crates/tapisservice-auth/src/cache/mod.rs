//! A memo of verified tokens, so that the same one is not verified again with every request.

mod last_token;

use std::fmt;

use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, Weighter};
use tapisservice_core::Claims;
use tapisservice_tenants::Registry;

pub(crate) use self::last_token::LastToken;
use self::last_token::WithDigest;
use crate::error::TokenError;
use crate::headers::RawToken;
use crate::verify::{TokenDigest, sealed};
use crate::{AuthError, AuthSettings, TokenVerifier, UnixTime, VerifiedToken, Verifier};

/// How many bytes the remembered tokens may take up.
const MAX_BYTES: u64 = 16 * 1024 * 1024;
/// What a remembered token counts for at least: so that there are never more than [`MAX_TOKENS`].
const MIN_TOKEN_BYTES: u64 = MAX_BYTES / MAX_TOKENS as u64;
/// How many tokens may be remembered.
const MAX_TOKENS: usize = 16 * 1024;
/// What the table and the allocator need for a token besides.
const OVERHEAD: usize = 256;

/// A memo in front of a [`TokenVerifier`]: a token is verified once while what it was verified with stays the same.
///
/// What is remembered is that a text has the form of a token, that the key of its tenant signed it, and its claims: the rules
/// A2 to A12. It holds while the tenant's record does: when anything in that changes (the key, the status, the site, the token
/// service), or the tenant is gone, the token is verified anew, by the rules for a token that was never seen. `exp`, `nbf` and `iat` are
/// compared with the clock on every request, and everything that depends on other headers, hosts or sites is decided on every
/// request. What was refused is not remembered.
///
/// A token is recognised by the SHA-256 of its whole text, of what is signed and of the signature each by itself; the text is not kept.
/// There are at most 16,384 tokens in 16 MiB; those that are asked for least make room.
///
/// ```
/// # use http::HeaderMap;
/// # use tapisservice_auth::{AuthError, AuthSettings, IdentityHeaders, Outcome, TokenCache, UnixTime, decide};
/// # use tapisservice_core::SiteId;
/// # use tapisservice_tenants::Registry;
/// # fn demo(headers: &HeaderMap, registry: &Registry) -> Result<Outcome, AuthError> {
/// let cache = TokenCache::new(AuthSettings::new("bookmarks", SiteId::new("tacc").unwrap()));
/// decide(&cache, &IdentityHeaders::read(headers, false)?, Some(registry), UnixTime::now())
/// # }
/// ```
pub struct TokenCache {
    verifier: TokenVerifier,
    known: Cache<TokenDigest, VerifiedToken, ByBytes>,
}

impl TokenCache {
    /// A cache that remembers nothing yet. The settings stay what they are: claims were compared with them.
    pub fn new(settings: AuthSettings) -> Self {
        let (hashing, lifecycle) = (DefaultHashBuilder::default(), DefaultLifecycle::default());
        let known = Cache::with(MAX_TOKENS, MAX_BYTES, ByBytes, hashing, lifecycle);
        // Addresses, not memory: what nothing is put into takes up none. So a table never moves while requests wait for it.
        known.reserve(MAX_TOKENS);
        Self { verifier: TokenVerifier::new(settings), known }
    }

    /// The cache for one token, whose digest the connection may know already.
    pub(crate) fn for_connection<'a>(
        &'a self,
        token: Option<RawToken<'_>>,
        last: &mut LastToken,
    ) -> WithDigest<'a> {
        WithDigest { cache: self, digest: token.and_then(|token| last.digest_of(token.as_bytes())) }
    }

    /// How many tokens are remembered.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// About how many bytes the remembered tokens take up.
    pub fn bytes(&self) -> u64 {
        self.known.weight()
    }

    /// As [`verify`](Verifier::verify); `digest` is that of the token, if it can be one.
    fn verify_digested(
        &self,
        token: RawToken<'_>,
        digest: Option<&TokenDigest>,
        registry: Option<&Registry>,
        now: UnixTime,
    ) -> Result<VerifiedToken, AuthError> {
        if let (Some(digest), Some(registry)) = (digest, registry)
            && let Some(verified) = self.lookup(digest, registry, now)?
        {
            return Ok(verified);
        }
        self.verify_and_store(token, digest, registry, now)
    }

    /// What is remembered of a token, if it was verified with the record that its tenant has now.
    ///
    /// # Errors
    ///
    /// When the token does not hold at this time (rule A7).
    fn lookup(
        &self,
        digest: &TokenDigest,
        registry: &Registry,
        now: UnixTime,
    ) -> Result<Option<VerifiedToken>, TokenError> {
        let Some(verified) = self.known.get(digest) else { return Ok(None) };
        let tenant = registry.tenant(verified.claims.tenant_id.as_str());
        if !tenant.is_some_and(|tenant| tenant.is_current(verified.record)) {
            self.known.remove(digest);
            return Ok(None);
        }
        let held = verified.times.check_again(self.settings().token_leeway_seconds, now);
        if held == Err(TokenError::Expired) {
            self.known.remove(digest);
        }
        held.map(|()| Some(verified))
    }

    /// Verifies a token from scratch, and remembers it if it is good.
    fn verify_and_store(
        &self,
        token: RawToken<'_>,
        digest: Option<&TokenDigest>,
        registry: Option<&Registry>,
        now: UnixTime,
    ) -> Result<VerifiedToken, AuthError> {
        let verified = self.verifier.verify_digested(token, digest, registry, now)?;
        if let Some(digest) = digest {
            self.known.insert(*digest, verified.clone());
        }
        Ok(verified)
    }
}

impl sealed::Sealed for TokenCache {}

impl Verifier for TokenCache {
    fn settings(&self) -> &AuthSettings {
        self.verifier.settings()
    }

    fn verify(
        &self,
        token: RawToken<'_>,
        registry: Option<&Registry>,
        now: UnixTime,
    ) -> Result<VerifiedToken, AuthError> {
        self.verify_digested(token, TokenDigest::of(token.as_bytes()).as_ref(), registry, now)
    }
}

/// Counts what a remembered token takes up.
#[derive(Clone)]
struct ByBytes;

impl Weighter<TokenDigest, VerifiedToken> for ByBytes {
    fn weight(&self, _: &TokenDigest, verified: &VerifiedToken) -> u64 {
        let claims = &verified.claims;
        let names = claims.username.as_str().len()
            + claims.target_site.as_ref().map_or(0, |site| site.as_str().len())
            + claims
                .delegation
                .as_ref()
                .map_or(0, |by| by.username.as_str().len() + by.tenant_id.as_str().len());
        let bytes = claims.all.size() + names + size_of::<VerifiedToken>() + size_of::<Claims>() + OVERHEAD;
        u64::try_from(bytes).unwrap_or(u64::MAX).max(MIN_TOKEN_BYTES)
    }
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCache")
            .field("tokens", &self.len())
            .field("bytes", &self.bytes())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;
    use tapisservice_core::{AccountType, Payload, SiteId, TenantId, Username};
    use tapisservice_tenants::RegistryData;

    use super::*;
    use crate::verify::Times;

    /// Something to remember whose payload has `size` bytes.
    fn verified(registry: &Registry, size: usize) -> VerifiedToken {
        let payload = json!({"text": "x".repeat(size - r#"{"text":""}"#.len())}).to_string();
        let (tenant, username) = (TenantId::new("dev").unwrap(), Username::new("alice").unwrap());
        let signed = Payload::parse(payload.as_bytes(), 8).unwrap();
        let claims = Claims::new(tenant, username, AccountType::User, signed);
        let record = registry.tenant("dev").unwrap().record_version();
        VerifiedToken { record, times: Times::until(UnixTime(1e9)), claims: Arc::new(claims) }
    }

    #[test]
    fn tokens_are_bounded_in_number_and_in_bytes() {
        let data = RegistryData::new(
            vec![json!({"tenant_id": "dev", "site_id": "here", "base_url": "https://dev.test"}).into()],
            vec![json!({"site_id": "here", "primary": true}).into()],
        );
        let registry = Registry::build(&data, None).unwrap();
        for (size, at_least) in [(20, 10_000), (500, 10_000), (11_000, 700)] {
            let cache = TokenCache::new(AuthSettings::new("test", SiteId::new("here").unwrap()));
            let verified = verified(&registry, size);
            for number in 0..40_000_u32 {
                let digest = TokenDigest::of(format!("{number}.").as_bytes()).unwrap();
                cache.known.insert(digest, verified.clone());
            }
            assert!((at_least..=MAX_TOKENS).contains(&cache.len()), "{size}: {cache:?}");
            assert!(cache.bytes() <= MAX_BYTES, "{size}: {cache:?}");
            assert!(size * cache.len() <= 16 * 1024 * 1024, "{size}: {cache:?}");
        }
    }
}
