//! Retries (docs/CLIENT.md, "Retries").

use std::time::{Duration, SystemTime};

use http::{Extensions, Method, StatusCode};
use reqwest::{Request, Response};
use reqwest_middleware::{Error, Middleware, Next, Result};
use tapisservice_core::framework::{Backoff, random_part};
use tokio::time::{Instant, sleep};

use super::deadline::EndsAt;
use super::retry_after;
use super::settings::LONGEST;

/// When and how often a call is retried: after an exponential back-off with full jitter, or after `Retry-After`. Both are at most `cap`.
///
/// `GET`, `HEAD`, `PUT`, `DELETE` and `OPTIONS` are retried, other methods only if the call opts in. A call is retried if no
/// connection can be made, if the connection is lost before the head of the response arrives, or if the status is 429, 502, 503 or 504. A body
/// that cannot be sent again is never retried, and no retry is made if the wait would pass the deadline of the call.
///
/// ```
/// use std::time::Duration;
/// use tapisservice_client::transport::RetryPolicy;
///
/// let patient = RetryPolicy::default().with_retries(10).with_cap(Duration::from_secs(30));
/// assert_eq!((patient.retries, patient.base), (10, Duration::from_millis(250)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// The maximum number of retries.
    pub retries: u32,
    /// The first back-off.
    pub base: Duration,
    /// The longest back-off.
    pub cap: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { retries: 5, base: Duration::from_millis(250), cap: Duration::from_secs(10) }
    }
}

impl RetryPolicy {
    /// A policy without retries.
    pub fn never() -> Self {
        Self::default().with_retries(0)
    }

    /// The same policy with at most this many retries.
    #[must_use]
    pub fn with_retries(self, retries: u32) -> Self {
        Self { retries, ..self }
    }

    /// The same policy with this first back-off.
    #[must_use]
    pub fn with_base(self, base: Duration) -> Self {
        Self { base, ..self }
    }

    /// The same policy with this longest back-off.
    #[must_use]
    pub fn with_cap(self, cap: Duration) -> Self {
        Self { cap, ..self }
    }

    fn cap(&self) -> Duration {
        self.cap.min(LONGEST)
    }

    /// The back-offs, before the jitter: a random part of each is waited.
    fn backoff(&self) -> Backoff {
        Backoff::new(self.base, self.cap())
    }
}

/// The choice of a call about retries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RetryChoice {
    /// Retry any method.
    OptIn,
    /// Never retry.
    Never,
}

/// Retries calls by the policy.
pub(super) struct Retry(pub(super) RetryPolicy);

fn may_repeat(method: &Method, choice: Option<RetryChoice>) -> bool {
    match choice {
        Some(RetryChoice::OptIn) => true,
        Some(RetryChoice::Never) => false,
        None => [Method::GET, Method::HEAD, Method::PUT, Method::DELETE, Method::OPTIONS].contains(method),
    }
}

/// Whether to retry after an outcome.
enum RetryDecision {
    Stop,
    /// After the time that the service asks for, if any.
    Retry(Option<Duration>),
}

impl RetryDecision {
    fn of(outcome: &Result<Response>) -> Self {
        match outcome {
            Ok(response) if is_transient(response.status()) => {
                Self::Retry(retry_after(response.headers(), SystemTime::now()))
            }
            Err(Error::Reqwest(error)) if error.is_connect() || error.is_request() => Self::Retry(None),
            Ok(_) | Err(_) => Self::Stop,
        }
    }
}

fn is_transient(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 502 | 503 | 504)
}

#[async_trait::async_trait]
impl Middleware for Retry {
    async fn handle(
        &self,
        mut req: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response> {
        let repeat = may_repeat(req.method(), extensions.get().copied());
        let mut number = 0;
        let mut backoff = self.0.backoff();
        loop {
            let retry_request = if repeat && number < self.0.retries { req.try_clone() } else { None };
            let outcome = next.clone().run(req, extensions).await;
            let (Some(retry_request), RetryDecision::Retry(after)) =
                (retry_request, RetryDecision::of(&outcome))
            else {
                return outcome;
            };
            let span = backoff.next_pause();
            let wait = after.map_or_else(|| random_part(span), |after| after.min(self.0.cap()));
            let ends_at = extensions.get::<EndsAt>().map(|end| end.instant);
            // Sleeping into the deadline would hide this outcome behind a timeout.
            if ends_at.is_some_and(|end| Instant::now() + wait >= end) {
                return outcome;
            }
            drop(outcome);
            sleep(wait).await;
            req = retry_request;
            number += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Arc;

    use parking_lot::Mutex;
    use reqwest_middleware::ClientBuilder;

    use super::*;

    /// Answers with one status after the other, and counts.
    #[derive(Clone, Default)]
    struct Script(Arc<Mutex<Responses>>);

    #[derive(Default)]
    struct Responses {
        left: VecDeque<(u16, Option<&'static str>)>,
        given: usize,
    }

    #[async_trait::async_trait]
    impl Middleware for Script {
        async fn handle(&self, _: Request, _: &mut Extensions, _: Next<'_>) -> Result<Response> {
            let mut script = self.0.lock();
            script.given += 1;
            let (status, after) = script.left.pop_front().unwrap_or((200, None));
            let mut response = http::Response::builder().status(status);
            if let Some(after) = after {
                response = response.header("Retry-After", after);
            }
            Ok(response.body("").unwrap().into())
        }
    }

    /// The status in the end, the number of tries, and the time it took.
    async fn run(
        policy: RetryPolicy,
        ends_in: Option<Duration>,
        script: &[(u16, Option<&'static str>)],
    ) -> (u16, usize, Duration) {
        let stub = Script::default();
        stub.0.lock().left = script.iter().copied().collect();
        let client = ClientBuilder::new(crate::http_client::direct().build().unwrap())
            .with(Retry(policy))
            .with(stub.clone())
            .build();
        let mut extensions = Extensions::new();
        let start = Instant::now();
        if let Some(time) = ends_in {
            extensions.insert(EndsAt { instant: start + time, with_body: false });
        }
        let request = Request::new(Method::GET, "http://localhost/".parse().unwrap());
        let response = client.execute_with_extensions(request, &mut extensions).await.unwrap();
        let tries = stub.0.lock().given;
        (response.status().as_u16(), tries, start.elapsed())
    }

    #[test]
    fn spans_double_up_to_the_cap() {
        let mut backoff = RetryPolicy::default().backoff();
        let spans: Vec<_> = (0..8).map(|_| backoff.next_pause().as_millis()).collect();
        assert_eq!(spans, [250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
        let mut endless = RetryPolicy::default().with_base(Duration::MAX).with_cap(Duration::MAX).backoff();
        assert_eq!((endless.next_pause(), endless.next_pause()), (LONGEST, LONGEST));
    }

    #[tokio::test(start_paused = true)]
    async fn a_random_part_of_each_span_is_waited() {
        let mut waits = Vec::new();
        for _ in 0..40 {
            let (status, tries, took) = run(RetryPolicy::default(), None, &[(503, None), (503, None)]).await;
            assert_eq!((status, tries), (200, 3));
            waits.push(took.as_millis());
        }
        // At most 250 and 500 ms; the clock of tokio counts whole milliseconds, and rounds up.
        assert!(waits.iter().all(|wait| *wait <= 752), "{waits:?}");
        assert!(waits.iter().any(|wait| *wait != waits[0]), "{waits:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn retry_after_is_honoured_up_to_the_cap() {
        let policy = RetryPolicy::default();
        let (status, tries, took) = run(policy, None, &[(503, Some("3")), (429, Some("100"))]).await;
        assert_eq!((status, tries, took.as_secs()), (200, 3, 13));
    }

    #[tokio::test(start_paused = true)]
    async fn there_is_no_sleep_after_the_last_try() {
        let script = [(503, Some("4")); 10];
        let policy = RetryPolicy { retries: 2, ..RetryPolicy::default() };
        let (status, tries, took) = run(policy, None, &script).await;
        assert_eq!((status, tries, took.as_secs()), (503, 3, 8));
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_sleeps_into_the_deadline() {
        let script = [(503, Some("4")); 10];
        let (status, tries, took) = run(RetryPolicy::default(), Some(Duration::from_secs(10)), &script).await;
        assert_eq!((status, tries, took.as_secs()), (503, 3, 8));
    }

    #[test]
    fn only_idempotent_methods_are_repeated_unless_the_call_says_otherwise() {
        for (method, repeated) in [
            (Method::GET, true),
            (Method::HEAD, true),
            (Method::PUT, true),
            (Method::DELETE, true),
            (Method::OPTIONS, true),
            (Method::POST, false),
            (Method::PATCH, false),
            (Method::CONNECT, false),
        ] {
            assert_eq!(may_repeat(&method, None), repeated, "{method}");
            assert!(may_repeat(&method, Some(RetryChoice::OptIn)));
            assert!(!may_repeat(&method, Some(RetryChoice::Never)));
        }
    }
}
