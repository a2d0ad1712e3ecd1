//! The token for one site. It is read without a lock, renewed in single flight, and kept while it is valid.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use http::HeaderValue;
use parking_lot::Mutex;
use tapisservice_core::SiteId;
use tapisservice_core::framework::{Backoff, TokenBucket, spread};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until};
use tokio_util::task::AbortOnDropHandle;
use tracing::{debug, info, warn};

use super::TokenReport;
use super::endpoint::{ServiceTokenError, TokenEndpoint};
use super::pair::ServiceToken;
use crate::ClientError;

/// The first pause after a failure; it doubles up to [`MAX_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const MAX_PAUSE: Duration = Duration::from_secs(10);

/// The service's token for one site.
pub(crate) struct SiteToken {
    site: SiteId,
    endpoint: Arc<dyn TokenEndpoint>,
    held: ArcSwapOption<ServiceToken>,
    /// Why the last attempt failed. Empty after a success.
    failure: ArcSwapOption<Failure>,
    backoff: Mutex<Backoff>,
    /// The renewal in flight: one at a time, for all callers.
    flight: Mutex<Option<Flight>>,
    renewal: Mutex<Option<AbortOnDropHandle<()>>>,
    changed: Arc<Notify>,
    /// How often tokens that look valid are renewed because a service rejected them.
    refusals: TokenBucket,
    counts: Counts,
}

type Outcome = Result<Arc<ServiceToken>, ServiceTokenError>;
type Flight = watch::Receiver<Option<Outcome>>;

#[derive(Debug)]
struct Failure {
    error: ServiceTokenError,
    retry_at: Instant,
}

#[derive(Debug, Default)]
struct Counts {
    created: AtomicU64,
    refreshed: AtomicU64,
    failed: AtomicU64,
}

/// What a caller of the single flight gets.
enum Joined {
    /// There is no need for a flight: the current token suffices.
    Current(Arc<ServiceToken>),
    Flight(Flight),
}

impl SiteToken {
    pub(crate) fn new(site: SiteId, endpoint: Arc<dyn TokenEndpoint>) -> Self {
        Self {
            site,
            endpoint,
            held: ArcSwapOption::empty(),
            failure: ArcSwapOption::empty(),
            backoff: Mutex::new(Backoff::new(FIRST_PAUSE, MAX_PAUSE)),
            flight: Mutex::default(),
            renewal: Mutex::default(),
            changed: Arc::default(),
            refusals: TokenBucket::of_rule_t6(),
            counts: Counts::default(),
        }
    }

    /// The token to send now. Waits only for the first token, or for one attempt when the old one has expired unnoticed. After a failed
    /// attempt it returns the error at once, until the background task has a token again (F12).
    pub(crate) async fn get(self: &Arc<Self>) -> Result<Arc<ServiceToken>, ClientError> {
        if let Some(held) = self.usable() {
            return Ok(held);
        }
        self.spawn_renewal();
        if let Some(failure) = self.failure.load_full() {
            // The background task is about to try again, unless its runtime is gone.
            if failure.retry_at <= Instant::now() {
                self.join(ServiceToken::is_usable);
            }
            return Err(failure.error.clone().into());
        }
        Ok(self.attempt(ServiceToken::is_usable).await?)
    }

    /// Renews the token after a 401, unless it has been renewed already. Returns whether the token differs from `refused` now. A receiver that
    /// rejects every token can cause only a few renewals.
    pub(crate) async fn renew_refused(self: &Arc<Self>, refused: &HeaderValue) -> Result<bool, ClientError> {
        let is_other = |held: &ServiceToken| held.is_usable() && held.header() != refused;
        if self.held.load().as_deref().is_some_and(is_other) {
            return Ok(true);
        }
        if !self.is_in_flight() && !self.refusals.take() {
            return Ok(false);
        }
        let held = self.attempt(is_other).await?;
        Ok(held.header() != refused)
    }

    /// Renews the token, or joins the renewal in flight, which continues when the caller stops waiting (F13).
    pub(crate) async fn renew(self: &Arc<Self>) {
        let due = |held: &ServiceToken| held.is_usable() && Instant::now() < held.renew_at();
        // A failure is stored, counted and logged where it happens.
        let _ = self.attempt(due).await;
    }

    /// When the background task tries next.
    fn next_attempt(&self) -> Instant {
        let failure = self.failure.load().as_ref().map(|failure| failure.retry_at);
        let due = || self.held.load().as_ref().map(|held| held.renew_at());
        failure.or_else(due).unwrap_or_else(Instant::now)
    }

    /// Notified when the token has changed or an attempt has failed.
    fn changed(&self) -> Arc<Notify> {
        self.changed.clone()
    }

    /// Starts the task that renews the token in the background, unless it runs.
    pub(crate) fn spawn_renewal(self: &Arc<Self>) {
        let mut task = self.renewal.lock();
        if task.as_ref().is_none_or(AbortOnDropHandle::is_finished) {
            *task = Some(AbortOnDropHandle::new(tokio::spawn(renew_until_dropped(Arc::downgrade(self)))));
        }
    }

    pub(crate) fn report(&self) -> TokenReport {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        TokenReport {
            site: self.site.clone(),
            usable_for: self.usable().map(|held| held.remaining()),
            failure: self.failure.load().as_ref().map(|failure| failure.error.clone()),
            created: count(&self.counts.created),
            refreshed: count(&self.counts.refreshed),
            failed: count(&self.counts.failed),
        }
    }

    fn usable(&self) -> Option<Arc<ServiceToken>> {
        self.held.load_full().filter(|held| held.is_usable())
    }

    fn is_in_flight(&self) -> bool {
        self.flight.lock().is_some()
    }

    async fn attempt(self: &Arc<Self>, suffices: impl Fn(&ServiceToken) -> bool) -> Outcome {
        let mut flight = match self.join(suffices) {
            Joined::Current(held) => return Ok(held),
            Joined::Flight(flight) => flight,
        };
        let outcome = flight.wait_for(Option::is_some).await.map(|outcome| outcome.clone());
        outcome
            .ok()
            .flatten()
            .unwrap_or_else(|| Err(ServiceTokenError::temporary("the renewal was interrupted")))
    }

    /// The current token if it suffices, else the renewal in flight, else a new one.
    fn join(self: &Arc<Self>, suffices: impl Fn(&ServiceToken) -> bool) -> Joined {
        let mut current = self.flight.lock();
        // Under the lock: a renewal may have ended since the caller checked.
        if let Some(held) = self.held.load_full().filter(|held| suffices(held)) {
            return Joined::Current(held);
        }
        if let Some(flight) = current.as_ref() {
            return Joined::Flight(flight.clone());
        }
        let (sender, flight) = watch::channel(None);
        *current = Some(flight.clone());
        // The guard is created here: a task that is dropped before it starts must clear the slot, too.
        let guard = FlightGuard(self.clone());
        tokio::spawn(async move {
            let outcome = guard.0.renew_once().await;
            let _ = sender.send(Some(outcome));
            drop(guard);
        });
        Joined::Flight(flight)
    }

    async fn renew_once(&self) -> Outcome {
        let outcome = self.refreshed_or_created().await.map(Arc::new);
        match &outcome {
            Ok(held) => self.succeeded(held),
            Err(error) => self.failed(error),
        }
        self.changed.notify_one();
        outcome
    }

    /// Uses the refresh token if there is one, and falls back to the password at once.
    async fn refreshed_or_created(&self) -> Result<ServiceToken, ServiceTokenError> {
        let held = self.held.load_full();
        if let Some(held) = held.filter(|held| held.refresh_token().is_some()) {
            match self.endpoint.refresh(&held).await {
                Ok(renewed) => {
                    self.counts.refreshed.fetch_add(1, Ordering::Relaxed);
                    return Ok(renewed);
                }
                Err(error) => {
                    debug!(site = %self.site, %error, "refresh token rejected; using the service password");
                }
            }
        }
        let created = self.endpoint.create(&self.site).await?;
        self.counts.created.fetch_add(1, Ordering::Relaxed);
        Ok(created)
    }

    fn succeeded(&self, held: &Arc<ServiceToken>) {
        self.held.store(Some(held.clone()));
        self.backoff.lock().reset();
        if self.failure.swap(None).is_some() {
            info!(site = %self.site, "service token obtained again");
        }
    }

    fn failed(&self, error: &ServiceTokenError) {
        self.counts.failed.fetch_add(1, Ordering::Relaxed);
        if self.failure.load().is_none() {
            warn!(site = %self.site, %error, "service token cannot be renewed; retrying");
        }
        let pause = spread(self.backoff.lock().next_pause());
        let failure = Failure { error: error.clone(), retry_at: Instant::now() + pause };
        self.failure.store(Some(Arc::new(failure)));
    }
}

/// Renews the token at 72 to 80 % of its life, and after a failure as often as the back-off allows, until the token is dropped.
async fn renew_until_dropped(token: Weak<SiteToken>) {
    while let Some(held) = token.upgrade() {
        let (next, changed) = (held.next_attempt(), held.changed());
        if next <= Instant::now() {
            held.renew().await;
            continue;
        }
        drop(held);
        tokio::select! {
            () = sleep_until(next) => {}
            () = changed.notified() => {}
        }
    }
}

/// Ends the flight, also one that panics. A panic counts as a failure, or the background task would try again without a pause.
struct FlightGuard(Arc<SiteToken>);

impl Drop for FlightGuard {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.failed(&ServiceTokenError::temporary("the renewal panicked"));
        }
        *self.0.flight.lock() = None;
    }
}

impl fmt::Debug for SiteToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SiteToken").field("state", &self.report()).finish_non_exhaustive()
    }
}
