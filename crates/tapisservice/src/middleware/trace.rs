//! The log line and the span of a request.

use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::extract::Request;
use axum::response::Response;
use http::StatusCode;
use pin_project_lite::pin_project;
use tapisservice_core::{ErrorKind, ErrorOrigin, ErrorReport, RequestContext, framework};
use tapisservice_logs::{REQUEST_SPAN, Throttled};
use tower_layer::Layer;
use tower_service::Service;
use tracing::instrument::{Instrument as _, Instrumented};
use tracing::{Span, error, field, info};

use crate::metrics::{ActiveRequest, RequestMetrics};

/// Log lines per minute about one reason that callers can cause at will (F23).
const LINES_PER_MINUTE: u32 = 20;

/// Lines are throttled by status and origin. Their texts do not count: a caller can make up any number of them.
static THROTTLE: LazyLock<Throttled<(u16, ErrorOrigin)>> =
    LazyLock::new(|| Throttled::new(LINES_PER_MINUTE, Duration::from_mins(1)));

/// Logs and measures each request. Failures of the service are logged at ERROR, everything else at INFO.
///
/// Log lines take their ids from `g`. The span is for other layers of a subscriber, which need one for every request.
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

/// Logs and measures the requests to its inner service.
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

    fn call(&mut self, request: Request) -> Self::Future {
        let active = RequestMetrics::start(self.metrics.clone(), request.method(), request.version());
        let span = request.extensions().get().map_or_else(Span::none, request_span);
        let future = span.in_scope(|| self.inner.call(request)).instrument(span);
        ResponseFuture { future, active }
    }
}

pin_project! {
    /// Logs the request when the response is ready.
    pub(crate) struct ResponseFuture<F> {
        #[pin]
        future: Instrumented<F>,
        active: ActiveRequest,
    }
}

impl<F: Future<Output = Result<Response, E>>, E> Future for ResponseFuture<F> {
    type Output = Result<Response, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let response = ready!(this.future.as_mut().poll(cx))?;
        if let Ok(g) = RequestContext::current() {
            let took = g.started().elapsed();
            this.active.completed(framework::matched_route(&g), response.status(), took);
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
        info!(status, milliseconds, "request completed");
        return;
    };
    // The panic hook has logged the panic, with its location.
    if cause.kind() == ErrorKind::Panic {
        return;
    }
    let Some(withheld) = THROTTLE.permit((status, cause.origin().clone())) else { return };
    let reason = cause.traceback();
    if status >= 500 {
        error!(status, milliseconds, %reason, withheld, "request failed");
    } else {
        info!(status, milliseconds, %reason, withheld, "request rejected");
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use axum::body::Body;
    use http::Uri;
    use parking_lot::Mutex;
    use tapisservice_core::{ServiceInfo, TrackingId};
    use tapisservice_logs as logs;
    use tower::{ServiceExt as _, service_fn};
    use tracing::span::{Attributes, Id};
    use tracing::{Subscriber, subscriber::with_default};
    use tracing_subscriber::layer::{Context as LayerContext, SubscriberExt as _};

    use super::*;

    /// Another layer of the subscriber: it records the spans, as one that exports traces would.
    #[derive(Clone, Default)]
    struct Spans(Arc<Mutex<Vec<String>>>);

    impl<S: Subscriber> tracing_subscriber::Layer<S> for Spans {
        fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: LayerContext<'_, S>) {
            self.0.lock().push(format!("{attributes:?}"));
        }
    }

    fn answered() {
        let service = ServiceInfo::new("demo", "1");
        let g = RequestContext::builder(service.into())
            .tracking_id(TrackingId::new("t.1").ok())
            .target(http::Method::GET, Uri::from_static("/v3/demo?token=canary"))
            .build();
        let mut request = Request::new(Body::empty());
        request.extensions_mut().insert(g.clone());
        let handler = |_| async {
            tracing::error!("handled");
            Ok::<_, Infallible>(Response::default())
        };
        let service = TraceLayer::new(Arc::new(RequestMetrics::new(0))).layer(service_fn(handler));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(g.scope(service.oneshot(request))).unwrap();
    }

    #[test]
    fn the_span_of_a_request_is_for_other_layers_and_lines_do_without() {
        let settings = serde_json::from_str(r#"{ "log_level": "INFO" }"#).unwrap();
        let (alone, beside, spans) = (logs::Capture::default(), logs::Capture::default(), Spans::default());
        with_default(logs::subscriber(&settings, alone.clone()), answered);
        let subscriber = logs::subscriber(&settings, beside.clone()).with(spans.clone());
        with_default(subscriber, answered);

        for capture in [alone, beside] {
            let lines = capture.lines();
            assert_eq!(lines.len(), 2, "{lines:?}");
            assert!(
                lines
                    .iter()
                    .all(|line| line.contains("method=GET path=/v3/demo") && line.contains("trk=t.1"))
            );
            assert!(!lines.iter().any(|line| line.contains("canary")), "{lines:?}");
        }
        let spans = spans.0.lock();
        assert_eq!(spans.len(), 1, "{spans:?}");
        assert!(
            spans[0].contains("t.1") && spans[0].contains("/v3/demo") && !spans[0].contains("canary"),
            "{spans:?}"
        );
    }
}
