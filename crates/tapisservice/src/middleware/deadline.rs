//! The one deadline of a request, which its route may move.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::Request;
use tokio::sync::watch;
use tokio::time::Instant;
use tower_layer::Layer;
use tower_service::Service;

/// A request extension: when the request has to be answered.
#[derive(Debug, Clone)]
pub(crate) struct Deadline(Arc<watch::Sender<Bound>>);

#[derive(Debug, Clone, Copy)]
struct Bound {
    limit: Duration,
    start: Instant,
}

impl Deadline {
    /// From now on.
    pub(crate) fn after(limit: Duration) -> Self {
        Self(Arc::new(watch::Sender::new(Bound { limit, start: Instant::now() })))
    }

    /// Replaces the limit, counted from the start of the request.
    fn set(&self, limit: Duration) {
        self.0.send_modify(|bound| bound.limit = limit);
    }

    /// Runs `future` until the deadline, wherever that moves meanwhile.
    ///
    /// # Errors
    ///
    /// The limit that was reached.
    pub(crate) async fn bound<F: Future>(&self, future: F) -> Result<F::Output, Duration> {
        let mut moved = self.0.subscribe();
        let mut future = std::pin::pin!(future);
        loop {
            let Bound { limit, start } = *moved.borrow_and_update();
            tokio::select! {
                output = &mut future => return Ok(output),
                _ = moved.changed() => {}
                () = tokio::time::sleep_until(start + limit) => return Err(limit),
            }
        }
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
