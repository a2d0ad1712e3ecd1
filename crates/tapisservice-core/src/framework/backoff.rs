//! Pauses between attempts.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};

/// The largest share of a wait that [`spread`] subtracts.
const JITTER: f64 = 0.1;

/// Exponential back-off: the pauses double from the first to the longest. They are rounded to an `f32` of seconds.
///
/// ```
/// use std::time::Duration;
/// use tapisservice_core::framework::Backoff;
///
/// let mut backoff = Backoff::new(Duration::from_millis(250), Duration::from_secs(1));
/// let pauses: Vec<_> = (0..4).map(|_| backoff.next_pause().as_millis()).collect();
/// assert_eq!(pauses, [250, 500, 1000, 1000]);
/// backoff.reset();
/// assert_eq!(backoff.next_pause().as_millis(), 250);
/// ```
#[derive(Debug)]
pub struct Backoff {
    builder: ExponentialBuilder,
    pauses: ExponentialBackoff,
    longest: Duration,
}

impl Backoff {
    /// Pauses from `first` to `longest`.
    pub fn new(first: Duration, longest: Duration) -> Self {
        // `backon`'s jitter can double a delay, beyond the longest one; callers add the jitter they need.
        let builder = ExponentialBuilder::new()
            .with_min_delay(first.min(longest))
            .with_max_delay(longest)
            .without_max_times();
        Self { builder, pauses: builder.build(), longest }
    }

    /// The pause after the next failure.
    pub fn next_pause(&mut self) -> Duration {
        self.pauses.next().unwrap_or(self.longest)
    }

    /// Starts over with the first pause, after a success.
    pub fn reset(&mut self) {
        self.pauses = self.builder.build();
    }
}

/// Shortens a wait by a random part, up to a tenth, so that processes that started together do not stay in
/// step.
pub fn spread(wait: Duration) -> Duration {
    // Subtracted: a factor close to 1 would overflow for `Duration::MAX`.
    wait.saturating_sub(wait.mul_f64(JITTER * fastrand::f64()))
}

/// A random part of a wait (full jitter), for callers that conflicted with each other.
pub fn random_part(wait: Duration) -> Duration {
    wait.mul_f64(fastrand::f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let mut backoff = Backoff::new(Duration::from_millis(250), Duration::from_secs(10));
        let pauses: Vec<_> = (0..8).map(|_| backoff.next_pause().as_millis()).collect();
        assert_eq!(pauses, [250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
    }

    #[test]
    fn no_pause_is_longer_than_the_longest_and_none_overflows() {
        let mut backoff = Backoff::new(Duration::from_secs(20), Duration::from_secs(10));
        assert_eq!(backoff.next_pause(), Duration::from_secs(10));
        let mut backoff = Backoff::new(Duration::ZERO, Duration::from_secs(10));
        assert_eq!((backoff.next_pause(), backoff.next_pause()), (Duration::ZERO, Duration::ZERO));
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::MAX);
        assert_eq!((0..200).map(|_| backoff.next_pause()).max(), Some(Duration::MAX));
    }

    #[test]
    fn a_wait_is_spread_over_its_last_tenth() {
        let waits: Vec<_> = (0..1000).map(|_| spread(Duration::from_secs(100)).as_secs_f64()).collect();
        assert!(waits.iter().all(|wait| (90.0..=100.0).contains(wait)));
        assert!(waits.iter().any(|wait| *wait < 92.0) && waits.iter().any(|wait| *wait > 98.0));
        assert!(spread(Duration::MAX) > Duration::MAX / 2);
    }

    #[test]
    fn a_random_part_is_any_part() {
        let parts: Vec<_> = (0..1000).map(|_| random_part(Duration::from_secs(100)).as_secs_f64()).collect();
        assert!(parts.iter().all(|part| (0.0..=100.0).contains(part)));
        assert!(parts.iter().any(|part| *part < 20.0) && parts.iter().any(|part| *part > 80.0));
    }
}
