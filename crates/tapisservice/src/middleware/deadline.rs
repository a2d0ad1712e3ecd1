//! The deadline of a request, which its route may change.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::Request;
use pin_project_lite::pin_project;
use tapisservice_core::RequestContext;
use tokio::time::{Instant, Sleep, sleep_until};
use tower_layer::Layer;
use tower_service::Service;

/// The timeout of the route, as a value in `g`.
#[derive(Debug, Clone, Copy)]
struct RouteLimit(Duration);

pin_project! {
    /// A future with a deadline, counted from the start of the request. It returns the limit when the deadline has passed.
    ///
    /// No timer is set before the future has to wait. The limit may change at any time: it is read with each poll.
    pub(crate) struct Bounded<F> {
        #[pin]
        future: F,
        limit: Duration,
        // Boxed, because few requests wait, and every request is moved from layer to layer.
        alarm: Option<Pin<Box<Sleep>>>,
    }
}

impl<F> Bounded<F> {
    /// `limit` applies to routes without their own.
    pub(crate) fn new(future: F, limit: Duration) -> Self {
        Self { future, limit, alarm: None }
    }
}

impl<F: Future> Future for Bounded<F> {
    type Output = Result<F::Output, Duration>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Poll::Ready(output) = this.future.poll(cx) {
            return Poll::Ready(Ok(output));
        }
        let g = RequestContext::current().ok();
        let start = g.as_ref().map_or_else(Instant::now, RequestContext::started);
        let limit = g.and_then(|g| g.get()).map_or(*this.limit, |RouteLimit(limit)| limit);
        // An instant that cannot be represented never comes: Duration::MAX means no limit.
        let Some(end) = start.checked_add(limit) else { return Poll::Pending };
        let alarm = this.alarm.get_or_insert_with(|| Box::pin(sleep_until(end)));
        if alarm.deadline() != end {
            alarm.as_mut().reset(end);
        }
        alarm.as_mut().poll(cx).map(|()| Err(limit))
    }
}

/// Overrides `request_timeout_seconds` for a route.
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
    /// A limit for the whole request, counted from its headers. [`Duration::MAX`] means no limit.
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

/// Sets the timeout before its inner service is called.
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
        if let Some(g) = request.extensions().get::<RequestContext>() {
            g.insert(RouteLimit(self.limit));
        }
        self.inner.call(request)
    }
}

#[cfg(test)]
mod tests {
    use tapisservice_core::ServiceInfo;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_longest_limit_is_none() {
        let day = Duration::from_hours(24);
        let work = || tokio::time::sleep(day);
        assert_eq!(Bounded::new(work(), Duration::MAX).await, Ok(()));
        let service = ServiceInfo::new("test", "1");
        let g = RequestContext::builder(service.into()).build();
        let inner = g.clone();
        let moved = async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            inner.insert(RouteLimit(Duration::MAX));
            work().await;
        };
        assert_eq!(g.scope(Bounded::new(moved, Duration::from_secs(4))).await, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_deadline_can_be_moved_both_ways() {
        for (moved_to, work, expected) in
            [(10, 5, Ok(())), (2, 5, Err(Duration::from_secs(2))), (10, 20, Err(Duration::from_secs(10)))]
        {
            let service = ServiceInfo::new("test", "1");
            let g = RequestContext::builder(service.into()).build();
            let inner = g.clone();
            let work = async move {
                tokio::time::sleep(Duration::from_secs(1)).await;
                inner.insert(RouteLimit(Duration::from_secs(moved_to)));
                tokio::time::sleep(Duration::from_secs(work - 1)).await;
            };
            let outcome = g.scope(Bounded::new(work, Duration::from_secs(4))).await;
            assert_eq!(outcome, expected, "moved to {moved_to}");
        }
    }
}
