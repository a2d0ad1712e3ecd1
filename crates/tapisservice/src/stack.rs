//! The middleware stack, in one visible list.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use tapisservice_auth::{AuthLayer, Authenticator};
use tapisservice_core::ServiceInfo;
use tapisservice_serve::Limits;
use tower::ServiceBuilder;
use tower_service::Service;

use crate::metrics::RequestMetrics;
use crate::middleware::catch_panic::CatchPanicLayer;
use crate::middleware::context::ContextLayer;
use crate::middleware::error_mapper::{ErrorMapper, ErrorMapperLayer};
use crate::middleware::limits::LimitsLayer;
use crate::middleware::normalize_path;
use crate::middleware::trace::TraceLayer;

/// What the layers need to know.
#[derive(Debug, Clone)]
pub(crate) struct StackSettings {
    pub(crate) service: Arc<ServiceInfo>,
    pub(crate) limits: Limits,
    pub(crate) error_mapper: Arc<ErrorMapper>,
    pub(crate) authenticator: Authenticator,
    pub(crate) metrics: Arc<RequestMetrics>,
}

/// Puts the stack around a router, so that it covers every route and the fallback.
///
/// Every layer calls its inner service at once and wraps the future, so none has to clone what is inside it or to allocate. One boxed
/// future costs 1 % of a request with a known token, and there are seven layers.
pub(crate) fn around(
    router: Router,
    settings: StackSettings,
) -> impl Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send + Sync {
    let StackSettings { service, limits, error_mapper, authenticator, metrics } = settings;
    ServiceBuilder::new()
        // Before a route is chosen: paths as people and proxies write them.
        .map_request(normalize_path::normalize_path::<Body>)
        // g exists before anything can fail, so that every failure has ids and a version.
        .layer(ContextLayer::new(service))
        // Around the rendering of failures: its one line knows how the request ended.
        .layer(TraceLayer::new(metrics))
        // Everything below may fail in its own way; above here every answer is an envelope.
        .layer(ErrorMapperLayer::new(error_mapper))
        // A panic becomes a failure that the mapper renders.
        .layer(CatchPanicLayer)
        // Limits come before authentication: it may wait for the registry.
        .layer(LimitsLayer::new(limits))
        // Who is it? What a route allows is decided inside, by the route's own policy.
        .layer(AuthLayer::new(authenticator))
        .service(router)
}
