//! The timeout for sending a response, which the route may change.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::extract::Request;
use axum::response::Response;
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::ResponseLimit;

/// Overrides `response_timeout_seconds` for a route.
///
/// Without it a response may take `response_timeout_seconds` from its headers to its last byte, and the client must read at least
/// `response_min_bytes_per_second` while the server waits for it. That would abort a long response, such as a stream of events or a large
/// file. On a [`streaming`](Self::streaming) route the client only has to read some bytes every `body_timeout_seconds`.
///
/// ```
/// use std::time::Duration;
/// use axum::Router;
/// use axum::body::Body;
/// use axum::routing::get;
/// use tapisservice_serve::ResponseTimeoutLayer;
///
/// async fn events() -> Body {
///     Body::empty() // a stream
/// }
///
/// async fn archive() -> Body {
///     Body::empty() // some gigabytes
/// }
///
/// let router: Router = Router::new()
///     .route("/events", get(events).layer(ResponseTimeoutLayer::streaming()))
///     .route("/archive", get(archive).layer(ResponseTimeoutLayer::new(Duration::from_secs(3600))));
/// ```
#[derive(Debug, Clone, Copy)]
pub struct ResponseTimeoutLayer {
    limit: ResponseLimit,
}

impl ResponseTimeoutLayer {
    /// A limit for sending the whole response, counted from its headers. The minimum rate stays.
    pub fn new(limit: Duration) -> Self {
        Self { limit: ResponseLimit::Within(limit) }
    }

    /// No limit for the whole response and no minimum rate: the client only has to make progress.
    pub fn streaming() -> Self {
        Self { limit: ResponseLimit::Streaming }
    }
}

impl From<ResponseLimit> for ResponseTimeoutLayer {
    fn from(limit: ResponseLimit) -> Self {
        Self { limit }
    }
}

impl<S> Layer<S> for ResponseTimeoutLayer {
    type Service = ResponseTimeout<S>;

    fn layer(&self, inner: S) -> ResponseTimeout<S> {
        ResponseTimeout { inner, limit: self.limit }
    }
}

/// Sets the limit of the responses of its inner service.
#[derive(Debug, Clone, Copy)]
pub struct ResponseTimeout<S> {
    inner: S,
    limit: ResponseLimit,
}

impl<S: Service<Request, Response = Response>> Service<Request> for ResponseTimeout<S> {
    type Response = Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        ResponseFuture { future: self.inner.call(request), limit: self.limit }
    }
}

pin_project! {
    /// The response, with its limit.
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        #[pin]
        future: F,
        limit: ResponseLimit,
    }
}

impl<F: Future<Output = Result<Response, E>>, E> Future for ResponseFuture<F> {
    type Output = Result<Response, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut response = ready!(this.future.poll(cx))?;
        // A limit nearer to the handler wins.
        response.extensions_mut().get_or_insert(*this.limit);
        Poll::Ready(Ok(response))
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::routing::get;
    use tower::ServiceExt as _;

    use super::*;

    async fn limit_of(router: Router) -> Option<ResponseLimit> {
        let response = router.oneshot(Request::new(Body::empty())).await.unwrap();
        response.extensions().get().copied()
    }

    #[tokio::test]
    async fn the_layer_nearest_to_the_handler_counts() {
        let hour = Duration::from_hours(1);
        assert_eq!(limit_of(Router::new().route("/", get(async || ()))).await, None);
        let streaming = get(async || ()).layer(ResponseTimeoutLayer::streaming());
        let router = Router::new().route("/", streaming).layer(ResponseTimeoutLayer::new(hour));
        assert_eq!(limit_of(router).await, Some(ResponseLimit::Streaming));
        let router = Router::new().route("/", get(async || ())).layer(ResponseTimeoutLayer::new(hour));
        assert_eq!(limit_of(router).await, Some(ResponseLimit::Within(hour)));
    }
}
