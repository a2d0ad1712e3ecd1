//! `g`: the context of the current request.

use std::any::type_name;
use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};

use http::{Extensions, Method, Uri};
use parking_lot::RwLock;
use tokio::task::futures::TaskLocalFuture;
use tokio::time::Instant;
use uuid::Uuid;

use crate::framework::MatchedRoute;
use crate::{AccessToken, Identity, RequestTenant, Result, SiteId, TenantId, TrackingId, Username};

tokio::task_local! {
    static CURRENT: RequestContext;
}

/// What all requests of a service share.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServiceInfo {
    /// The service's name (`service_name` in the configuration).
    pub name: String,
    /// The version in every envelope (`version` in the configuration).
    pub version: String,
}

impl ServiceInfo {
    /// A service with this name and version.
    pub fn new(name: impl Into<String>, version: impl Into<String>) -> Self {
        Self { name: name.into(), version: version.into() }
    }
}

/// The request-scoped context, always bound as `g`. Cheap to clone: all clones share one state.
///
/// It is an extractor. Code without access to the extractor reaches the same context with [`g()`](g()) or
/// [`RequestContext::current`], within the task of the request. Pass it to a spawned task with [`RequestContext::scope`].
///
/// Services use the pair [`request_username`](Self::request_username) and
/// [`request_tenant_id`](Self::request_tenant_id). The claims of the token itself, which in a service token name the calling *service*,
/// are behind [`token`](Self::token), so that the two cannot be confused.
#[derive(Clone)]
pub struct RequestContext(Arc<Inner>);

struct Inner {
    service: Arc<ServiceInfo>,
    request_id: Arc<str>,
    // Made when it is first asked for: few requests need one, and making it costs 5 % of a request with a known token.
    tracking_id: OnceLock<TrackingId>,
    started: Instant,
    method: Method,
    uri: Uri,
    pretty: bool,
    user_token_hash: Option<String>,
    background_task: Option<Arc<str>>,
    route: OnceLock<Arc<MatchedRoute>>,
    tenant: OnceLock<Arc<RequestTenant>>,
    identity: OnceLock<Identity>,
    authentication: AtomicU8,
    values: RwLock<Extensions>,
}

/// The state of authentication.
#[derive(Clone, Copy)]
#[repr(u8)]
enum Authentication {
    Pending,
    Settled,
    TokenRejected,
    TokenIgnored,
}

/// There is no request context.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("no request context: the ContextLayer is missing, or a task was spawned without g.scope(..)")]
pub struct MissingContext;

/// Builds a [`RequestContext`]; used by the context layer of the framework and by tests.
#[must_use]
#[derive(Debug)]
pub struct RequestContextBuilder {
    service: Arc<ServiceInfo>,
    request_id: Option<Arc<str>>,
    tracking_id: Option<TrackingId>,
    method: Method,
    uri: Uri,
    pretty: bool,
    user_token_hash: Option<String>,
    background_task: Option<Arc<str>>,
}

impl RequestContextBuilder {
    /// The method and target of the request; `GET /` by default.
    pub fn target(mut self, method: Method, uri: Uri) -> Self {
        self.method = method;
        self.uri = uri;
        self
    }

    /// The id of this request; a new random one by default.
    pub fn request_id(mut self, request_id: impl Into<Arc<str>>) -> Self {
        self.request_id = Some(request_id.into());
        self
    }

    /// The caller's tracking id; a new one by default.
    pub fn tracking_id(mut self, tracking_id: Option<TrackingId>) -> Self {
        self.tracking_id = tracking_id;
        self
    }

    /// Whether the response is indented (`?pretty=true`).
    pub fn pretty(mut self, pretty: bool) -> Self {
        self.pretty = pretty;
        self
    }

    /// `X-Tapis-User-Token-Hash`, forwarded without being read.
    pub fn user_token_hash(mut self, hash: Option<String>) -> Self {
        self.user_token_hash = hash;
        self
    }

    /// The background task that this is a run of. There is no request then: the method and target mean nothing.
    pub fn background_task(mut self, name: impl Into<Arc<str>>) -> Self {
        self.background_task = Some(name.into());
        self
    }

    /// Builds the context. The request starts now.
    pub fn build(self) -> RequestContext {
        RequestContext(Arc::new(Inner {
            request_id: self.request_id.unwrap_or_else(random_request_id),
            tracking_id: self.tracking_id.map_or_else(OnceLock::new, OnceLock::from),
            started: Instant::now(),
            service: self.service,
            method: self.method,
            uri: self.uri,
            pretty: self.pretty,
            user_token_hash: self.user_token_hash,
            background_task: self.background_task,
            route: OnceLock::new(),
            tenant: OnceLock::new(),
            identity: OnceLock::new(),
            authentication: AtomicU8::new(Authentication::Pending as u8),
            values: RwLock::default(),
        }))
    }
}

impl RequestContext {
    /// Returns a builder for the context of one request.
    pub fn builder(service: Arc<ServiceInfo>) -> RequestContextBuilder {
        RequestContextBuilder {
            service,
            request_id: None,
            tracking_id: None,
            method: Method::GET,
            uri: Uri::default(),
            pretty: false,
            user_token_hash: None,
            background_task: None,
        }
    }

    /// The context of the request that the current task handles.
    ///
    /// # Errors
    ///
    /// Outside a request.
    pub fn current() -> Result<Self, MissingContext> {
        CURRENT.try_with(Clone::clone).map_err(|_| MissingContext)
    }

    /// Runs `future` with this context as [`RequestContext::current`]; for tasks spawned by a handler.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use tapisservice_core::{RequestContext, ServiceInfo};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # let g = RequestContext::builder(Arc::new(ServiceInfo::new("demo", "1"))).build();
    /// let id = g.request_id().to_owned();
    /// let task = tokio::spawn(g.scope(async { tapisservice_core::g().unwrap().request_id().to_owned() }));
    /// assert_eq!(task.await.unwrap(), id);
    /// # }
    /// ```
    pub fn scope<F: Future>(&self, future: F) -> TaskLocalFuture<Self, F> {
        CURRENT.scope(self.clone(), future)
    }

    /// Runs `f` with this context as [`RequestContext::current`]; for blocking tasks and `poll` functions.
    pub fn sync_scope<R>(&self, f: impl FnOnce() -> R) -> R {
        CURRENT.sync_scope(self.clone(), f)
    }

    /// The id of this request.
    pub fn request_id(&self) -> &str {
        &self.0.request_id
    }

    /// The id of the unit of work the request belongs to: the caller's, or a new one, generated on first use.
    pub fn tracking_id(&self) -> &TrackingId {
        self.0.tracking_id.get_or_init(|| TrackingId::generate(&self.0.service.name))
    }

    /// When the request arrived.
    pub fn started(&self) -> Instant {
        self.0.started
    }

    /// The method of the request.
    pub fn method(&self) -> &Method {
        &self.0.method
    }

    /// The target of the request. Its query may contain secrets: log [`path`](Self::path) instead.
    pub fn uri(&self) -> &Uri {
        &self.0.uri
    }

    /// The path of the request, without its query.
    pub fn path(&self) -> &str {
        self.0.uri.path()
    }

    /// The template of the route that the request was matched to, base path included: `/v3/bookmarks/{id}`. `None` before routing, and
    /// where no route matches.
    pub fn route(&self) -> Option<&str> {
        self.matched_route().map(|route| &*route.template)
    }

    /// The name of the background task that this is a run of; `None` in a request. Log lines show it in place of the method and path.
    pub fn background_task(&self) -> Option<&str> {
        self.0.background_task.as_deref()
    }

    /// The service that handles the request.
    pub fn service(&self) -> &ServiceInfo {
        &self.0.service
    }

    /// Whether the response is indented.
    pub fn pretty(&self) -> bool {
        self.0.pretty
    }

    /// `X-Tapis-User-Token-Hash`.
    pub fn x_tapis_user_token_hash(&self) -> Option<&str> {
        self.0.user_token_hash.as_deref()
    }

    /// The caller, unless the request is anonymous.
    pub fn identity(&self) -> Option<&Identity> {
        if self.is(Authentication::TokenIgnored) { None } else { self.0.identity.get() }
    }

    /// The user the request is for: the on-behalf-of user if a service calls, otherwise the user of the token.
    pub fn request_username(&self) -> Option<&Username> {
        self.identity().map(Identity::username)
    }

    /// The tenant the request is for; for an anonymous request the tenant of the Host, if there is one.
    pub fn request_tenant(&self) -> Option<&RequestTenant> {
        self.identity().map(Identity::tenant).or_else(|| self.0.tenant.get().map(|tenant| &**tenant))
    }

    /// The id of [`request_tenant`](Self::request_tenant).
    pub fn request_tenant_id(&self) -> Option<&TenantId> {
        self.request_tenant().map(|t| &t.tenant_id)
    }

    /// The `base_url` of [`request_tenant`](Self::request_tenant), without a trailing slash.
    pub fn request_tenant_base_url(&self) -> Option<&str> {
        self.request_tenant().map(|t| &*t.base_url)
    }

    /// The site that owns [`request_tenant`](Self::request_tenant).
    pub fn request_site_id(&self) -> Option<&SiteId> {
        self.request_tenant().map(|t| &t.site_id)
    }

    /// The caller's own token.
    pub fn token(&self) -> Option<&AccessToken> {
        self.identity().and_then(Identity::token)
    }

    /// `tapis/target_site` of a service token.
    pub fn site_id(&self) -> Option<&SiteId> {
        self.token().and_then(|t| t.claims().target_site.as_ref())
    }

    /// Sets the identity, once: later calls change nothing and return `false`.
    pub(crate) fn set_identity(&self, identity: Identity) -> bool {
        self.0.identity.set(identity).is_ok()
    }

    /// Whether authentication is complete: the request has an identity or is anonymous.
    pub fn is_authenticated(&self) -> bool {
        !self.is(Authentication::Pending)
    }

    /// Marks authentication as complete.
    pub(crate) fn set_authenticated(&self) {
        self.set(Authentication::Settled);
    }

    /// Whether the request is anonymous because its token was rejected: an invalid or expired one, on a route with an optional token
    /// (rule A20).
    pub fn is_token_rejected(&self) -> bool {
        self.is(Authentication::TokenRejected)
    }

    /// Marks the token of this request as rejected: the request is anonymous.
    pub(crate) fn set_token_rejected(&self) {
        self.set(Authentication::TokenRejected);
    }

    /// Makes the request anonymous, whatever token it has: its route ignores tokens (rules A20 and D4).
    pub(crate) fn ignore_token(&self) {
        self.set(Authentication::TokenIgnored);
    }

    pub(crate) fn matched_route(&self) -> Option<&MatchedRoute> {
        self.0.route.get().map(AsRef::as_ref)
    }

    /// Sets the route. Once only: later calls change nothing.
    pub(crate) fn set_route(&self, route: Arc<MatchedRoute>) {
        let _ = self.0.route.set(route);
    }

    fn is(&self, state: Authentication) -> bool {
        self.0.authentication.load(Ordering::Relaxed) == state as u8
    }

    fn set(&self, state: Authentication) {
        self.0.authentication.store(state as u8, Ordering::Relaxed);
    }

    /// Sets the tenant of an anonymous request, once: later calls change nothing and return `false`.
    pub(crate) fn set_request_tenant(&self, tenant: impl Into<Arc<RequestTenant>>) -> bool {
        self.0.tenant.set(tenant.into()).is_ok()
    }

    /// Stores a value of the service for the rest of the request, and returns the previous one of that type.
    pub fn insert<T: Clone + Send + Sync + 'static>(&self, value: T) -> Option<T> {
        self.0.values.write().insert(value)
    }

    /// A value stored with [`insert`](Self::insert).
    pub fn get<T: Clone + Send + Sync + 'static>(&self) -> Option<T> {
        self.0.values.read().get::<T>().cloned()
    }
}

impl fmt::Debug for RequestContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(type_name::<Self>().rsplit("::").next().unwrap_or_default())
            .field("request_id", &self.request_id())
            .field("tracking_id", &self.tracking_id().as_str())
            .field("request_tenant", &self.request_tenant())
            .field("identity", &self.identity())
            .finish_non_exhaustive()
    }
}

/// A UUID (version 4) to tell things apart by. It is no secret, so that it need not come from the operating system.
pub(crate) fn random_uuid() -> Uuid {
    uuid::Builder::from_random_bytes(fastrand::u128(..).to_ne_bytes()).into_uuid()
}

fn random_request_id() -> Arc<str> {
    Arc::from(&*random_uuid().hyphenated().encode_lower(&mut Uuid::encode_buffer()))
}

/// The context of the request that the current task handles: short for [`RequestContext::current`].
///
/// # Errors
///
/// Outside of a request.
pub fn g() -> Result<RequestContext, MissingContext> {
    RequestContext::current()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AccountType;

    fn context() -> RequestContext {
        let service = ServiceInfo { name: "bookmarks".into(), version: "1".into() };
        RequestContext::builder(Arc::new(service)).build()
    }

    fn identity(name: &str) -> Identity {
        let tenant = RequestTenant {
            tenant_id: TenantId::new("tacc").unwrap(),
            base_url: "https://tacc.tapis.test".into(),
            site_id: SiteId::new("tacc").unwrap(),
        };
        Identity::without_token(tenant, Username::new(name).unwrap(), AccountType::User)
    }

    #[test]
    fn identity_is_write_once() {
        let g = context();
        assert!(g.set_identity(identity("alice")));
        assert!(!g.clone().set_identity(identity("mallory")));
        assert_eq!(*g.request_username().unwrap(), "alice");
    }

    #[test]
    fn an_ignored_token_leaves_the_request_anonymous() {
        let g = context();
        assert!(!g.is_authenticated());
        g.set_identity(identity("alice"));
        g.set_authenticated();
        assert!(g.is_authenticated() && g.identity().is_some());
        g.ignore_token();
        assert!(g.is_authenticated() && !g.is_token_rejected());
        assert!(g.identity().is_none() && g.request_tenant().is_none() && g.token().is_none());
    }

    #[test]
    fn values_of_the_service_travel_by_type() {
        let g = context();
        g.insert(7_u8);
        g.clone().insert("seven");
        assert_eq!((g.get::<u8>(), g.get::<&str>(), g.get::<i64>()), (Some(7), Some("seven"), None));
    }

    #[tokio::test]
    async fn current_is_the_context_of_the_scope_and_absent_outside() {
        assert!(RequestContext::current().is_err());
        let (a, b) = (context(), context());
        let inner = a.scope(async { b.scope(async { g().unwrap().request_id().to_owned() }).await }).await;
        assert_eq!(inner, b.request_id());
        assert_eq!(a.sync_scope(|| g().unwrap().request_id().to_owned()), a.request_id());
    }
}
