//! Moments that are looked up on the clock only when somebody wants to know.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use tokio::time::Instant;

/// A moment in the life of a connection, or one that the clock is still to be asked for: most are over before anybody wants to know.
/// Reading the clock each time costs 2 % of the instructions of a small request.
#[derive(Debug)]
pub(super) struct Moment(AtomicU64);

impl Moment {
    const UNKNOWN: u64 = u64::MAX;

    pub(super) fn unknown() -> Self {
        Self::at(Self::UNKNOWN)
    }

    /// So long after the start of the connection.
    pub(super) fn at(nanoseconds: u64) -> Self {
        Self(AtomicU64::new(nanoseconds))
    }

    pub(super) fn forget(&self) {
        self.0.store(Self::UNKNOWN, Relaxed);
    }

    /// The moment; it is now, unless it is known already.
    pub(super) fn known(&self, start: Instant) -> Instant {
        self.if_known(start).unwrap_or_else(|| {
            let now = Instant::now();
            let since = u64::try_from((now - start).as_nanos()).unwrap_or(Self::UNKNOWN);
            self.0.store(since, Relaxed);
            now
        })
    }

    /// The moment, if anybody asked for it.
    pub(super) fn if_known(&self, start: Instant) -> Option<Instant> {
        match self.0.load(Relaxed) {
            Self::UNKNOWN => None,
            since => Some(start + Duration::from_nanos(since)),
        }
    }
}
