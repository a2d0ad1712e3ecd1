//! The middleware stack, in one visible list.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use tapisservice_auth::{AuthLayer, Authenticator};
use tapisservice_core::{Error, ServiceInfo};
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;

use crate::middleware::error_mapper::{self, ErrorMapper};
use crate::middleware::{catch_panic, context, limits, trace};
use crate::serve::Limits;

/// What the layers need to know.
#[derive(Debug, Clone)]
pub(crate) struct StackSettings {
    pub(crate) service: Arc<ServiceInfo>,
    pub(crate) limits: Limits,
    pub(crate) error_mapper: Arc<ErrorMapper>,
    pub(crate) authenticator: Authenticator,
}

/// Puts the stack around a router: last, so that it covers every route and the fallback. What has to happen before a route is
/// chosen ([`crate::middleware::tidy_path`]) happens around the result.
pub(crate) fn around(router: Router, settings: StackSettings) -> Router {
    let StackSettings { service, limits, error_mapper, authenticator } = settings;
    let stack = ServiceBuilder::new()
        // g exists before anything can fail, so that every failure has ids and a version.
        .layer(from_fn_with_state(service, context::provide))
        // The span covers the rendering of failures: its one line knows how the request ended.
        .layer(from_fn(trace::follow))
        // Everything below may fail in its own way; above here every answer is an envelope.
        .layer(from_fn_with_state(error_mapper, error_mapper::render))
        // A panic becomes a failure that the mapper renders.
        .layer(CatchPanicLayer::custom(catch_panic::answer))
        // Limits come before authentication: it may wait for the registry.
        .layer(DefaultBodyLimit::max(limits.max_body_bytes))
        .layer(from_fn_with_state(limits, limits::enforce))
        // Who is it? What a route allows is decided inside, by the route's own policy.
        .layer(AuthLayer::new(authenticator));
    router.fallback(no_such_path).layer(stack)
}

async fn no_such_path() -> Error {
    Error::not_found("The path does not exist.")
}
