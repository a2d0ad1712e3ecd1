//! A cache of recent misses.

use std::fmt;

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use tapisservice_core::framework::TokenBucket;
use tokio::time::Instant;

use crate::CacheMiss;

/// The maximum number of misses; older ones are evicted (F09).
const MAX_MISSES: usize = 4096;
/// The maximum size of all misses in bytes.
const MAX_BYTES: u64 = 1024 * 1024;
/// The minimum weight of a miss, which bounds their number too.
const MIN_BYTES: u64 = MAX_BYTES / MAX_MISSES as u64;
/// The size of a cache entry without the text of its miss.
const ENTRY_OVERHEAD: usize = size_of::<(CacheMiss, Instant)>() + 64;

/// Stores misses until the budget allows one more refresh.
pub(crate) struct NegativeCache(Cache<CacheMiss, Instant, ByteWeighter>);

impl NegativeCache {
    pub(crate) fn new() -> Self {
        Self(Cache::with_weighter(MAX_MISSES, MAX_BYTES, ByteWeighter))
    }

    /// Whether a refresh did not find this either, less than [`TokenBucket::T6_PERIOD`] ago.
    pub(crate) fn contains(&self, miss: &CacheMiss) -> bool {
        self.0.get(miss).is_some_and(|since| since.elapsed() < TokenBucket::T6_PERIOD)
    }

    pub(crate) fn insert(&self, miss: CacheMiss) {
        self.0.insert(miss, Instant::now());
    }
}

impl fmt::Debug for NegativeCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NegativeCache")
            .field("misses", &self.0.len())
            .field("bytes", &self.0.weight())
            .finish()
    }
}

#[derive(Clone)]
struct ByteWeighter;

impl Weighter<CacheMiss, Instant> for ByteWeighter {
    fn weight(&self, miss: &CacheMiss, _: &Instant) -> u64 {
        let text = match miss {
            CacheMiss::Tenant(id) | CacheMiss::Signature(id) => id.as_str().len(),
            CacheMiss::Host(host) => host.host().len(),
        };
        u64::try_from(text + ENTRY_OVERHEAD).unwrap_or(u64::MAX).max(MIN_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use tapisservice_core::TenantId;

    use super::*;

    #[test]
    fn misses_are_bounded_in_number_and_in_bytes() {
        // As long as ids and hosts can be; a letter of an id may have four bytes.
        let id = |n: usize| CacheMiss::Tenant(TenantId::new(format!("{n:05}{}", "𝒳".repeat(250))).unwrap());
        let host = |n: usize| CacheMiss::Host(format!("{n:05}{}", "x".repeat(250)).parse().unwrap());
        let short = |n: usize| CacheMiss::Host(format!("{n}.test").parse().unwrap());
        let kinds: [(&dyn Fn(usize) -> CacheMiss, usize); 3] = [(&id, 500), (&host, 2000), (&short, 3500)];
        for (miss, at_least) in kinds {
            let cache = NegativeCache::new();
            (0..20_000).for_each(|n| cache.insert(miss(n)));
            let text = |n| match miss(n) {
                CacheMiss::Tenant(id) | CacheMiss::Signature(id) => id.as_str().len(),
                CacheMiss::Host(host) => host.host().len(),
            };
            let held: Vec<_> = (0..20_000).filter(|n| cache.contains(&miss(*n))).collect();
            assert!((at_least..=MAX_MISSES).contains(&held.len()), "{cache:?}");
            let bytes: usize = held.into_iter().map(text).sum();
            assert!(bytes < 1024 * 1024, "{bytes} bytes of text, {cache:?}");
        }
    }

    #[test]
    fn a_host_that_is_longer_than_any_is_no_miss() {
        let longest = "x".repeat(255);
        for (text, is_host) in [
            (longest.clone(), true),
            (format!("{longest}:65535"), true),
            (longest.to_uppercase(), true),
            (format!("{longest}x"), false),
            (format!("{longest}x:80"), false),
            ("x".repeat(60_000), false),
        ] {
            assert_eq!(text.parse::<crate::Authority>().is_ok(), is_host, "{} bytes", text.len());
        }
    }
}
