//! Rules T3 to T7 of the cache, on a paused clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::records::{ListResponses, data, tenant};
use tapisservice_core::{Seconds, TenantId};
use tapisservice_tenants::{
    BoxFuture, CacheMiss, CacheState, ExtendTenant, ExtensionError, RegistryData, SourceError, Tenant,
    TenantCache, TenantSource, TenantsSettings,
};
use tokio::sync::watch;

/// A source that returns what a test sets, after the delay of its choice, and counts the fetches.
#[derive(Clone)]
struct Scripted {
    response: watch::Sender<(Result<RegistryData, SourceError>, Duration)>,
    fetches: Arc<AtomicUsize>,
}

impl Scripted {
    fn new(response: Result<RegistryData, SourceError>) -> Self {
        Self { response: watch::Sender::new((response, Duration::ZERO)), fetches: Arc::default() }
    }

    fn failing() -> Self {
        Self::new(Err(SourceError::new("down")))
    }

    fn set(&self, response: Result<RegistryData, SourceError>, delay: Duration) {
        drop(self.response.send_replace((response, delay)));
    }

    fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }
}

impl TenantSource for Scripted {
    fn fetch(&self) -> BoxFuture<'_, Result<RegistryData, SourceError>> {
        self.fetches.fetch_add(1, Ordering::SeqCst);
        let (response, delay) = self.response.borrow().clone();
        Box::pin(async move {
            tokio::time::sleep(delay).await;
            response
        })
    }

    fn describe(&self) -> String {
        "a script".to_owned()
    }
}

fn miss(id: &str) -> CacheMiss {
    CacheMiss::Tenant(TenantId::new(id).unwrap())
}

fn with_late() -> ListResponses {
    let mut data = data();
    data.tenants.push(tenant("late", "tacc", "https://late.tapis.test"));
    data
}

#[tokio::test(start_paused = true)]
async fn a_thousand_requests_for_one_unknown_tenant_cost_one_fetch() {
    let source = Scripted::new(Ok(data().into()));
    let cache = TenantCache::builder(source.clone()).build();
    cache.refresh().await.unwrap();
    source.set(Ok(with_late().into()), Duration::from_secs(1));
    let waiting: Vec<_> = (0..1000)
        .map(|_| {
            let cache = cache.clone();
            tokio::spawn(async move { cache.refresh_on_miss(&miss("late")).await })
        })
        .collect();
    for request in waiting {
        assert!(request.await.unwrap());
    }
    assert_eq!(source.fetches(), 2);
    assert!(cache.snapshot().unwrap().tenant("late").is_some());
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_unknown_tenants_cost_the_burst_and_one_fetch_per_thirty_seconds() {
    let source = Scripted::new(Ok(data().into()));
    let cache = TenantCache::builder(source.clone()).build();
    cache.refresh().await.unwrap();
    for i in 0..10_000 {
        cache.refresh_on_miss(&miss(&format!("nosuch{i}"))).await;
    }
    assert_eq!(source.fetches(), 1 + 2);
    tokio::time::advance(Duration::from_secs(30)).await;
    for i in 0..100 {
        cache.refresh_on_miss(&miss(&format!("nosuch{i}x"))).await;
    }
    assert_eq!(source.fetches(), 1 + 2 + 1);
}

#[tokio::test(start_paused = true)]
async fn what_was_missed_a_moment_ago_is_looked_for_again_only_after_thirty_seconds() {
    let source = Scripted::new(Ok(data().into()));
    let cache = TenantCache::builder(source.clone()).build();
    cache.refresh().await.unwrap();
    for _ in 0..10 {
        cache.refresh_on_miss(&miss("late")).await;
    }
    assert_eq!(source.fetches(), 2);
    source.set(Ok(with_late().into()), Duration::ZERO);
    tokio::time::advance(Duration::from_secs(31)).await;
    assert!(cache.refresh_on_miss(&miss("late")).await);
    assert!(cache.snapshot().unwrap().tenant("late").is_some());
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_goes_away_does_not_stop_the_refresh_of_the_others() {
    let source = Scripted::new(Ok(data().into()));
    source.set(Ok(data().into()), Duration::from_secs(3));
    let cache = TenantCache::builder(source.clone()).build();
    let (first, second) = (
        tokio::spawn({
            let c = cache.clone();
            async move { c.refresh().await }
        }),
        cache.clone(),
    );
    tokio::time::sleep(Duration::from_secs(1)).await;
    first.abort();
    second.refresh().await.unwrap();
    assert_eq!(source.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn known_tenants_stay_known_for_a_day_of_failures() {
    let source = Scripted::new(Ok(data().into()));
    let cache = TenantCache::builder(source.clone()).build();
    let task = cache.spawn_refresh();
    tokio::time::sleep(Duration::from_secs(1)).await;
    for response in [Err(SourceError::new("down")), Ok(RegistryData::default())] {
        source.set(response, Duration::ZERO);
        for _ in 0..12 {
            tokio::time::sleep(Duration::from_hours(1)).await;
            assert!(cache.snapshot().unwrap().tenant("tacc").is_some());
        }
    }
    assert!(matches!(cache.state(), CacheState::Filled { tenants: 4, last_failure: Some(_), .. }));
    task.abort();
}

#[tokio::test(start_paused = true)]
async fn a_registry_that_is_down_at_start_is_found_within_thirty_seconds_of_its_return() {
    let source = Scripted::failing();
    let cache = TenantCache::builder(source.clone()).build();
    let task = cache.spawn_refresh();
    tokio::time::sleep(Duration::from_mins(10)).await;
    assert_eq!(cache.state(), CacheState::Empty(Some("down".to_owned())));
    assert!(source.fetches() >= 600 / 10 && source.fetches() < 80, "{} fetches", source.fetches());
    source.set(Ok(data().into()), Duration::ZERO);
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert!(cache.snapshot().is_some());
    task.abort();
}

#[tokio::test(start_paused = true)]
async fn the_periodic_refresh_keeps_its_period_and_costs_requests_nothing() {
    let source = Scripted::new(Ok(data().into()));
    let mut settings = TenantsSettings::default();
    settings.tenants_refresh_seconds = Seconds::new(60);
    let cache = TenantCache::builder(source.clone()).settings(settings).build();
    let task = cache.spawn_refresh();
    tokio::time::sleep(Duration::from_secs(60 * 10 - 1)).await;
    // Each wait is 54 to 60 s.
    assert!((10..=12).contains(&source.fetches()), "{} fetches", source.fetches());
    assert!(cache.refresh_on_miss(&miss("nosuch")).await, "the budget is untouched");
    task.abort();
}

/// Rule T3: a request that took the snapshot works with it to its end, and the next request has the new one whole.
#[tokio::test]
async fn a_snapshot_in_use_stays_whole_while_a_refresh_swaps_in_the_next() {
    let source = Scripted::new(Ok(data().into()));
    let cache = TenantCache::builder(source.clone()).build();
    cache.refresh().await.unwrap();
    let (before, again) = (cache.snapshot().unwrap(), cache.snapshot().unwrap());
    assert!(Arc::ptr_eq(&before, &again), "a lookup copies nothing");

    source.set(Ok(with_late().into()), Duration::ZERO);
    cache.refresh().await.unwrap();
    let after = cache.snapshot().unwrap();
    assert!(before.tenant("late").is_none() && before.tenant("tacc").is_some());
    assert!(after.tenant("late").is_some() && after.tenant("tacc").is_some());
    assert!(after.tenant_by_host(&"late.tapis.test".parse().unwrap()).is_some());
}

#[derive(Clone, Debug, PartialEq)]
struct Directory(String);

struct OnlyGood;

impl ExtendTenant for OnlyGood {
    fn extend<'a>(
        &'a self,
        tenant: &'a Tenant,
        extensions: &'a mut http::Extensions,
    ) -> BoxFuture<'a, Result<(), ExtensionError>> {
        Box::pin(async move {
            match tenant.tenant_id().as_str() {
                "uh" => Err("no directory".into()),
                "adminuh" => std::future::pending().await,
                id => {
                    extensions.insert(Directory(id.to_owned()));
                    Ok(())
                }
            }
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_tenant_that_cannot_be_extended_does_not_stop_the_others() {
    let cache = TenantCache::builder(Scripted::new(Ok(data().into()))).extend_tenant(OnlyGood).build();
    cache.refresh().await.unwrap();
    let registry = cache.snapshot().unwrap();
    assert_eq!(registry.tenant("tacc").unwrap().extension(), Some(&Directory("tacc".to_owned())));
    assert!(registry.tenant("uh").is_none() && registry.tenant("adminuh").is_none());
    assert!(registry.tenant_by_host(&"uh.hawaii.test".parse().unwrap()).is_none());
    assert!(registry.warnings().iter().any(|w| w.contains("uh could not be extended: no directory")));
}

struct Panics(AtomicUsize);

impl TenantSource for Panics {
    fn fetch(&self) -> BoxFuture<'_, Result<RegistryData, SourceError>> {
        assert!(self.0.fetch_add(1, Ordering::SeqCst) > 0, "the first fetch panics");
        Box::pin(async { Ok(data().into()) })
    }

    fn describe(&self) -> String {
        "a source that panics".to_owned()
    }
}

#[tokio::test]
async fn a_refresh_that_panics_is_over_and_the_next_one_works() {
    let cache = TenantCache::builder(Panics(AtomicUsize::new(0))).build();
    assert!(cache.refresh().await.is_err());
    cache.refresh().await.unwrap();
}

#[tokio::test]
async fn the_last_tenant_that_is_closed_is_refused_from_then_on_and_the_cache_can_answer() {
    let source = Scripted::new(Ok(data().into()));
    let cache = TenantCache::builder(source.clone()).build();
    cache.refresh().await.unwrap();
    let mut closed = data();
    closed.tenants.iter_mut().for_each(|tenant| tenant["status"] = "inactive".into());
    source.set(Ok(closed.into()), Duration::ZERO);
    cache.refresh().await.unwrap();
    assert_eq!(cache.state(), CacheState::Filled { tenants: 0, last_failure: None });
    assert!(cache.snapshot().unwrap().tenant("tacc").is_none());
}
