//! Opens the span of the request and writes its one line.

use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use axum::extract::Request;
use axum::response::Response;
use http::{Method, StatusCode};
use pin_project_lite::pin_project;
use tapisservice_core::{Error, ErrorKind, ErrorReport, RequestContext};
use tower_layer::Layer;
use tower_service::Service;
use tracing::instrument::{Instrument as _, Instrumented};
use tracing::{Span, error, info};

use crate::logs::{Throttled, panics_are_counted, request_span};
use crate::metrics;

/// Lines for one reason are written so many times a minute; the rest is counted (F23).
const LINES_PER_MINUTE: u32 = 20;

static REASONS: LazyLock<Throttled<String>> =
    LazyLock::new(|| Throttled::new(LINES_PER_MINUTE, Duration::from_mins(1)));

/// Runs the request inside its span and logs how it ended: a failure of the service at ERROR, everything else at INFO.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TraceLayer;

impl<S> Layer<S> for TraceLayer {
    type Service = TraceService<S>;

    fn layer(&self, inner: S) -> TraceService<S> {
        TraceService { inner }
    }
}

/// Follows each request through its inner service.
#[derive(Debug, Clone)]
pub(crate) struct TraceService<S> {
    inner: S,
}

impl<S: Service<Request, Response = Response>> Service<Request> for TraceService<S> {
    type Response = Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let method = request.method().clone();
        let span = request.extensions().get::<RequestContext>().map_or_else(Span::none, |g| {
            request_span(g.request_id(), g.tracking_id().as_str(), method.as_str(), request.uri().path())
        });
        let start = Instant::now();
        let future = span.in_scope(|| self.inner.call(request)).instrument(span);
        ResponseFuture { future, method, start }
    }
}

pin_project! {
    /// Writes the line when the answer is there.
    pub(crate) struct ResponseFuture<F> {
        #[pin]
        future: Instrumented<F>,
        method: Method,
        start: Instant,
    }
}

impl<F: Future<Output = Result<Response, E>>, E> Future for ResponseFuture<F> {
    type Output = Result<Response, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let response = ready!(this.future.as_mut().poll(cx))?;
        let report = response.extensions().get::<ErrorReport>().map(|report| report.0.clone());
        let took = this.start.elapsed();
        metrics::request(this.method, response.status(), took);
        this.future.span().in_scope(|| write(response.status(), report, took));
        Poll::Ready(Ok(response))
    }
}

fn write(status: StatusCode, report: Option<Arc<Error>>, took: Duration) {
    let milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let status = status.as_u16();
    let Some(cause) = report else {
        info!(status, milliseconds, "request answered");
        return;
    };
    // The panic hook wrote the line of a panic, with the place.
    if cause.kind() == ErrorKind::Panic {
        if !panics_are_counted() {
            metrics::panic();
        }
        return;
    }
    let reason = cause.traceback();
    // The details of a refusal are the caller's, who may invent as many as there are requests.
    let key = if status >= 500 { reason.clone() } else { cause.message().to_owned() };
    let Some(withheld) = REASONS.permit(key) else { return };
    if status >= 500 {
        error!(status, milliseconds, %reason, withheld, "request failed");
    } else {
        info!(status, milliseconds, %reason, withheld, "request refused");
    }
}
