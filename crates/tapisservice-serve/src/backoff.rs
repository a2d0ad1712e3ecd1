//! The pause after a failure to accept.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(1);

/// How long to leave the listener alone: 50 ms after the first failure in a row, doubling up to 1 s.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    delay: Option<Duration>,
    until: Option<Instant>,
}

impl Backoff {
    pub(super) fn failed(&mut self) {
        let delay = self.delay.map_or(FIRST, |delay| (2 * delay).min(LONGEST));
        self.delay = Some(delay);
        self.until = Some(Instant::now() + delay);
    }

    pub(super) fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// Waits out the delay. Dropping the future loses nothing: the next one waits for the rest.
    pub(super) async fn wait(&self) {
        if let Some(until) = self.until {
            sleep_until(until).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_delay_doubles_to_a_second_and_starts_again_after_a_success() {
        let mut backoff = Backoff::default();
        for expected in [50, 100, 200, 400, 800, 1000, 1000] {
            backoff.failed();
            let start = Instant::now();
            backoff.wait().await;
            assert_eq!(start.elapsed().as_millis(), expected);
        }
        backoff.succeeded();
        let start = Instant::now();
        backoff.wait().await;
        assert_eq!(start.elapsed(), Duration::ZERO);
        backoff.failed();
        backoff.wait().await;
        assert_eq!(start.elapsed(), FIRST);
    }
}
