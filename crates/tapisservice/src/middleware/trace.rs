//! Opens the span of the request and writes its one line.

use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::StatusCode;
use tapisservice_core::{Error, ErrorKind, ErrorReport, RequestContext};
use tracing::{Instrument as _, error, info};

use crate::logs::{Throttled, request_span};
use crate::metrics;

/// Lines for one reason are written so many times a minute; the rest is counted (F23).
const LINES_PER_MINUTE: u32 = 20;

static REASONS: LazyLock<Throttled<String>> =
    LazyLock::new(|| Throttled::new(LINES_PER_MINUTE, Duration::from_mins(1)));

/// Runs the request inside its span and logs how it ended: a failure of the service at ERROR, everything else at INFO.
pub(crate) async fn follow(request: Request, next: Next) -> Response {
    let Some(g) = request.extensions().get::<RequestContext>().cloned() else {
        return next.run(request).await;
    };
    let method = request.method().clone();
    let path = request.uri().path();
    let span = request_span(g.request_id(), g.tracking_id().as_str(), method.as_str(), path);
    async move {
        let start = Instant::now();
        let response = next.run(request).await;
        let report = response.extensions().get::<ErrorReport>().map(|report| report.0.clone());
        let took = start.elapsed();
        metrics::request(&method, response.status(), took);
        write(response.status(), report, took);
        response
    }
    .instrument(span)
    .await
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
        metrics::panic();
        return;
    }
    let reason = cause.traceback();
    let Some(withheld) = REASONS.permit(reason.clone()) else { return };
    if status >= 500 {
        error!(status, milliseconds, %reason, withheld, "request failed");
    } else {
        info!(status, milliseconds, %reason, withheld, "request refused");
    }
}
