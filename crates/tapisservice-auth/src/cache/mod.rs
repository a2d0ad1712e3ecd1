//! A cache of verified tokens, so that a token is not verified again on every request.

mod mac;

use std::fmt;

use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, Weighter};
use tapisservice_core::Claims;
use tapisservice_tenants::Registry;

use self::mac::{MacKey, TokenMac};
use crate::error::TokenError;
use crate::headers::RawToken;
use crate::verify::sealed;
use crate::{AuthError, AuthSettings, TokenVerifier, UnixTime, VerifiedToken, Verifier};

/// The maximum size of the cache in bytes.
const MAX_BYTES: u64 = 16 * 1024 * 1024;
/// The minimum weight of a token, which bounds their number to [`MAX_TOKENS`].
const MIN_TOKEN_BYTES: u64 = MAX_BYTES / MAX_TOKENS as u64;
/// The maximum number of tokens.
const MAX_TOKENS: usize = 16 * 1024;
/// The overhead of the table and the allocator per token.
const OVERHEAD: usize = 256;

/// A cache in front of a [`TokenVerifier`]: a token is verified once, as long as the record of its tenant does not change.
///
/// An entry records that the text is a well-formed token, that the key of its tenant signed it, and its claims: rules
/// A2 to A12. It is valid for one version of the tenant's record: if anything in the record changes (the key, the status, the site, the
/// token service) or the tenant is removed, the token is verified again like a new one. `exp`, `nbf` and `iat` are
/// compared with the clock on every request, and everything that depends on other headers, hosts or sites is decided on every
/// request. Rejections are not cached.
///
/// The key is a MAC of the token, under a random key of the cache; the text is not stored.
/// The cache holds at most 16,384 tokens in 16 MiB, and evicts those used least.
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
    key: MacKey,
    known: Cache<TokenMac, VerifiedToken, ByBytes>,
}

impl TokenCache {
    /// An empty cache. The settings cannot change later, because cached claims were checked against them.
    ///
    /// # Panics
    ///
    /// If the operating system has no random numbers for the key.
    pub fn new(settings: AuthSettings) -> Self {
        let (hashing, lifecycle) = (DefaultHashBuilder::default(), DefaultLifecycle::default());
        let known = Cache::with(MAX_TOKENS, MAX_BYTES, ByBytes, hashing, lifecycle);
        // Reserves addresses, not memory: unused pages take none. So the table never moves while requests wait for it.
        known.reserve(MAX_TOKENS);
        Self { verifier: TokenVerifier::new(settings), key: MacKey::random(), known }
    }

    /// The number of cached tokens.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether the cache is empty.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// The approximate size of the cached tokens in bytes.
    pub fn bytes(&self) -> u64 {
        self.known.weight()
    }

    /// The cached result for a token, if it was verified with the current record of its tenant.
    ///
    /// # Errors
    ///
    /// When the token is not valid at this time (rule A7).
    fn lookup(
        &self,
        mac: &TokenMac,
        registry: &Registry,
        now: UnixTime,
    ) -> Result<Option<VerifiedToken>, TokenError> {
        let Some(verified) = self.known.get(mac) else { return Ok(None) };
        // The whole record counts, not only its key: status, site and token service take part in the rules too. A refresh that changes
        // nothing keeps the record, so one comparison of numbers is enough.
        let tenant = registry.tenant(verified.claims.tenant_id.as_str());
        if !tenant.is_some_and(|tenant| tenant.is_current(verified.record)) {
            self.known.remove(mac);
            return Ok(None);
        }
        let held =
            verified.times.check_again(self.settings().token_leeway_seconds.duration().as_secs_f64(), now);
        if held == Err(TokenError::Expired) {
            // Only an expired token is removed. One that is not valid yet will be, and then needs no second verification.
            self.known.remove(mac);
        }
        held.map(|()| Some(verified))
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
        // Of the text as it was sent, so nothing of an unverified token is parsed before the lookup.
        let mac = self.key.mac(token.as_bytes());
        if let Some(registry) = registry
            && let Some(verified) = self.lookup(&mac, registry, now)?
        {
            return Ok(verified);
        }
        // Rejections are not cached: a newer registry may lift one, and anybody can make up bad tokens until the good ones are evicted.
        //
        // Simultaneous requests with the same new token all verify it: that costs CPU time once per token, and none waits for another.
        let verified = self.verifier.verify(token, registry, now)?;
        self.known.insert(mac, verified.clone());
        Ok(verified)
    }
}

/// Weighs a token by its size in memory.
#[derive(Clone)]
struct ByBytes;

impl Weighter<TokenMac, VerifiedToken> for ByBytes {
    fn weight(&self, _: &TokenMac, verified: &VerifiedToken) -> u64 {
        let claims = &verified.claims;
        let names = claims.username.as_str().len()
            + claims.target_site.as_ref().map_or(0, |site| site.as_str().len())
            + claims
                .delegation
                .as_ref()
                .map_or(0, |by| by.username.as_str().len() + by.tenant_id.as_str().len());
        // The claims are the bulk, and their size is up to the issuer of the token: a mere number of entries would bound no memory.
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
                cache.known.insert(cache.key.mac(&number.to_be_bytes()), verified.clone());
            }
            assert!((at_least..=MAX_TOKENS).contains(&cache.len()), "{size}: {cache:?}");
            assert!(cache.bytes() <= MAX_BYTES, "{size}: {cache:?}");
            assert!(size * cache.len() <= 16 * 1024 * 1024, "{size}: {cache:?}");
        }
    }
}
