//! Writes the one line of a request, and opens its span.

use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::extract::Request;
use axum::response::Response;
use http::StatusCode;
use pin_project_lite::pin_project;
use tapisservice_core::{ErrorKind, ErrorReport, RequestContext};
use tower_layer::Layer;
use tower_service::Service;
use tracing::instrument::{Instrument as _, Instrumented};
use tracing::{Span, error, field, info};

use crate::logs::{REQUEST_SPAN, Throttled, panics_are_counted};
use crate::metrics::{self, RequestMetrics};

/// Lines for one reason are written so many times a minute; the rest is counted (F23).
const LINES_PER_MINUTE: u32 = 20;

static REASONS: LazyLock<Throttled<String>> =
    LazyLock::new(|| Throttled::new(LINES_PER_MINUTE, Duration::from_mins(1)));

/// Logs how each request ended, a failure of the service at ERROR and everything else at INFO, and counts it.
///
/// Lines have their ids from `g`. The span is for other layers of a subscriber, which want one for every request.
#[derive(Debug, Clone)]
pub(crate) struct TraceLayer {
    metrics: Arc<RequestMetrics>,
}

impl TraceLayer {
    pub(crate) fn new(metrics: Arc<RequestMetrics>) -> Self {
        Self { metrics }
    }
}

impl<S> Layer<S> for TraceLayer {
    type Service = TraceService<S>;

    fn layer(&self, inner: S) -> TraceService<S> {
        TraceService { inner, metrics: self.metrics.clone() }
    }
}

/// Follows each request through its inner service.
#[derive(Debug, Clone)]
pub(crate) struct TraceService<S> {
    inner: S,
    metrics: Arc<RequestMetrics>,
}

impl<S: Service<Request, Response = Response>> Service<Request> for TraceService<S> {
    type Response = Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: Request) -> Self::Future {
        let span = request.extensions().get().map_or_else(Span::none, request_span);
        let future = span.in_scope(|| self.inner.call(request)).instrument(span);
        ResponseFuture { future, metrics: self.metrics.clone() }
    }
}

pin_project! {
    /// Writes the line when the answer is there.
    pub(crate) struct ResponseFuture<F> {
        #[pin]
        future: Instrumented<F>,
        metrics: Arc<RequestMetrics>,
    }
}

impl<F: Future<Output = Result<Response, E>>, E> Future for ResponseFuture<F> {
    type Output = Result<Response, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let response = ready!(this.future.as_mut().poll(cx))?;
        if let Ok(g) = RequestContext::current() {
            let took = g.started().elapsed();
            this.metrics.answered(g.method(), response.status(), took);
            this.future.span().in_scope(|| {
                record_identity(&g);
                write(response.status(), response.extensions().get(), took);
            });
        }
        Poll::Ready(Ok(response))
    }
}

fn request_span(g: &RequestContext) -> Span {
    tracing::info_span!(
        target: REQUEST_SPAN,
        "request",
        request_id = g.request_id(),
        tracking_id = g.tracking_id().as_str(),
        tenant = field::Empty,
        user = field::Empty,
        method = g.method().as_str(),
        path = g.path()
    )
}

fn record_identity(g: &RequestContext) {
    let span = Span::current();
    if !span.is_disabled() {
        span.record("tenant", g.request_tenant_id().map(AsRef::<str>::as_ref));
        span.record("user", g.request_username().map(AsRef::<str>::as_ref));
    }
}

fn write(status: StatusCode, report: Option<&ErrorReport>, took: Duration) {
    let milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let status = status.as_u16();
    let Some(ErrorReport(cause)) = report else {
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
