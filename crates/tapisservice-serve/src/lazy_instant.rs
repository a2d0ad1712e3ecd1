//! Points in time for which the clock is read only on demand.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use tokio::time::Instant;

/// A point in the life of a connection that becomes "now" when somebody first asks for it.
///
/// Most phases of a connection are over before anybody asks when they began, and reading the clock for each of them
/// would cost 2 % of the instructions of a small request. The connection asks each time it has nothing to do, so the error is the time
/// of one poll.
///
/// It is stored as nanoseconds after the start of the connection, because an `Instant` does not fit into an atomic.
#[derive(Debug)]
pub(super) struct LazyInstant(AtomicU64);

impl LazyInstant {
    const UNREAD: u64 = u64::MAX;

    /// The clock has not been read.
    pub(super) fn unread() -> Self {
        Self(AtomicU64::new(Self::UNREAD))
    }

    /// The start of the connection.
    pub(super) fn at_start() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Begins anew: the next [`get_or_now`](Self::get_or_now) reads the clock.
    pub(super) fn reset(&self) {
        self.0.store(Self::UNREAD, Relaxed);
    }

    /// The point in time; it is now if the clock has not been read.
    pub(super) fn get_or_now(&self, start: Instant) -> Instant {
        self.get(start).unwrap_or_else(|| {
            let now = Instant::now();
            let since = u64::try_from((now - start).as_nanos()).unwrap_or(Self::UNREAD);
            self.0.store(since, Relaxed);
            now
        })
    }

    /// The point in time, if the clock has been read.
    pub(super) fn get(&self, start: Instant) -> Option<Instant> {
        match self.0.load(Relaxed) {
            Self::UNREAD => None,
            since => Some(start + Duration::from_nanos(since)),
        }
    }
}
