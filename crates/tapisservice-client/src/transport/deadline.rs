//! The deadline of a call.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::Extensions;
use reqwest::{Request, Response};
use reqwest_middleware::{Middleware, Next, Result};
use tokio::time::{Instant, sleep_until};

use super::settings::LONGEST;
use super::{Failed, redacted};
use crate::ClientError;

/// Ends a call at its deadline: that of its [`TimeLimit`]. A request from other code, such as the official SDK, has its own timeout or the
/// default one, which includes reading the response.
pub(super) struct Deadline(pub(super) Duration);

/// How long a [`crate::Call`] may take to the head of the response.
#[derive(Clone)]
pub(crate) struct TimeLimit {
    total: Duration,
    progress: Option<BodyProgress>,
}

/// The deadline, for the middleware further in.
#[derive(Debug, Clone, Copy)]
pub(super) struct EndsAt {
    pub(super) instant: Instant,
    /// Whether the response must have been read by then.
    pub(super) with_body: bool,
}

/// When a chunk of a streamed body was last sent.
#[derive(Debug, Clone)]
pub(crate) struct BodyProgress {
    start: Instant,
    last: Arc<AtomicU64>,
}

impl BodyProgress {
    pub(crate) fn new() -> Self {
        Self { start: Instant::now(), last: Arc::default() }
    }

    pub(crate) fn touch(&self) {
        let elapsed = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.fetch_max(elapsed, Ordering::Relaxed);
    }

    fn last(&self) -> Instant {
        self.start + Duration::from_millis(self.last.load(Ordering::Relaxed))
    }
}

impl TimeLimit {
    /// With the progress of a streamed body, the time starts again with each chunk.
    pub(crate) fn new(total: Duration, progress: Option<BodyProgress>) -> Self {
        Self { total: total.min(LONGEST), progress }
    }

    pub(crate) fn total(&self) -> Duration {
        self.total
    }

    async fn run_out(&self, start: Instant) {
        let mut end = start + self.total;
        loop {
            sleep_until(end).await;
            let later = self.progress.as_ref().map_or(end, |progress| end.max(progress.last() + self.total));
            if later <= Instant::now() {
                return;
            }
            end = later;
        }
    }
}

#[async_trait::async_trait]
impl Middleware for Deadline {
    async fn handle(&self, req: Request, extensions: &mut Extensions, next: Next<'_>) -> Result<Response> {
        let own = extensions.get::<TimeLimit>().cloned();
        let with_body = own.is_none();
        let total = req.timeout().copied().unwrap_or(self.0);
        let limit = own.unwrap_or_else(|| TimeLimit::new(total, None));
        let start = Instant::now();
        extensions.insert(EndsAt { instant: start + limit.total, with_body });
        let (method, url) = (req.method().clone(), req.url().clone());
        tokio::select! {
            biased;
            outcome = next.run(req, extensions) => outcome,
            () = limit.run_out(start) => {
                let reason = format!("no response within {} s", limit.total.as_secs_f64());
                Err(ClientError::too_slow(&method, &redacted(&url), reason).failed())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn time_runs_from_the_start_or_from_the_last_piece_of_the_body() {
        let start = Instant::now();
        let limit = TimeLimit { total: Duration::from_mins(1), progress: None };
        limit.run_out(start).await;
        assert_eq!(start.elapsed().as_secs(), 60);

        let progress = BodyProgress::new();
        let start = Instant::now();
        let limit = TimeLimit { total: Duration::from_mins(1), progress: Some(progress.clone()) };
        let body = tokio::spawn(async move {
            for _ in 0..5 {
                tokio::time::sleep(Duration::from_secs(50)).await;
                progress.touch();
            }
        });
        limit.run_out(start).await;
        body.await.unwrap();
        assert_eq!(start.elapsed().as_secs(), 310);
    }
}
