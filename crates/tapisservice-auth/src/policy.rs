//! Who may call a route.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum_core::body::Body;
use axum_core::response::{IntoResponse, Response};
use http::request::Parts;
use http::{Extensions, Method, Request};
use tapisservice_core::{AccountType, Error, RequestContext};
use tower_layer::Layer;
use tower_service::Service;

use crate::callback::boxed;
use crate::layer::context;
use crate::refusal::Refusal;
use crate::{Authenticator, Authn, BoxFuture, Callbacks, PolicyRequest, ResponseFuture};

/// Who may call a route. Every route has one.
///
/// OPTIONS needs no token and passes every policy (decision 2 of the conformance suite); a token that is sent was
/// verified before.
#[derive(Clone)]
pub struct Policy(Kind);

#[derive(Clone)]
enum Kind {
    Public {
        with_tenant: bool,
    },
    Authenticated,
    ServiceOnly,
    Callback {
        name: Arc<str>,
        allow: Arc<dyn Fn(PolicyRequest) -> BoxFuture<'static, Result<(), Error>> + Send + Sync>,
    },
}

impl Policy {
    /// Anybody, with or without a token; callbacks do not run.
    pub fn public() -> Self {
        Self(Kind::Public { with_tenant: false })
    }

    /// Anybody, but the request must be for a tenant: without a token the Host's (rule H5).
    pub fn public_with_tenant() -> Self {
        Self(Kind::Public { with_tenant: true })
    }

    /// Whoever has a valid token, or was let in by the `authn` callback; then the `authz` callback.
    pub fn authenticated() -> Self {
        Self(Kind::Authenticated)
    }

    /// As [`authenticated`](Self::authenticated), services only: users get 403.
    pub fn service_only() -> Self {
        Self(Kind::ServiceOnly)
    }

    /// As [`authenticated`](Self::authenticated), and then whoever `allow` lets pass. `name` stands for it in lists of routes.
    ///
    /// ```
    /// use tapisservice_auth::Policy;
    /// use tapisservice_core::Error;
    ///
    /// let policy = Policy::callback("admins", |request| async move {
    ///     match request.g.request_username() {
    ///         Some(name) if *name == "admin" => Ok(()),
    ///         _ => Err(Error::permissions("Only administrators may do this.")),
    ///     }
    /// });
    /// assert_eq!(policy.to_string(), "admins");
    /// ```
    pub fn callback<F, R>(name: impl Into<Arc<str>>, allow: F) -> Self
    where
        F: Fn(PolicyRequest) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), Error>> + Send + 'static,
    {
        Self(Kind::Callback { name: name.into(), allow: boxed(allow) })
    }

    /// What [`enforce`](Self::enforce) answers, when nothing has to be asked or waited for.
    fn enforce_at_once(
        &self,
        guard: &Guard,
        g: &RequestContext,
        method: &Method,
    ) -> Option<Result<(), Error>> {
        let nobody_asked = g.identity().is_some() && guard.callbacks.authz.is_none();
        match &self.0 {
            Kind::Public { with_tenant } => (!with_tenant || g.request_tenant().is_some()).then_some(Ok(())),
            _ if method == Method::OPTIONS => Some(Ok(())),
            Kind::Authenticated => nobody_asked.then_some(Ok(())),
            Kind::ServiceOnly => nobody_asked.then(|| check_service(g)),
            Kind::Callback { .. } => None,
        }
    }

    async fn enforce(&self, guard: &Guard, g: &RequestContext, parts: &Parts) -> Result<(), Error> {
        match &self.0 {
            Kind::Public { with_tenant } => {
                if *with_tenant && g.request_tenant().is_none() {
                    g.set_request_tenant(guard.authenticator.tenant_of_host(&parts.headers).await?);
                }
                Ok(())
            }
            _ if parts.method == Method::OPTIONS => Ok(()),
            Kind::Authenticated => guard.admit(g, parts).await,
            Kind::ServiceOnly => {
                guard.admit(g, parts).await?;
                check_service(g)
            }
            Kind::Callback { allow, .. } => {
                guard.admit(g, parts).await?;
                allow(PolicyRequest::new(g, parts)).await
            }
        }
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Kind::Public { with_tenant: false } => "public",
            Kind::Public { with_tenant: true } => "public_with_tenant",
            Kind::Authenticated => "authenticated",
            Kind::ServiceOnly => "service_only",
            Kind::Callback { name, .. } => name,
        })
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Policy({self})")
    }
}

fn check_service(g: &RequestContext) -> Result<(), Error> {
    match g.identity() {
        Some(identity) if identity.account_type() == AccountType::Service => Ok(()),
        _ => Err(Error::permissions("Only services may do this.")),
    }
}

/// What every policy of a service shares.
#[derive(Debug, Clone)]
struct Guard {
    authenticator: Authenticator,
    callbacks: Callbacks,
}

impl Guard {
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

/// Enforces a [`Policy`] on the route it is put around; inside [`AuthLayer`](crate::AuthLayer), without which it answers
/// every request with 500.
#[derive(Debug, Clone)]
pub struct PolicyLayer {
    rule: Arc<Rule>,
}

/// Shared, because every request clones it.
#[derive(Debug)]
struct Rule {
    policy: Policy,
    guard: Guard,
}

impl PolicyLayer {
    /// A layer that enforces `policy`.
    pub fn new(policy: Policy, authenticator: Authenticator, callbacks: Callbacks) -> Self {
        Self { rule: Arc::new(Rule { policy, guard: Guard { authenticator, callbacks } }) }
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
        let g = match authenticated_context(request.extensions()) {
            Ok(g) => g,
            Err(error) => return ResponseFuture::refused(error),
        };
        let Rule { policy, guard } = &*self.rule;
        match policy.enforce_at_once(guard, g, request.method()) {
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
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let rule = self.rule.clone();
        ResponseFuture::waiting(Box::pin(async move {
            let (parts, body) = request.into_parts();
            match rule.policy.enforce(&rule.guard, &g, &parts).await {
                Ok(()) => inner.call(Request::from_parts(parts, body)).await,
                Err(error) => Ok(error.into_response()),
            }
        }))
    }
}

/// The context of a request that somebody looked at for a token: a policy takes a request without an identity for one without
/// a token.
fn authenticated_context(extensions: &Extensions) -> Result<&RequestContext, Error> {
    let g = context(extensions)?;
    if g.is_authenticated() {
        Ok(g)
    } else {
        Err(Error::service_config("the service is not assembled correctly")
            .with_source(MissingAuthentication))
    }
}

/// A policy was asked about a request that nobody authenticated.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the request was not authenticated: the AuthLayer is missing around the PolicyLayer")]
struct MissingAuthentication;
