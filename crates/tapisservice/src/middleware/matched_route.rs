//! Tells `g` which route a request was matched to: the label `http_route` of the metrics.

use std::sync::Arc;
use std::task::{Context, Poll};

use axum::extract::Request;
use tapisservice_core::RequestContext;
use tapisservice_core::framework::{self, MatchedRoute};
use tower_layer::Layer;
use tower_service::Service;

/// Sets the route of the requests that reach it. It wraps the policy, so that rejected requests have a route too.
#[derive(Debug, Clone)]
pub(crate) struct MatchedRouteLayer {
    route: Arc<MatchedRoute>,
}

impl MatchedRouteLayer {
    pub(crate) fn new(route: MatchedRoute) -> Self {
        Self { route: route.into() }
    }
}

impl<S> Layer<S> for MatchedRouteLayer {
    type Service = MatchedRouteService<S>;

    fn layer(&self, inner: S) -> MatchedRouteService<S> {
        MatchedRouteService { inner, route: self.route.clone() }
    }
}

/// Sets the route before its inner service is called.
#[derive(Debug, Clone)]
pub(crate) struct MatchedRouteService<S> {
    inner: S,
    route: Arc<MatchedRoute>,
}

impl<S: Service<Request>> Service<Request> for MatchedRouteService<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> S::Future {
        if let Some(g) = request.extensions().get::<RequestContext>() {
            framework::set_route(g, self.route.clone());
        }
        self.inner.call(request)
    }
}
