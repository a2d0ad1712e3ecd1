//! The layer that says who a request is from.
//!
//! It carries the decision of [`Authenticator`] and decides nothing itself: a refused request is answered here, an identity
//! is set in `g`, a request without a token goes on for the policy of its route to decide.

use std::convert::Infallible;
use std::task::{Context, Poll};

use axum_core::body::Body;
use axum_core::response::{IntoResponse, Response};
use http::{Extensions, Request};
use tapisservice_core::{Error, MissingContext, RequestContext};
use tower_layer::Layer;
use tower_service::Service;

use crate::authenticator::Missed;
use crate::token_digest::LastToken;
use crate::{Authenticator, Outcome, ResponseFuture};

/// Puts [`AuthService`] around a service; inside the context layer, outside the router.
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
        AuthService { inner, authenticator: self.authenticator.clone(), last: LastToken::default() }
    }
}

/// Authenticates a request before its inner service sees it. Each connection has a clone of its own, which knows the token that the
/// connection showed last.
#[derive(Debug, Clone)]
pub struct AuthService<S> {
    inner: S,
    authenticator: Authenticator,
    last: LastToken,
}

impl<S> Service<Request<Body>> for AuthService<S>
where
    S: Service<Request<Body>, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response;
    type Error = Infallible;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let g = match context(request.extensions()) {
            Ok(g) => g,
            Err(missing) => return ResponseFuture::refused(missing.into()),
        };
        match self.authenticator.authenticate_at_once(request.headers(), &mut self.last) {
            Ok(Ok(outcome)) => {
                note(g, outcome);
                ResponseFuture::passed(self.inner.call(request))
            }
            Ok(Err(refusal)) => ResponseFuture::refused(refusal.into()),
            Err(missed) => self.call_later(missed, request),
        }
    }
}

impl<S> AuthService<S>
where
    S: Service<Request<Body>, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    fn call_later(&mut self, missed: Missed, request: Request<Body>) -> ResponseFuture<S::Future> {
        // The service that is ready goes along with the request, its clone stays.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let authenticator = self.authenticator.clone();
        ResponseFuture::waiting(Box::pin(async move {
            // A body need not be `Sync`, so it must not be borrowed while something is waited for.
            let (parts, body) = request.into_parts();
            let decided = authenticator.authenticate_again(missed, &parts.headers).await;
            let noted = decided.map_err(Error::from).and_then(|outcome| {
                note(context(&parts.extensions)?, outcome);
                Ok(())
            });
            match noted {
                Ok(()) => inner.call(Request::from_parts(parts, body)).await,
                Err(error) => Ok(error.into_response()),
            }
        }))
    }
}

/// Keeps what was found out in `g`.
fn note(g: &RequestContext, outcome: Outcome) {
    g.set_authenticated();
    match outcome {
        Outcome::Identified(identity) => {
            g.set_identity(identity);
        }
        Outcome::Anonymous { tenant: Ok(tenant) } => {
            g.set_request_tenant(tenant);
        }
        Outcome::Anonymous { tenant: Err(_) } => {}
    }
}

pub(crate) fn context(extensions: &Extensions) -> Result<&RequestContext, MissingContext> {
    extensions.get().ok_or(MissingContext)
}
