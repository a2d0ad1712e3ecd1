//! Circuit breakers: a service that does not answer is left alone for a while.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// What a circuit breaker lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BreakerState {
    /// Everything.
    Closed,
    /// Nothing.
    Open,
    /// One call, which decides what comes next.
    HalfOpen,
}

/// What a circuit breaker knows: for readiness and metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BreakerReport {
    /// The site.
    pub site: String,
    /// The service.
    pub service: String,
    /// What is let through.
    pub state: BreakerState,
    /// How many calls in a row have failed.
    pub failures: u32,
    /// How often it has opened.
    pub opened: u64,
    /// How many calls it has held back.
    pub held_back: u64,
    /// How long until it lets a call through again.
    pub retry_after: Option<Duration>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Thresholds {
    /// How many failures in a row open it; 0 for never.
    pub(super) failures: u32,
    /// For how long.
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
        let mut all = lock(&self.all);
        let key = (site.to_owned(), service.to_owned());
        let new = || Arc::new(Breaker::new(site, service, self.thresholds));
        Arc::clone(all.entry(key).or_insert_with(new))
    }

    pub(super) fn report(&self) -> Vec<BreakerReport> {
        lock(&self.all).values().map(|breaker| breaker.report()).collect()
    }
}

pub(super) struct Breaker {
    pub(super) site: String,
    pub(super) service: String,
    thresholds: Thresholds,
    memory: Mutex<Memory>,
}

struct Memory {
    phase: Phase,
    failures: u32,
    opened: u64,
    held_back: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Closed,
    Open { until: Instant },
    Probing,
}

/// Leave to make one call. Dropped without an outcome it leaves things as they were: a call that was cancelled says nothing.
pub(super) struct Permit<'a> {
    breaker: &'a Breaker,
    probe: bool,
    used: bool,
}

impl Breaker {
    fn new(site: &str, service: &str, thresholds: Thresholds) -> Self {
        let memory = Memory { phase: Phase::Closed, failures: 0, opened: 0, held_back: 0 };
        Self { site: site.to_owned(), service: service.to_owned(), thresholds, memory: memory.into() }
    }

    /// Leave to call, or how long there is none.
    pub(super) fn admit(&self) -> Result<Permit<'_>, Duration> {
        let mut memory = lock(&self.memory);
        let now = Instant::now();
        let probe = match memory.phase {
            Phase::Closed => false,
            Phase::Open { until } if until <= now => true,
            phase => {
                memory.held_back += 1;
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
            // The probe decides soon; if it fails, this is when the next one may come.
            Phase::Probing => self.thresholds.pause,
        }
    }

    fn succeeded(&self, probe: bool) {
        let mut memory = lock(&self.memory);
        // The answer to a call from before it opened does not close it.
        if memory.phase == Phase::Closed || probe {
            memory.failures = 0;
            memory.phase = Phase::Closed;
        }
        if probe {
            tracing::info!(site = self.site, service = self.service, "the service answers again");
        }
    }

    fn failed(&self, probe: bool) {
        let mut memory = lock(&self.memory);
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
            tracing::warn!(site, service, "the service does not answer; calls are held back");
        }
    }

    fn report(&self) -> BreakerReport {
        let memory = lock(&self.memory);
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
            held_back: memory.held_back,
            retry_after: (memory.phase != Phase::Closed).then(|| self.remaining(memory.phase, now)),
        }
    }
}

impl Permit<'_> {
    pub(super) fn settle(mut self, outcome: Outcome) {
        match outcome {
            Outcome::Answered => self.breaker.succeeded(self.probe),
            Outcome::Failed => self.breaker.failed(self.probe),
            Outcome::Nothing => return,
        }
        self.used = true;
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if self.probe && !self.used {
            lock(&self.breaker.memory).phase = Phase::Open { until: Instant::now() };
        }
    }
}

/// What an outcome says about the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Answered,
    Failed,
    /// It failed on this side.
    Nothing,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaker() -> Breaker {
        Breaker::new("tacc", "systems", Thresholds { failures: 3, pause: Duration::from_secs(10) })
    }

    fn call(breaker: &Breaker, outcome: Outcome) -> bool {
        breaker.admit().map(|permit| permit.settle(outcome)).is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn it_opens_after_failures_in_a_row_and_closes_by_one_call_that_works() {
        let breaker = breaker();
        for outcome in
            [Outcome::Failed, Outcome::Failed, Outcome::Answered, Outcome::Failed, Outcome::Nothing]
        {
            assert!(call(&breaker, outcome));
        }
        assert_eq!(breaker.report().state, BreakerState::Closed);
        assert!(call(&breaker, Outcome::Failed) && call(&breaker, Outcome::Failed));
        let report = breaker.report();
        assert_eq!((report.state, report.opened), (BreakerState::Open, 1));
        assert_eq!(breaker.admit().err(), Some(Duration::from_secs(10)));

        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(breaker.report().state, BreakerState::HalfOpen);
        let probe = breaker.admit().unwrap();
        assert!(breaker.admit().is_err(), "one call at a time tries");
        probe.settle(Outcome::Failed);
        assert_eq!(breaker.report().state, BreakerState::Open);

        tokio::time::advance(Duration::from_secs(10)).await;
        assert!(call(&breaker, Outcome::Answered));
        let report = breaker.report();
        let expected = (BreakerState::Closed, 0, 2, 2, None);
        assert_eq!(
            (report.state, report.failures, report.opened, report.held_back, report.retry_after),
            expected
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_cancelled_probe_leaves_the_next_call_to_try() {
        let breaker = breaker();
        (0..3).for_each(|_| assert!(call(&breaker, Outcome::Failed)));
        tokio::time::advance(Duration::from_secs(11)).await;
        drop(breaker.admit().unwrap());
        assert!(call(&breaker, Outcome::Answered));
        assert_eq!(breaker.report().state, BreakerState::Closed);
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_answer_neither_closes_nor_prolongs_an_open_one() {
        let breaker = breaker();
        let late: Vec<_> = (0..2).map(|_| breaker.admit().unwrap()).collect();
        (0..3).for_each(|_| assert!(call(&breaker, Outcome::Failed)));
        tokio::time::advance(Duration::from_secs(5)).await;
        for (permit, outcome) in late.into_iter().zip([Outcome::Answered, Outcome::Failed]) {
            permit.settle(outcome);
        }
        assert_eq!(breaker.admit().err(), Some(Duration::from_secs(5)));
    }

    #[tokio::test(start_paused = true)]
    async fn each_site_and_service_has_its_own() {
        let breakers = Breakers::new(Thresholds { failures: 1, pause: Duration::from_secs(10) });
        assert!(call(&breakers.of("tacc", "systems"), Outcome::Failed));
        assert!(breakers.of("tacc", "systems").admit().is_err());
        assert!(breakers.of("tacc", "files").admit().is_ok());
        assert!(breakers.of("uh", "systems").admit().is_ok());
        assert_eq!(breakers.report().len(), 3);
    }
}
