//! The middleware stack, as one list.

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

/// The settings of the layers.
#[derive(Debug, Clone)]
pub(crate) struct StackSettings {
    pub(crate) service: Arc<ServiceInfo>,
    pub(crate) limits: Limits,
    pub(crate) error_mapper: Arc<ErrorMapper>,
    pub(crate) authenticator: Authenticator,
    pub(crate) metrics: Arc<RequestMetrics>,
}

/// Wraps a router in the stack, so that it covers every route and the fallback.
///
/// Every layer calls its inner service directly and wraps the future, so no layer has to clone its inner service or to allocate. A boxed
/// future costs 1 % of a request with a known token, and there are seven layers.
pub(crate) fn wrap(
    router: Router,
    settings: StackSettings,
) -> impl Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send + Sync {
    let StackSettings { service, limits, error_mapper, authenticator, metrics } = settings;
    ServiceBuilder::new()
        // Before routing: duplicate and trailing slashes.
        .map_request(normalize_path::normalize_path::<Body>)
        // g exists before anything can fail, so that every failure has ids and a version.
        .layer(ContextLayer::new(service))
        // Outside of the error mapper: its log line shows how the request ended.
        .layer(TraceLayer::new(metrics))
        // Everything inside may fail in its own way. Outside of it every failure is an envelope.
        .layer(ErrorMapperLayer::new(error_mapper))
        // A panic becomes a failure that the error mapper renders.
        .layer(CatchPanicLayer)
        // Before authentication, which may wait for the registry.
        .layer(LimitsLayer::new(limits))
        // Authenticates. The policy of each route, inside, authorizes.
        .layer(AuthLayer::new(authenticator))
        .service(router)
}
