//! Counters of the server, for metrics.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

/// The counters of one [`Server`](super::Server). All clones share them.
///
/// Reading takes no lock. Each counter is exact; two of them, read one after the other, may be from different moments.
#[derive(Clone, Debug, Default)]
pub struct ServerStats {
    counters: Arc<Counters>,
}

#[derive(Debug, Default)]
struct Counters {
    accepted: AtomicU64,
    accept_errors: AtomicU64,
    open: AtomicU64,
    closed: [AtomicU64; CloseReason::ALL.len()],
}

/// Why a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CloseReason {
    /// Both sides were done.
    Finished,
    /// The HTTP parser rejected the request (400, 414, 431).
    Refused,
    /// The connection broke, or the client left in the middle of a request.
    Broken,
    /// The headers did not arrive in time.
    HeaderTimeout,
    /// No further request came in time.
    IdleTimeout,
    /// The client did not read its response, or read it too slowly.
    WriteTimeout,
    /// It was idle while another connection waited for room.
    Evicted,
    /// The server stopped, and no request was in flight.
    Drained,
    /// The server stopped, and the request in flight was not finished at the deadline.
    Aborted,
    /// A panic that nothing caught.
    Panicked,
}

impl CloseReason {
    /// All reasons, in the order of declaration.
    pub const ALL: [Self; 10] = [
        Self::Finished,
        Self::Refused,
        Self::Broken,
        Self::HeaderTimeout,
        Self::IdleTimeout,
        Self::WriteTimeout,
        Self::Evicted,
        Self::Drained,
        Self::Aborted,
        Self::Panicked,
    ];

    /// The reason as the value of a metric's label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Refused => "refused",
            Self::Broken => "broken",
            Self::HeaderTimeout => "header_timeout",
            Self::IdleTimeout => "idle_timeout",
            Self::WriteTimeout => "write_timeout",
            Self::Evicted => "evicted",
            Self::Drained => "drained",
            Self::Aborted => "aborted",
            Self::Panicked => "panicked",
        }
    }
}

impl ServerStats {
    /// Connections taken from the listener so far.
    pub fn accepted(&self) -> u64 {
        self.counters.accepted.load(Relaxed)
    }

    /// Failures to accept so far, apart from those of the client. The usual cause is a lack of file descriptors or memory.
    pub fn accept_errors(&self) -> u64 {
        self.counters.accept_errors.load(Relaxed)
    }

    /// Connections being served now.
    pub fn open(&self) -> u64 {
        self.counters.open.load(Relaxed)
    }

    /// Connections that ended for this reason so far.
    pub fn closed(&self, reason: CloseReason) -> u64 {
        self.counters.closed[reason as usize].load(Relaxed)
    }

    pub(super) fn count_accepted(&self) {
        self.counters.accepted.fetch_add(1, Relaxed);
    }

    pub(super) fn count_accept_error(&self) {
        self.counters.accept_errors.fetch_add(1, Relaxed);
    }

    pub(super) fn count_closed(&self, reason: CloseReason) {
        self.counters.closed[reason as usize].fetch_add(1, Relaxed);
    }

    /// Counts a connection as open until the guard is dropped.
    pub(super) fn count_open(&self) -> OpenGuard {
        self.counters.open.fetch_add(1, Relaxed);
        OpenGuard(Arc::clone(&self.counters))
    }
}

pub(super) struct OpenGuard(Arc<Counters>);

impl Drop for OpenGuard {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_own_counter_and_label() {
        let stats = ServerStats::default();
        for (index, reason) in CloseReason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, index);
            stats.count_closed(reason);
            assert_eq!(stats.closed(reason), 1, "{}", reason.as_str());
        }
        let labels: std::collections::HashSet<_> = CloseReason::ALL.map(CloseReason::as_str).into();
        assert_eq!(labels.len(), CloseReason::ALL.len());
    }
}
