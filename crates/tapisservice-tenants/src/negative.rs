//! What was looked for in vain a short while ago.

use quick_cache::sync::Cache;
use tokio::time::Instant;

use crate::Miss;
use crate::budget::REFILL;

/// How many misses are remembered; the oldest make room, so memory stays bounded (F09).
const CAPACITY: usize = 4096;

/// Remembers misses for as long as the budget needs for one more refresh.
#[derive(Debug)]
pub(crate) struct NegativeCache(Cache<Miss, Instant>);

impl NegativeCache {
    pub(crate) fn new() -> Self {
        Self(Cache::new(CAPACITY))
    }

    /// Whether a refresh looked for this in vain less than [`REFILL`] ago.
    pub(crate) fn holds(&self, miss: &Miss) -> bool {
        self.0.get(miss).is_some_and(|since| since.elapsed() < REFILL)
    }

    pub(crate) fn remember(&self, miss: Miss) {
        self.0.insert(miss, Instant::now());
    }
}
