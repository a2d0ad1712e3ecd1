//! How fast a client reads its response, counted only while the server has to wait for it.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use crossbeam_utils::atomic::AtomicCell;
use tokio::time::Instant;

use super::{Limits, lazy_instant::LazyInstant};

/// The minimum rate applies after this much waiting.
pub(super) const GRACE: Duration = Duration::from_secs(5);
/// The bytes that the kernel may keep for the client before a write has to wait ([`Server`](super::Server) sets it,
/// `TCP_NOTSENT_LOWAT`). By default it keeps a megabyte, and takes nothing more until a third of it has left: a client that reads
/// slowly and steadily would look like one that does not read.
pub(super) const UNSENT: u32 = 16 * 1024;

/// Measures one response after the other.
// The kernel takes the beginning of a response at once, which says nothing about the client. So bytes and time count from the
// first write that has to wait, and a response that leaves at once never reads the clock. How much of the last `UNSENT` bytes
// the client has read does not show until the kernel takes more, so they count as read.
#[derive(Debug)]
pub(super) struct Pace {
    writes: AtomicCell<Writes>,
    /// While a write waits: since when, or since the last progress.
    since: LazyInstant,
    /// Nanoseconds waited before that.
    waited: AtomicU64,
    /// Bytes that left since the first wait.
    taken: AtomicU64,
}

/// The writes of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Writes {
    /// None had to wait.
    Immediate,
    /// One waits.
    Blocked,
    /// One had to wait; none does now.
    Resumed,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self {
            writes: AtomicCell::new(Writes::Immediate),
            since: LazyInstant::unread(),
            waited: AtomicU64::new(0),
            taken: AtomicU64::new(0),
        }
    }

    /// Another response begins.
    pub(super) fn restart(&self) {
        let writes = self.writes.load();
        if writes != Writes::Immediate {
            self.waited.store(0, Relaxed);
            self.taken.store(0, Relaxed);
            // A write that waits now is the end of the response before: the client still has to read that first.
            self.writes.store(if writes == Writes::Blocked { Writes::Blocked } else { Writes::Immediate });
        }
    }

    /// The client reads no more bytes for now.
    pub(super) fn blocked(&self) {
        if !self.is_blocked() {
            self.writes.store(Writes::Blocked);
            self.since.reset();
        }
    }

    /// The client took bytes.
    pub(super) fn wrote(&self, bytes: usize, start: Instant) {
        if self.writes.load() != Writes::Immediate {
            self.wrote_after_wait(bytes, start);
        }
    }

    fn wrote_after_wait(&self, bytes: usize, start: Instant) {
        self.taken.fetch_add(bytes as u64, Relaxed);
        if self.is_blocked() {
            // A wait that ended before anybody asked for its deadline took no time worth counting.
            let waited = self.since.get(start).map_or(Duration::ZERO, |since| since.elapsed());
            self.waited.fetch_add(u64::try_from(waited.as_nanos()).unwrap_or(u64::MAX), Relaxed);
            self.writes.store(Writes::Resumed);
        }
    }

    pub(super) fn is_blocked(&self) -> bool {
        self.writes.load() == Writes::Blocked
    }

    /// When the write that waits has waited for too long: without progress, or below the minimum rate if that applies.
    pub(super) fn deadline(&self, limits: &Limits, with_rate: bool, start: Instant) -> Option<Instant> {
        if !self.is_blocked() {
            return None;
        }
        let since = self.since.get_or_now(start);
        let stalled = since.checked_add(limits.body_timeout);
        let slow = with_rate.then(|| self.allowed(limits.response_min_bytes_per_second)).flatten();
        let slow = slow.and_then(|more| since.checked_add(more));
        stalled.into_iter().chain(slow).min()
    }

    /// How long the write that waits may take in all; `None` without a minimum rate.
    fn allowed(&self, rate: u64) -> Option<Duration> {
        if rate == 0 {
            return None;
        }
        let taken = self.taken.load(Relaxed).saturating_add(UNSENT.into());
        // In integers: an `f64` loses the nanoseconds of large responses, and a `Duration` from it can panic.
        let part = Duration::from_nanos((taken % rate).saturating_mul(1_000_000_000) / rate);
        let earned = Duration::from_secs(taken / rate).saturating_add(part);
        Some(GRACE.saturating_add(earned).saturating_sub(Duration::from_nanos(self.waited.load(Relaxed))))
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// At the rate of these tests.
    const GRANTED: Duration = Duration::from_millis(UNSENT as u64);

    fn left(pace: &Pace, start: Instant, with_rate: bool) -> Option<Duration> {
        let limits =
            Limits { body_timeout: 30 * SECOND, response_min_bytes_per_second: 1000, ..Limits::default() };
        pace.deadline(&limits, with_rate, start).map(|at| at - Instant::now())
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_dawdles_has_the_grace_and_what_it_earned() {
        let start = Instant::now();
        let pace = Pace::new();
        pace.wrote(1_000_000, start);
        assert_eq!(left(&pace, start, true), None, "nobody waits");
        pace.blocked();
        assert_eq!(left(&pace, start, true), Some(GRACE + GRANTED), "what left at once earns nothing");
        advance(2 * SECOND).await;
        pace.wrote(1500, start);
        assert_eq!(left(&pace, start, true), None);
        advance(100 * SECOND).await;
        pace.blocked();
        assert_eq!(
            left(&pace, start, true),
            Some(Duration::from_millis(4500) + GRANTED),
            "5 s - 2 s + 1.5 s"
        );
        advance(4 * SECOND + GRANTED).await;
        pace.wrote(100, start);
        pace.blocked();
        assert_eq!(left(&pace, start, true), Some(Duration::from_millis(600)));
        assert_eq!(left(&pace, start, false), Some(30 * SECOND), "a streaming route asks for progress only");
    }

    #[tokio::test(start_paused = true)]
    async fn one_byte_now_and_then_runs_out_of_time() {
        let start = Instant::now();
        let pace = Pace::new();
        for _ in 0..11 {
            pace.blocked();
            left(&pace, start, true).unwrap();
            advance(2 * SECOND).await;
            pace.wrote(1, start);
        }
        pace.blocked();
        assert_eq!(left(&pace, start, true), Some(Duration::ZERO));
    }

    #[tokio::test(start_paused = true)]
    async fn the_next_response_starts_anew() {
        let start = Instant::now();
        let pace = Pace::new();
        pace.blocked();
        left(&pace, start, true).unwrap();
        advance(4 * SECOND).await;
        pace.wrote(10, start);
        pace.restart();
        pace.blocked();
        assert_eq!(left(&pace, start, true), Some(GRACE + GRANTED));
    }

    #[tokio::test(start_paused = true)]
    async fn a_rate_of_zero_asks_for_progress_only() {
        let start = Instant::now();
        let pace = Pace::new();
        pace.blocked();
        let limits = Limits { response_min_bytes_per_second: 0, ..Limits::default() };
        assert_eq!(pace.deadline(&limits, true, start), start.checked_add(limits.body_timeout));
    }
}
