//! Limits of the request target and the duration of a request.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use pin_project_lite::pin_project;
use tapisservice_core::{Error, ErrorKind};
use tapisservice_serve::{Limits, uri_too_long};
use tower_layer::Layer;
use tower_service::Service;

use super::deadline::Bounded;

/// Responds with 414 when the request target is too long, and with 504 when the request takes too long, unless the route has its own limit
/// ([`RequestTimeoutLayer`](super::deadline::RequestTimeoutLayer)). [`BodyLimitLayer`](super::body_limit::BodyLimitLayer) limits bodies, at
/// the route, where its limit is known.
#[derive(Debug, Clone)]
pub(crate) struct LimitsLayer {
    limits: Limits,
}

impl LimitsLayer {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits }
    }
}

impl<S> Layer<S> for LimitsLayer {
    type Service = LimitsService<S>;

    fn layer(&self, inner: S) -> LimitsService<S> {
        LimitsService { inner, limits: self.limits.clone() }
    }
}

/// Enforces the limits.
#[derive(Debug, Clone)]
pub(crate) struct LimitsService<S> {
    inner: S,
    limits: Limits,
}

impl<S: Service<Request, Response = Response>> Service<Request> for LimitsService<S> {
    type Response = Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        if uri_too_long(request.uri(), &self.limits) {
            return ResponseFuture::TooLong { bytes: self.limits.max_uri_bytes };
        }
        ResponseFuture::Running {
            future: Bounded::new(self.inner.call(request), self.limits.request_timeout),
        }
    }
}

pin_project! {
    /// The response, or the limit that was exceeded.
    #[project = Projection]
    pub(crate) enum ResponseFuture<F> {
        TooLong { bytes: usize },
        Running { #[pin] future: Bounded<F> },
    }
}

impl<F: Future<Output = Result<Response, E>>, E> Future for ResponseFuture<F> {
    type Output = Result<Response, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            Projection::TooLong { bytes } => Poll::Ready(Ok(too_long(*bytes))),
            Projection::Running { future } => {
                Poll::Ready(ready!(future.poll(cx)).unwrap_or_else(|limit| Ok(too_slow(limit))))
            }
        }
    }
}

fn too_long(bytes: usize) -> Response {
    let message = format!("The request target is longer than {bytes} bytes.");
    Error::new(ErrorKind::TooLarge, message).with_status(StatusCode::URI_TOO_LONG).into_response()
}

fn too_slow(limit: Duration) -> Response {
    let message = format!("The request took longer than {} s.", limit.as_secs_f64());
    Error::new(ErrorKind::Timeout, message).into_response()
}
