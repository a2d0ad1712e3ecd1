//! Circuit breakers: calls to a failing service are rejected for a while, without being sent.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use http::Extensions;
use parking_lot::Mutex;
use reqwest::{Request, Response};
use reqwest_middleware::{Error, Middleware, Next, Result};
use tokio::time::Instant;

use super::Failed;
use crate::ClientError;

/// The state of a circuit breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BreakerState {
    /// All calls are sent.
    Closed,
    /// All calls are rejected.
    Open,
    /// One call is sent. Its outcome closes the breaker or opens it again.
    HalfOpen,
}

/// The state and counters of a circuit breaker, for readiness and metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BreakerReport {
    /// The site.
    pub site: String,
    /// The service.
    pub service: String,
    /// Its state.
    pub state: BreakerState,
    /// How many calls in a row have failed.
    pub failures: u32,
    /// How often it has opened.
    pub opened: u64,
    /// How many calls it has rejected.
    pub rejected: u64,
    /// How long until it sends a call again; `None` while it is closed.
    pub retry_after: Option<Duration>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Thresholds {
    /// How many failures in a row open the breaker; 0 for never.
    pub(super) failures: u32,
    /// For how long it stays open.
    pub(super) pause: Duration,
}

/// The breakers of a transport, one for each site and service.
pub(super) struct Breakers {
    thresholds: Thresholds,
    all: Mutex<BTreeMap<(String, String), Arc<Breaker>>>,
}

impl Breakers {
    pub(super) fn new(thresholds: Thresholds) -> Self {
        Self { thresholds, all: Mutex::default() }
    }

    pub(super) fn of(&self, site: &str, service: &str) -> Arc<Breaker> {
        let mut all = self.all.lock();
        let key = (site.to_owned(), service.to_owned());
        let new = || Arc::new(Breaker::new(site, service, self.thresholds));
        Arc::clone(all.entry(key).or_insert_with(new))
    }

    pub(super) fn report(&self) -> Vec<BreakerReport> {
        self.all.lock().values().map(|breaker| breaker.report()).collect()
    }
}

pub(super) struct Breaker {
    site: String,
    service: String,
    thresholds: Thresholds,
    memory: Mutex<Memory>,
}

struct Memory {
    phase: Phase,
    failures: u32,
    opened: u64,
    rejected: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Closed,
    Open { until: Instant },
    Probing,
}

/// A permit for one call. Dropped without an outcome it changes nothing: a cancelled call says nothing about the service.
struct Permit<'a> {
    breaker: &'a Breaker,
    probe: bool,
    used: bool,
}

impl Breaker {
    fn new(site: &str, service: &str, thresholds: Thresholds) -> Self {
        let memory = Memory { phase: Phase::Closed, failures: 0, opened: 0, rejected: 0 };
        Self { site: site.to_owned(), service: service.to_owned(), thresholds, memory: memory.into() }
    }

    /// A permit, or how long there is none.
    fn admit(&self) -> std::result::Result<Permit<'_>, Duration> {
        let mut memory = self.memory.lock();
        let now = Instant::now();
        let probe = match memory.phase {
            Phase::Closed => false,
            Phase::Open { until } if until <= now => true,
            phase => {
                memory.rejected += 1;
                return Err(self.remaining(phase, now));
            }
        };
        if probe {
            memory.phase = Phase::Probing;
        }
        Ok(Permit { breaker: self, probe, used: false })
    }

    fn remaining(&self, phase: Phase, now: Instant) -> Duration {
        match phase {
            Phase::Closed => Duration::ZERO,
            Phase::Open { until } => until.saturating_duration_since(now),
            // The probe ends soon; if it fails, the next one may be sent after this time.
            Phase::Probing => self.thresholds.pause,
        }
    }

    fn succeeded(&self, probe: bool) {
        let mut memory = self.memory.lock();
        // A call that was sent before the breaker opened does not close it.
        if memory.phase == Phase::Closed || probe {
            memory.failures = 0;
            memory.phase = Phase::Closed;
        }
        if probe {
            tracing::info!(site = self.site, service = self.service, "circuit breaker closed");
        }
    }

    fn failed(&self, probe: bool) {
        let mut memory = self.memory.lock();
        if memory.phase != Phase::Closed && !probe {
            return;
        }
        memory.failures = memory.failures.saturating_add(1);
        let enough = self.thresholds.failures > 0 && memory.failures >= self.thresholds.failures;
        if !probe && !enough {
            return;
        }
        memory.phase = Phase::Open { until: Instant::now() + self.thresholds.pause };
        memory.opened += 1;
        if !probe {
            let (site, service) = (&self.site, &self.service);
            tracing::warn!(site, service, "circuit breaker opened");
        }
    }

    fn report(&self) -> BreakerReport {
        let memory = self.memory.lock();
        let now = Instant::now();
        BreakerReport {
            site: self.site.clone(),
            service: self.service.clone(),
            state: match memory.phase {
                Phase::Closed => BreakerState::Closed,
                Phase::Open { until } if until > now => BreakerState::Open,
                Phase::Open { .. } | Phase::Probing => BreakerState::HalfOpen,
            },
            failures: memory.failures,
            opened: memory.opened,
            rejected: memory.rejected,
            retry_after: (memory.phase != Phase::Closed).then(|| self.remaining(memory.phase, now)),
        }
    }
}

impl Permit<'_> {
    fn settle(mut self, outcome: Outcome) {
        match outcome {
            Outcome::Success => self.breaker.succeeded(self.probe),
            Outcome::Failure => self.breaker.failed(self.probe),
            Outcome::Unknown => return,
        }
        self.used = true;
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if self.probe && !self.used {
            self.breaker.memory.lock().phase = Phase::Open { until: Instant::now() };
        }
    }
}

/// What a call says about the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Success,
    Failure,
    /// Nothing: the call failed locally.
    Unknown,
}

impl Outcome {
    /// Connection errors, timeouts and 502, 503, 504 are failures. A 4xx is a success, and so is a 500: one operation may be broken while
    /// the others work.
    fn of(outcome: &Result<Response>) -> Self {
        match outcome {
            Ok(response) if matches!(response.status().as_u16(), 502..=504) => Self::Failure,
            Ok(_) => Self::Success,
            Err(Error::Reqwest(e)) if e.is_connect() || e.is_request() || e.is_timeout() => Self::Failure,
            Err(Error::Reqwest(_)) => Self::Unknown,
            Err(Error::Middleware(any)) => match any.downcast_ref() {
                Some(ClientError::Connection { .. }) => Self::Failure,
                Some(ClientError::InvalidResponse { .. }) => Self::Success,
                _ => Self::Unknown,
            },
        }
    }
}

/// The middleware that asks the breaker before a call and reports the outcome.
pub(super) struct CircuitBreaker(pub(super) Arc<Breaker>);

#[async_trait::async_trait]
impl Middleware for CircuitBreaker {
    async fn handle(&self, req: Request, extensions: &mut Extensions, next: Next<'_>) -> Result<Response> {
        let permit = self.0.admit().map_err(|retry_after| {
            let (site, service) = (self.0.site.clone(), self.0.service.clone());
            ClientError::CircuitOpen { site, service, retry_after }.failed()
        })?;
        let outcome = next.run(req, extensions).await;
        permit.settle(Outcome::of(&outcome));
        outcome
    }
}

#[cfg(test)]
mod tests;
