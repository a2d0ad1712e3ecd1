//! How often a renewal may be forced from outside.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// At most a burst of this many, and then one per [`PERIOD`]: the numbers of rule T6.
const BURST: u32 = 2;
const PERIOD: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(super) struct Budget(Mutex<State>);

#[derive(Debug)]
struct State {
    left: u32,
    /// Since when the next one is being earned.
    since: Option<Instant>,
}

impl Default for Budget {
    fn default() -> Self {
        Self(Mutex::new(State { left: BURST, since: None }))
    }
}

impl Budget {
    /// Takes one if there is one.
    pub(super) fn take(&self) -> bool {
        let mut state = self.0.lock();
        let now = Instant::now();
        while let Some(since) = state.since.filter(|since| now.duration_since(*since) >= PERIOD) {
            state.left += 1;
            state.since = (state.left < BURST).then_some(since + PERIOD);
        }
        if state.left == 0 {
            return false;
        }
        state.left -= 1;
        state.since.get_or_insert(now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_passes_and_then_one_per_period() {
        let budget = Budget::default();
        let taken = |n: u32| (0..n).filter(|_| budget.take()).count();
        assert_eq!(taken(10), 2);
        tokio::time::advance(PERIOD).await;
        assert_eq!(taken(10), 1);
        tokio::time::advance(PERIOD * 10).await;
        assert_eq!(taken(10), 2);
    }
}
