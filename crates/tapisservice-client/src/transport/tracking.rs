//! The tracking id and the log line of a call.

use std::sync::Arc;

use http::{Extensions, HeaderName, HeaderValue};
use reqwest::{Request, Response};
use reqwest_middleware::{Middleware, Next, Result};
use tokio::time::Instant;

use super::{CallDestination, redacted};

/// `X-Tapis-Tracking-ID`.
pub(crate) const TRACKING_HEADER: HeaderName = HeaderName::from_static("x-tapis-tracking-id");

/// Passes on the tracking id of the current request, unless the call has its own, and logs the outcome.
pub(super) struct Tracking(pub(super) Arc<CallDestination>);

#[async_trait::async_trait]
impl Middleware for Tracking {
    async fn handle(
        &self,
        mut req: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response> {
        if !req.headers().contains_key(TRACKING_HEADER)
            && let Ok(g) = tapisservice_core::g()
            && let Ok(id) = HeaderValue::from_str(g.tracking_id().as_str())
        {
            req.headers_mut().insert(TRACKING_HEADER, id);
        }
        if !tracing::enabled!(tracing::Level::DEBUG) {
            return next.run(req, extensions).await;
        }
        let (method, url, start) = (req.method().clone(), redacted(req.url()), Instant::now());
        let outcome = next.run(req, extensions).await;
        let status = outcome.as_ref().ok().map(|response| response.status().as_u16());
        let (site, service) = (&self.0.site, &self.0.service);
        let milliseconds = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::debug!(%method, url, site, service, status, milliseconds, "outgoing request completed");
        outcome
    }
}
