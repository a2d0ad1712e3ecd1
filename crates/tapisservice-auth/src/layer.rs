//! The layer that authenticates requests.
//!
//! It applies the decision of [`Authenticator`]: it sets the identity in `g`, or passes a request without a token on as
//! anonymous. It leaves invalid tokens and cache misses to the policy of the route, which may be one that ignores
//! tokens.

use std::convert::Infallible;
use std::task::{Context, Poll};

use axum_core::body::Body;
use axum_core::response::Response;
use http::{Extensions, Request};
use tapisservice_core::{MissingContext, RequestContext, framework};
use tower_layer::Layer;
use tower_service::Service;

use crate::{Authenticator, Outcome, ResponseFuture};

/// Wraps a service in [`AuthService`]. Place it inside the context layer and outside the router.
///
/// It rejects no request: the [`PolicyLayer`](crate::PolicyLayer) of each route does.
#[derive(Debug, Clone)]
pub struct AuthLayer {
    authenticator: Authenticator,
}

impl AuthLayer {
    /// A layer that authenticates with `authenticator`.
    pub fn new(authenticator: Authenticator) -> Self {
        Self { authenticator }
    }
}

impl<S> Layer<S> for AuthLayer {
    type Service = AuthService<S>;

    fn layer(&self, inner: S) -> AuthService<S> {
        AuthService { inner, authenticator: self.authenticator.clone() }
    }
}

/// Authenticates a request before its inner service sees it.
#[derive(Debug, Clone)]
pub struct AuthService<S> {
    inner: S,
    authenticator: Authenticator,
}

impl<S> Service<Request<Body>> for AuthService<S>
where
    S: Service<Request<Body>, Response = Response, Error = Infallible>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let g = match context(request.extensions()) {
            Ok(g) => g,
            Err(missing) => return ResponseFuture::refused(missing.into()),
        };
        match self.authenticator.try_authenticate(request.headers()) {
            Ok(outcome) => record_outcome(g, outcome),
            Err(unsettled) => {
                request.extensions_mut().insert(unsettled);
            }
        }
        ResponseFuture::passed(self.inner.call(request))
    }
}

/// Stores the outcome in `g`.
pub(crate) fn record_outcome(g: &RequestContext, outcome: Outcome) {
    framework::set_authenticated(g);
    match outcome {
        Outcome::Identified(identity) => {
            framework::set_identity(g, identity);
        }
        Outcome::Anonymous { tenant: Ok(tenant) } => {
            framework::set_request_tenant(g, tenant);
        }
        Outcome::Anonymous { tenant: Err(_) } => {}
    }
}

pub(crate) fn context(extensions: &Extensions) -> Result<&RequestContext, MissingContext> {
    extensions.get().ok_or(MissingContext)
}
