//! The layer that holds a route to its policy.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum_core::body::Body;
use axum_core::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, Method, Request};
use tapisservice_core::{Error, RequestContext};
use tower_layer::Layer;
use tower_service::Service;

use crate::layer::{Unsettled, context, note};
use crate::policy::{Kind, TokenUse, check_service};
use crate::refusal::Refusal;
use crate::{Authenticator, Authn, Callbacks, Policy, PolicyRequest, PublicPolicy, ResponseFuture};

/// Enforces a [`Policy`] on what it is put around; inside [`AuthLayer`](crate::AuthLayer), without which it answers every request
/// with 500.
#[derive(Debug, Clone)]
pub struct PolicyLayer {
    rule: Arc<Rule>,
}

impl PolicyLayer {
    /// A layer that enforces `policy` for every method.
    pub fn new(policy: impl Into<Policy>, authenticator: Authenticator, callbacks: Callbacks) -> Self {
        let rule = Rule { policy: policy.into(), authenticator, callbacks, own_options: false };
        Self { rule: Arc::new(rule) }
    }

    /// Says that OPTIONS has a handler of its own in here, which needs no token (rule A20).
    #[must_use]
    pub fn with_own_options(self, own_options: bool) -> Self {
        Self { rule: Arc::new(Rule { own_options, ..Rule::clone(&self.rule) }) }
    }
}

impl<S> Layer<S> for PolicyLayer {
    type Service = PolicyService<S>;

    fn layer(&self, inner: S) -> PolicyService<S> {
        PolicyService { inner, rule: self.rule.clone() }
    }
}

/// Enforces a [`Policy`] before its inner service sees a request.
#[derive(Debug, Clone)]
pub struct PolicyService<S> {
    inner: S,
    rule: Arc<Rule>,
}

impl<S> Service<Request<Body>> for PolicyService<S>
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
        match self.rule.enforce_at_once(g, request.method()) {
            Some(Ok(())) => ResponseFuture::passed(self.inner.call(request)),
            Some(Err(error)) => ResponseFuture::refused(error),
            None => self.call_later(g.clone(), request),
        }
    }
}

impl<S> PolicyService<S>
where
    S: Service<Request<Body>, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    fn call_later(&mut self, g: RequestContext, request: Request<Body>) -> ResponseFuture<S::Future> {
        // The service that is ready goes along with the request, its clone stays.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let rule = self.rule.clone();
        ResponseFuture::waiting(Box::pin(async move {
            // A body need not be `Sync`, so it must not be borrowed while something is waited for.
            let (mut parts, body) = request.into_parts();
            match rule.settle_and_enforce(&g, &mut parts).await {
                Ok(()) => inner.call(Request::from_parts(parts, body)).await,
                Err(error) => Ok(error.into_response()),
            }
        }))
    }
}

/// A policy, and what all policies of a service share. Shared, because every request clones it.
#[derive(Debug, Clone)]
struct Rule {
    policy: Policy,
    authenticator: Authenticator,
    callbacks: Callbacks,
    own_options: bool,
}

impl Rule {
    /// What [`settle_and_enforce`](Self::settle_and_enforce) answers, when nothing has to be asked or waited for.
    fn enforce_at_once(&self, g: &RequestContext, method: &Method) -> Option<Result<(), Error>> {
        if !g.is_authenticated() {
            return None;
        }
        let nobody_asked = g.identity().is_some() && self.callbacks.authz.is_none();
        match &self.policy.0 {
            Kind::Public(public) => admits_at_once(*public, g).then_some(Ok(())),
            _ if self.is_own_options(method) => Some(Ok(())),
            Kind::Authenticated => nobody_asked.then_some(Ok(())),
            Kind::ServiceOnly => nobody_asked.then(|| check_service(g)),
            Kind::Callback { .. } => None,
        }
    }

    async fn settle_and_enforce(&self, g: &RequestContext, parts: &mut Parts) -> Result<(), Error> {
        if self.policy.token_use() == TokenUse::Ignored {
            self.ignore_token(g, parts)?;
        } else if !g.is_authenticated() {
            let unsettled = parts.extensions.remove().ok_or_else(missing_authentication)?;
            self.settle(g, unsettled, &parts.headers).await?;
        }
        self.enforce(g, parts).await
    }

    async fn settle(
        &self,
        g: &RequestContext,
        unsettled: Unsettled,
        headers: &HeaderMap,
    ) -> Result<(), Refusal> {
        let decided = match unsettled {
            Unsettled::Refused(refusal) => Err(refusal),
            Unsettled::Missed(missed) => self.authenticator.authenticate_again(missed, headers).await,
        };
        match decided {
            Ok(outcome) => note(g, outcome),
            Err(refusal) if self.policy.token_use() == TokenUse::Optional && refusal.is_of_the_token() => {
                g.set_token_rejected();
                self.note_tenant_of_host(g, headers);
            }
            Err(refusal) => return Err(refusal),
        }
        Ok(())
    }

    /// Makes the request what it would be without a token.
    fn ignore_token(&self, g: &RequestContext, parts: &mut Parts) -> Result<(), Error> {
        match parts.extensions.remove() {
            // Not a matter of tokens: nobody may guess which Host is meant (RFC 9112, 3.2).
            Some(Unsettled::Refused(several @ Refusal::SeveralHosts)) => return Err(several.into()),
            Some(_) => {}
            None if g.is_authenticated() => {}
            None => return Err(missing_authentication()),
        }
        g.ignore_token();
        self.note_tenant_of_host(g, &parts.headers);
        Ok(())
    }

    /// The tenant that an anonymous request has, if its Host is known (rule H5).
    fn note_tenant_of_host(&self, g: &RequestContext, headers: &HeaderMap) {
        if let Ok(tenant) = self.authenticator.known_tenant_of_host(headers) {
            g.set_request_tenant(tenant);
        }
    }

    async fn enforce(&self, g: &RequestContext, parts: &Parts) -> Result<(), Error> {
        match &self.policy.0 {
            Kind::Public(public) => {
                if public.with_tenant && g.request_tenant().is_none() {
                    g.set_request_tenant(self.authenticator.tenant_of_host(&parts.headers).await?);
                }
                Ok(())
            }
            _ if self.is_own_options(&parts.method) => Ok(()),
            Kind::Authenticated => self.admit(g, parts).await,
            Kind::ServiceOnly => {
                self.admit(g, parts).await?;
                check_service(g)
            }
            Kind::Callback { allow, .. } => {
                self.admit(g, parts).await?;
                allow(PolicyRequest::new(g, parts)).await
            }
        }
    }

    fn is_own_options(&self, method: &Method) -> bool {
        self.own_options && method == Method::OPTIONS
    }

    /// Lets a request in that has an identity, or that the `authn` callback vouches for; then asks the `authz` callback.
    async fn admit(&self, g: &RequestContext, parts: &Parts) -> Result<(), Error> {
        if g.identity().is_none() {
            match self.recognise(g, parts).await? {
                Authn::Refused => return Err(Refusal::NoToken.into()),
                Authn::Anonymous => {}
                Authn::Identified(identity) => {
                    g.set_identity(identity);
                }
            }
        }
        match &self.callbacks.authz {
            Some(authz) => authz(PolicyRequest::new(g, parts)).await,
            None => Ok(()),
        }
    }

    async fn recognise(&self, g: &RequestContext, parts: &Parts) -> Result<Authn, Error> {
        match &self.callbacks.authn {
            Some(authn) => authn(PolicyRequest::new(g, parts)).await,
            None => Ok(Authn::Refused),
        }
    }
}

/// Whether a public route has all it needs, and the request is as the policy wants it.
fn admits_at_once(public: PublicPolicy, g: &RequestContext) -> bool {
    let is_as_without_token = public.token != TokenUse::Ignored || g.identity().is_none();
    is_as_without_token && (!public.with_tenant || g.request_tenant().is_some())
}

/// Nobody looked at the request for a token, and a policy would take it for one without.
fn missing_authentication() -> Error {
    Error::service_config("the service is not assembled correctly").with_source(MissingAuthentication)
}

/// A policy was asked about a request that nobody authenticated.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the request was not authenticated: the AuthLayer is missing around the PolicyLayer")]
struct MissingAuthentication;
