//! The tenant cache: a snapshot that requests read without a lock, replaced by one refresh at a time.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use parking_lot::Mutex;
use tapisservice_core::TenantId;
use tapisservice_core::framework::{Backoff, TokenBucket, spread};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing::debug;

use crate::negative::NegativeCache;
use crate::{Authority, ExtendTenant, Registry, SourceError, TenantSource, TenantsSettings};

/// The first pause after a failed refresh; it doubles up to [`MAX_DELAY`] (rule T7, F01).
const MIN_DELAY: Duration = Duration::from_millis(250);
const MAX_DELAY: Duration = Duration::from_secs(10);
/// Also where code sets less than the schema allows.
const MIN_PERIOD: Duration = Duration::from_secs(1);

/// All tenants and sites, refreshed in the background. Cheap to clone: all clones share one cache.
///
/// Requests read the current [`snapshot`](Self::snapshot) without a lock. What they do not find there may be new: see
/// [`refresh_on_miss`](Self::refresh_on_miss).
#[derive(Clone)]
pub struct TenantCache(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) source: Box<dyn TenantSource>,
    pub(crate) extension: Option<Box<dyn ExtendTenant>>,
    pub(crate) snapshot: ArcSwapOption<Registry>,
    pub(crate) failure: ArcSwap<Option<String>>,
    settings: TenantsSettings,
    running: Mutex<Option<watch::Receiver<Option<Outcome>>>>,
    /// How many refreshes requests may cause (rule T6).
    budget: TokenBucket,
    negative: NegativeCache,
}

type Outcome = Result<(), SourceError>;

/// A lookup that the snapshot does not answer, though the registry may by now.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CacheMiss {
    /// A tenant id (rules A5 and O4).
    Tenant(TenantId),
    /// A Host (rule H2).
    Host(Authority<'static>),
    /// A signature that the cached key of a tenant does not verify: the key may have been rotated (rule A6).
    Signature(TenantId),
}

/// The state of the cache, for readiness.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CacheState {
    /// No registry has been loaded yet, with the error of the last attempt.
    Empty(Option<String>),
    /// A registry is loaded.
    Filled {
        /// The number of tenants.
        tenants: usize,
        /// Why the last refresh failed, if it did.
        last_failure: Option<String>,
    },
}

/// Builds a [`TenantCache`].
#[must_use]
pub struct TenantCacheBuilder {
    source: Box<dyn TenantSource>,
    extension: Option<Box<dyn ExtendTenant>>,
    settings: TenantsSettings,
}

impl TenantCacheBuilder {
    /// Attaches data of the service to each tenant.
    pub fn extend_tenant(mut self, extension: impl ExtendTenant) -> Self {
        self.extension = Some(Box::new(extension));
        self
    }

    /// Replaces the default settings.
    pub fn settings(mut self, settings: TenantsSettings) -> Self {
        self.settings = settings;
        self
    }

    /// Builds the cache, which is empty: see [`TenantCache::refresh`] and [`TenantCache::spawn_refresh`].
    pub fn build(self) -> TenantCache {
        TenantCache(Arc::new(Inner {
            source: self.source,
            extension: self.extension,
            settings: self.settings,
            snapshot: ArcSwapOption::empty(),
            failure: ArcSwap::from_pointee(None),
            running: Mutex::default(),
            budget: TokenBucket::of_rule_t6(),
            negative: NegativeCache::new(),
        }))
    }
}

impl TenantCache {
    /// Returns a builder for a cache over `source`.
    pub fn builder(source: impl TenantSource) -> TenantCacheBuilder {
        TenantCacheBuilder { source: Box::new(source), extension: None, settings: TenantsSettings::default() }
    }

    /// The tenants and sites as last loaded; `None` before the first load (rule T7).
    pub fn snapshot(&self) -> Option<Arc<Registry>> {
        self.0.snapshot.load_full()
    }

    /// Calls `f` with the [`snapshot`](Self::snapshot) without cloning it. Keep `f` short: the snapshot stays in memory
    /// until it returns.
    pub fn with_snapshot<R>(&self, f: impl FnOnce(Option<&Arc<Registry>>) -> R) -> R {
        f(self.0.snapshot.load().as_ref())
    }

    /// The state of the cache.
    pub fn state(&self) -> CacheState {
        let last_failure = (**self.0.failure.load()).clone();
        match self.snapshot() {
            Some(registry) => CacheState::Filled { tenants: registry.tenants().len(), last_failure },
            None => CacheState::Empty(last_failure),
        }
    }

    /// Loads the registry now. Concurrent callers share one load (rule T6), which continues
    /// when they stop waiting.
    ///
    /// # Errors
    ///
    /// When the source fails. The snapshot is unchanged.
    pub async fn refresh(&self) -> Result<(), SourceError> {
        let mut done = self.join_or_start();
        let outcome = done.wait_for(Option::is_some).await.map(|o| o.clone());
        outcome.ok().flatten().unwrap_or_else(|| Err(SourceError::new("the refresh was aborted")))
    }

    /// Refreshes the registry for a cache miss, if that may help (rule T6): not if a recent refresh did not find it
    /// either, and for all requests together at most twice in a burst and then once per 30 s. Returns whether there
    /// is a newer snapshot.
    pub async fn refresh_on_miss(&self, miss: &CacheMiss) -> bool {
        if self.0.negative.contains(miss) {
            return false;
        }
        if !self.is_refreshing() && !self.0.budget.take() {
            return false;
        }
        let refreshed = self.refresh().await;
        let found = refreshed.is_ok() && self.snapshot().is_some_and(|registry| resolves(&registry, miss));
        if !found {
            self.0.negative.insert(miss.clone());
        }
        refreshed.is_ok()
    }

    /// Refreshes in the background for as long as the returned task lives: at once, then every `tenants_refresh_seconds`;
    /// after a failure with a back-off of at most 10 s. Each wait is up to a tenth shorter, by chance.
    pub fn spawn_refresh(&self) -> JoinHandle<()> {
        let cache = self.clone();
        tokio::spawn(async move {
            let period = cache.0.settings.tenants_refresh_seconds.duration().max(MIN_PERIOD);
            let mut backoff = Backoff::new(MIN_DELAY, MAX_DELAY);
            loop {
                let outcome = cache.refresh().await;
                if let Err(reason) = &outcome {
                    debug!(%reason, "tenant registry refresh failed");
                }
                let wait = if outcome.is_ok() {
                    backoff.reset();
                    period
                } else {
                    backoff.next_pause().min(period)
                };
                // Replicas that were started together must not keep querying the registry at the same time.
                tokio::time::sleep(spread(wait)).await;
            }
        })
    }

    fn is_refreshing(&self) -> bool {
        let running = self.0.running.lock();
        running.as_ref().is_some_and(is_under_way)
    }

    fn join_or_start(&self) -> watch::Receiver<Option<Outcome>> {
        let mut running = self.0.running.lock();
        if let Some(done) = running.as_ref().filter(|done| is_under_way(done)) {
            return done.clone();
        }
        let (report, done) = watch::channel(None);
        *running = Some(done.clone());
        let inner = self.0.clone();
        tokio::spawn(async move {
            let outcome = inner.refresh_once().await;
            let _ = report.send(Some(outcome));
        });
        done
    }
}

/// Whether the refresh has yet to report. One whose task panicked never will.
fn is_under_way(done: &watch::Receiver<Option<Outcome>>) -> bool {
    done.borrow().is_none() && done.has_changed().is_ok()
}

impl fmt::Debug for TenantCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TenantCache")
            .field("source", &self.0.source.describe())
            .field("state", &self.state())
            .finish()
    }
}

fn resolves(registry: &Registry, miss: &CacheMiss) -> bool {
    match miss {
        CacheMiss::Tenant(id) => registry.tenant(id.as_str()).is_some(),
        CacheMiss::Host(host) => registry.tenant_by_host(host).is_some(),
        // Only the caller can check the new key; a signature miss is limited by the budget alone.
        CacheMiss::Signature(_) => true,
    }
}
