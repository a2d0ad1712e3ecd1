//! A rate limit for work that others trigger.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// A token bucket: a burst, then one more token per period. It uses the monotonic clock, so that steps of the wall clock have no
/// effect (F11).
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// use std::time::Duration;
/// use tapisservice_core::framework::TokenBucket;
///
/// let renewals = TokenBucket::new(2, Duration::from_secs(30));
/// assert_eq!([renewals.take(), renewals.take(), renewals.take()], [true, true, false]);
/// # }
/// ```
#[derive(Debug)]
pub struct TokenBucket {
    burst: u32,
    period: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    left: u32,
    /// When the current refill period started; meaningful while `left` is below the burst.
    since: Instant,
}

impl TokenBucket {
    /// The burst of rule T6.
    pub const T6_BURST: u32 = 2;
    /// The period of rule T6.
    pub const T6_PERIOD: Duration = Duration::from_secs(30);

    /// A full bucket of `burst` tokens that regains one token per `period`.
    ///
    /// # Panics
    ///
    /// When the period is zero.
    pub fn new(burst: u32, period: Duration) -> Self {
        assert!(!period.is_zero(), "a token bucket needs a period");
        Self { burst, period, state: Mutex::new(State { left: burst, since: Instant::now() }) }
    }

    /// The bucket of rule T6: a burst of two, then one per 30 s.
    pub fn of_rule_t6() -> Self {
        Self::new(Self::T6_BURST, Self::T6_PERIOD)
    }

    /// Takes one token. Returns whether there was one.
    pub fn take(&self) -> bool {
        let mut state = self.state.lock();
        let now = Instant::now();
        while state.left < self.burst && now.duration_since(state.since) >= self.period {
            state.left += 1;
            state.since += self.period;
        }
        if state.left == 0 {
            return false;
        }
        if state.left == self.burst {
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
        let bucket = TokenBucket::of_rule_t6();
        assert_eq!([bucket.take(), bucket.take(), bucket.take()], [true, true, false]);
        tokio::time::advance(Duration::from_millis(29_999)).await;
        assert!(!bucket.take());
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!([bucket.take(), bucket.take()], [true, false]);
        tokio::time::advance(Duration::from_mins(5)).await;
        assert_eq!([bucket.take(), bucket.take(), bucket.take()], [true, true, false]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refill_under_way_is_not_begun_anew() {
        let bucket = TokenBucket::new(2, Duration::from_secs(30));
        assert!(bucket.take());
        tokio::time::advance(Duration::from_secs(20)).await;
        assert_eq!([bucket.take(), bucket.take()], [true, false]);
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!([bucket.take(), bucket.take()], [true, false]);
    }
}
