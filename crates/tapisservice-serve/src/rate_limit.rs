//! Fewer log lines about one trouble (F23).

use std::{mem, time::Duration};

use tokio::time::Instant;

/// Allows some log lines per interval and counts the rest.
#[derive(Debug)]
pub(super) struct RateLimit {
    lines: u32,
    interval: Duration,
    start: Option<Instant>,
    used: u32,
    withheld: u64,
}

impl RateLimit {
    pub(super) fn new(lines: u32, interval: Duration) -> Self {
        Self { lines, interval, start: None, used: 0, withheld: 0 }
    }

    /// Whether a line may be written now, and if so how many were withheld since the last one.
    pub(super) fn allow(&mut self) -> Option<u64> {
        let now = Instant::now();
        if self.start.is_none_or(|start| now - start >= self.interval) {
            self.start = Some(now);
            self.used = 0;
        }
        if self.used == self.lines {
            self.withheld += 1;
            return None;
        }
        self.used += 1;
        Some(mem::take(&mut self.withheld))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_next_line_that_is_allowed_tells_how_many_were_withheld() {
        let mut limit = RateLimit::new(2, Duration::from_secs(10));
        assert_eq!([(); 5].map(|()| limit.allow()), [Some(0), Some(0), None, None, None]);
        tokio::time::advance(Duration::from_secs(9)).await;
        assert_eq!(limit.allow(), None);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!([(); 3].map(|()| limit.allow()), [Some(4), Some(0), None]);
    }
}
