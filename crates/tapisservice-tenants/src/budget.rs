//! How many refreshes requests may cause.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// How many refreshes may follow each other at once (rule T6).
pub(crate) const BURST: u32 = 2;
/// After how long one more is allowed (rule T6).
pub(crate) const REFILL: Duration = Duration::from_secs(30);

/// A token bucket on the monotonic clock, so that a step of the wall clock changes nothing (F11).
#[derive(Debug)]
pub(crate) struct Budget(Mutex<State>);

#[derive(Debug)]
struct State {
    left: u32,
    /// When the refill under way began; meaningful while `left` is below the burst.
    since: Instant,
}

impl Budget {
    pub(crate) fn full() -> Self {
        Self(Mutex::new(State { left: BURST, since: Instant::now() }))
    }

    /// Takes one refresh, if there is one left.
    pub(crate) fn take(&self) -> bool {
        let mut state = self.0.lock();
        let now = Instant::now();
        while state.left < BURST && now.duration_since(state.since) >= REFILL {
            state.left += 1;
            state.since += REFILL;
        }
        if state.left == 0 {
            return false;
        }
        if state.left == BURST {
            state.since = now;
        }
        state.left -= 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn two_at_once_and_then_one_per_thirty_seconds() {
        let budget = Budget::full();
        assert_eq!([budget.take(), budget.take(), budget.take()], [true, true, false]);
        tokio::time::advance(Duration::from_millis(29_999)).await;
        assert!(!budget.take());
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!([budget.take(), budget.take()], [true, false]);
        tokio::time::advance(10 * REFILL).await;
        assert_eq!([budget.take(), budget.take(), budget.take()], [true, true, false]);
    }
}
