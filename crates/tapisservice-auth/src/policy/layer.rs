//! The layer that enforces the policy of a route: it gathers the facts that [`check`] asks for.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum_core::body::Body;
use axum_core::response::{IntoResponse, Response};
use http::request::Parts;
use http::{Extensions, Method, Request};
use tapisservice_core::{AccountType, Error, Identity, RequestContext, ServiceError as _, framework};
use tower_layer::Layer;
use tower_service::Service;

use super::check::{Answer, Check, Discarded, Facts, MAX_QUESTIONS, Question, TokenState, check};
use super::{Authn, Callbacks, Policy, PolicyRequest};
use crate::authenticator::Unsettled;
use crate::layer::{context, record_outcome};
use crate::{AuthError, Authenticator, ResponseFuture};

/// Enforces a [`Policy`] on the inner service. It must be inside [`AuthLayer`](crate::AuthLayer): without that it fails every request
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

    /// Declares that the inner service has its own handler for OPTIONS, which needs no token (rule A20).
    #[must_use]
    pub fn with_options_handler(self, own_options: bool) -> Self {
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

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let g = match context(request.extensions()) {
            Ok(g) => g,
            Err(missing) => return ResponseFuture::refused(missing.into()),
        };
        let facts = self.rule.facts(g, &request);
        match check(&self.rule.policy, &facts) {
            Check::Pass => ResponseFuture::passed(self.inner.call(request)),
            Check::Refuse(error) => ResponseFuture::refused(error),
            Check::Ask(_) => self.call_later(g.clone(), facts, request),
        }
    }
}

impl<S> PolicyService<S>
where
    S: Service<Request<Body>, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    fn call_later(
        &mut self,
        g: RequestContext,
        facts: Facts,
        request: Request<Body>,
    ) -> ResponseFuture<S::Future> {
        // Take the service that is ready and leave the clone, which may not be (see tower's docs on `Service::poll_ready`).
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let rule = self.rule.clone();
        ResponseFuture::waiting(Box::pin(async move {
            // A body need not be `Sync`, so it must not be borrowed across an await.
            let (mut parts, body) = request.into_parts();
            match rule.enforce(&g, &mut parts, facts).await {
                Ok(()) => inner.call(Request::from_parts(parts, body)).await,
                Err(error) => Ok(error.into_response()),
            }
        }))
    }
}

/// A policy with what all policies of a service share. In an `Arc`, because every request clones it.
#[derive(Debug, Clone)]
struct Rule {
    policy: Policy,
    authenticator: Authenticator,
    callbacks: Callbacks,
    own_options: bool,
}

impl Rule {
    /// The facts that are known before any question.
    fn facts(&self, g: &RequestContext, request: &Request<Body>) -> Facts {
        let asked_if = |callback: bool| callback.then_some(Answer::Unknown);
        Facts {
            token: token_state(g, request.extensions()),
            caller: caller(g),
            tenant: tenant(g),
            is_own_options: self.own_options && request.method() == Method::OPTIONS,
            authn: asked_if(self.callbacks.authn.is_some()),
            authz: asked_if(self.callbacks.authz.is_some()),
            policy: Answer::Unknown,
        }
    }

    /// Checks a request, and answers the questions of the check, until it passes or is rejected.
    async fn enforce(&self, g: &RequestContext, parts: &mut Parts, mut facts: Facts) -> Result<(), Error> {
        for _ in 0..=MAX_QUESTIONS {
            match check(&self.policy, &facts) {
                Check::Pass => return Ok(()),
                Check::Refuse(error) => return Err(error),
                Check::Ask(question) => self.ask(question, g, parts, &mut facts).await,
            }
        }
        // Unreachable, because no question is asked twice. If a change breaks that, fail closed.
        Err(Error::service_config("The policy of the route reached no decision."))
    }

    /// Answers a question, and stores the answer in `facts` and `g`.
    async fn ask(&self, question: Question<'_>, g: &RequestContext, parts: &mut Parts, facts: &mut Facts) {
        match question {
            Question::Token => facts.token = self.settle(g, parts).await,
            Question::WithoutToken(why) => {
                self.discard_token(why, g, parts);
                facts.token = TokenState::Discarded;
            }
            // Return early: reading `g` below would lose the reason why there is no tenant.
            Question::TenantByHost => return facts.tenant = self.tenant_by_host(g, parts).await.into(),
            Question::Authn => facts.authn = Some(self.authn(g, parts).await.into()),
            Question::Authz => facts.authz = Some(self.authz(g, parts).await.into()),
            Question::Policy(callback) => facts.policy = callback(PolicyRequest::new(g, parts)).await.into(),
        }
        (facts.caller, facts.tenant) = (caller(g), tenant(g));
    }

    /// Decides about a token that a newer registry may accept.
    async fn settle(&self, g: &RequestContext, parts: &mut Parts) -> TokenState {
        let Some(Unsettled::Pending(miss)) = parts.extensions.remove() else { return TokenState::Unread };
        match self.authenticator.authenticate_after_refresh(miss, &parts.headers).await {
            Ok(outcome) => {
                record_outcome(g, outcome);
                TokenState::Settled
            }
            Err(error) => TokenState::Refused(error),
        }
    }

    /// Treats the request as one without a token: its tenant is that of the Host, if it is known (rule H5).
    fn discard_token(&self, why: Discarded, g: &RequestContext, parts: &mut Parts) {
        parts.extensions.remove::<Unsettled>();
        match why {
            Discarded::Rejected => framework::set_token_rejected(g),
            Discarded::Ignored => framework::ignore_token(g),
        }
        if let Ok(tenant) = self.authenticator.known_tenant_by_host(&parts.headers) {
            framework::set_request_tenant(g, tenant);
        }
    }

    async fn tenant_by_host(&self, g: &RequestContext, parts: &Parts) -> Result<(), Error> {
        let tenant = self.authenticator.tenant_by_host(&parts.headers).await;
        framework::set_request_tenant(g, tenant?);
        Ok(())
    }

    async fn authn(&self, g: &RequestContext, parts: &Parts) -> Result<(), Error> {
        let found = match &self.callbacks.authn {
            Some(authn) => authn(PolicyRequest::new(g, parts)).await?,
            None => Authn::Refused,
        };
        match found {
            Authn::Refused => return Err(AuthError::NoToken.to_error()),
            Authn::Anonymous => {}
            Authn::Identified { tenant, username, account_type } => {
                let identity = framework::identity_without_token(tenant, username, account_type);
                framework::set_identity(g, identity);
            }
        }
        Ok(())
    }

    async fn authz(&self, g: &RequestContext, parts: &Parts) -> Result<(), Error> {
        match &self.callbacks.authz {
            Some(authz) => authz(PolicyRequest::new(g, parts)).await,
            None => Ok(()),
        }
    }
}

fn token_state(g: &RequestContext, extensions: &Extensions) -> TokenState {
    if g.is_authenticated() {
        return TokenState::Settled;
    }
    match extensions.get() {
        Some(Unsettled::Pending(_)) => TokenState::Pending,
        Some(Unsettled::Refused(error)) => TokenState::Refused(error.clone()),
        None => TokenState::Unread,
    }
}

fn caller(g: &RequestContext) -> Option<AccountType> {
    g.identity().map(Identity::account_type)
}

fn tenant(g: &RequestContext) -> Answer {
    if g.request_tenant().is_some() { Answer::Yes } else { Answer::Unknown }
}
