//! The one deadline of a request, which its route may move.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::Request;
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};
use tower_layer::Layer;
use tower_service::Service;

/// A request extension: when the request has to be answered.
#[derive(Debug, Clone)]
pub(crate) struct Deadline(Arc<Mutex<Limit>>);

#[derive(Debug, Clone, Copy)]
struct Limit {
    limit: Duration,
    start: Instant,
}

impl Deadline {
    /// From now on.
    pub(crate) fn after(limit: Duration) -> Self {
        Self(Arc::new(Mutex::new(Limit { limit, start: Instant::now() })))
    }

    /// Replaces the limit, counted from the start of the request. It counts when the request is polled next, as it is being
    /// polled now.
    fn set(&self, limit: Duration) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).limit = limit;
    }

    fn limit(&self) -> Limit {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `future` until the deadline, wherever that moves meanwhile. The timer is set when it first has to wait.
    pub(crate) fn bound<F>(self, future: F) -> Bounded<F> {
        Bounded { future, deadline: self, alarm: None }
    }
}

pin_project! {
    /// A future and its deadline; gives the limit when that was reached.
    pub(crate) struct Bounded<F> {
        #[pin]
        future: F,
        deadline: Deadline,
        #[pin]
        alarm: Option<Sleep>,
    }
}

impl<F: Future> Future for Bounded<F> {
    type Output = Result<F::Output, Duration>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Poll::Ready(output) = this.future.poll(cx) {
            return Poll::Ready(Ok(output));
        }
        let Limit { limit, start } = this.deadline.limit();
        let end = start + limit;
        if this.alarm.is_none() {
            this.alarm.set(Some(sleep_until(end)));
        }
        let Some(mut alarm) = this.alarm.as_pin_mut() else { return Poll::Pending };
        if alarm.deadline() != end {
            alarm.as_mut().reset(end);
        }
        alarm.poll(cx).map(|()| Err(limit))
    }
}

/// Gives a route a timeout of its own, longer or shorter than `request_timeout_seconds`.
///
/// ```
/// use std::time::Duration;
/// use axum::routing::post;
/// use tapisservice::RequestTimeoutLayer;
/// use tapisservice::prelude::*;
///
/// async fn transfer() -> Envelope<()> {
///     Envelope::new(())
/// }
///
/// let methods = post(transfer).layer(RequestTimeoutLayer::new(Duration::from_secs(300)));
/// let routes: Routes = Routes::new().route(Policy::authenticated(), "/transfer", methods);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct RequestTimeoutLayer {
    limit: Duration,
}

impl RequestTimeoutLayer {
    /// A limit for the whole request, counted from its headers.
    pub fn new(limit: Duration) -> Self {
        Self { limit }
    }
}

impl<S> Layer<S> for RequestTimeoutLayer {
    type Service = RequestTimeout<S>;

    fn layer(&self, inner: S) -> RequestTimeout<S> {
        RequestTimeout { inner, limit: self.limit }
    }
}

/// Moves the deadline of a request before its inner service sees it.
#[derive(Debug, Clone, Copy)]
pub struct RequestTimeout<S> {
    inner: S,
    limit: Duration,
}

impl<S: Service<Request>> Service<Request> for RequestTimeout<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> S::Future {
        if let Some(deadline) = request.extensions().get::<Deadline>() {
            deadline.set(self.limit);
        }
        self.inner.call(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_deadline_can_be_moved_both_ways() {
        for (moved_to, work, expected) in
            [(10, 5, Ok(())), (2, 5, Err(Duration::from_secs(2))), (10, 20, Err(Duration::from_secs(10)))]
        {
            let deadline = Deadline::after(Duration::from_secs(4));
            let inner = deadline.clone();
            let outcome = deadline
                .bound(async move {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    inner.set(Duration::from_secs(moved_to));
                    tokio::time::sleep(Duration::from_secs(work - 1)).await;
                })
                .await;
            assert_eq!(outcome, expected, "moved to {moved_to}");
        }
    }
}
