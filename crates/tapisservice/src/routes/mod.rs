//! Routes, each with the policy that says who may call it.

mod check;
mod error;
#[cfg(feature = "openapi")]
mod function;
mod handlers;
mod limits;
mod methods;
mod mount;
mod policy;
mod probe;

use std::fmt;

use std::time::Duration;

use axum::routing::MethodRouter;
use tapisservice_auth::Policy;
#[cfg(feature = "openapi")]
use utoipa::openapi::{Components, OpenApi};

use crate::BodyLimit;
#[cfg(feature = "openapi")]
use crate::docs;

pub use error::RouteError;
#[cfg(not(feature = "openapi"))]
use handlers::Handler;
pub use handlers::Handlers;
#[cfg(feature = "openapi")]
pub use handlers::{Handler, handler};
pub(crate) use limits::RouteLimits;
pub use methods::{Methods, RouteMethods};
pub(crate) use mount::Mounted;
pub use policy::RoutePolicy;

/// The routes of a service. Every route has a policy, which decides before any of its handlers runs, however they are mounted (F32).
///
/// ```
/// use tapisservice::prelude::*;
/// # use tapisservice::{App, Settings};
///
/// #[utoipa::path(get, path = "/greeting", operation_id = "greet", responses((status = 200)))]
/// async fn greet(identity: Identity) -> Envelope<String> {
///     Envelope::new(format!("hello {}", identity.username()))
/// }
///
/// let routes: Routes = Routes::new()
///     .add(Policy::authenticated(), handlers!(greet))
///     .route(Policy::public(), "/about", axum::routing::get(|| async { Envelope::new("a demonstration") }));
/// # let settings = [("service_name", "demo"), ("service_site_id", "tacc"), ("service_tenant_id", "admin"),
/// #     ("primary_site_admin_tenant_base_url", "http://127.0.0.1:1")];
/// # let config = Settings::loader().environment(settings).fallback_config("none", r#"{"tenants": []}"#).load().unwrap();
/// # let settings = Settings::from_config(&config).unwrap();
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let app = App::builder(settings).routes(routes).build().unwrap();
/// let listed: Vec<_> = app.routes().iter().map(ToString::to_string).collect();
/// assert!(listed.contains(&"GET    /greeting                authenticated          greet".to_owned()));
/// assert!(listed.contains(&"GET    /about                   public                 -".to_owned()));
/// # });
/// ```
///
/// A route without a policy does not compile:
///
/// ```compile_fail
/// use tapisservice::prelude::*;
///
/// let routes: Routes = Routes::new()
///     .route("/about", axum::routing::get(|| async { Envelope::new("a demonstration") }));
/// ```
#[must_use]
pub struct Routes<S = ()> {
    documented: Vec<(Access, Handler<S>)>,
    plain: Vec<(Access, String, MethodRouter<S>)>,
}

/// Policy and limits of a route.
#[derive(Clone)]
struct Access {
    policy: Policy,
    limits: RouteLimits,
}

/// A route, for lists of routes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RouteInfo {
    /// The method; `*` for a handler of all methods without their own: `any(..)`, a fallback, a nested service.
    pub method: String,
    /// The path, relative to the base path of the service.
    pub path: String,
    /// Who may call it.
    pub policy: String,
    /// Its `operationId`, if it is in the OpenAPI document.
    pub operation_id: Option<String>,
    /// The limits that differ from the settings, such as `timeout=300s body_limit=1073741824`. Empty if there are none.
    pub limits: String,
}

impl fmt::Display for RouteInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operation = self.operation_id.as_deref().unwrap_or("-");
        write!(f, "{:<6} {:<24} {:<22} {operation}", self.method, self.path, self.policy)?;
        if self.limits.is_empty() { Ok(()) } else { write!(f, " {}", self.limits) }
    }
}

impl<S> Default for Routes<S> {
    fn default() -> Self {
        Self { documented: Vec::new(), plain: Vec::new() }
    }
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    /// An empty set of routes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds handlers with `#[utoipa::path]`, collected by [`handlers!`](crate::handlers). Each is mounted at its method and path, below the
    /// base path of the service. The policy applies to each.
    pub fn add(mut self, policy: impl RoutePolicy, handlers: impl Into<Handlers<S>>) -> Self {
        let Handlers { handlers, limits } = handlers.into();
        let access = Access { policy: policy.into_policy(), limits };
        self.documented.extend(handlers.into_iter().map(|handler| (access.clone(), handler)));
        self
    }

    /// Adds a route that is not in the OpenAPI document. `methods` is a method router of axum, such as `get(show).post(change)`, and may have
    /// its own limits ([`RouteMethods`]).
    pub fn route(
        mut self,
        policy: impl RoutePolicy,
        path: impl Into<String>,
        methods: impl RouteMethods<S>,
    ) -> Self {
        let Methods { router, limits } = methods.into_methods();
        self.plain.push((Access { policy: policy.into_policy(), limits }, path.into(), router));
        self
    }

    /// Adds all routes of `other`.
    pub fn merge(mut self, other: Self) -> Self {
        self.documented.extend(other.documented);
        self.plain.extend(other.plain);
        self
    }

    /// Sets how large the bodies of these routes may be, in place of `max_body_bytes`. It applies to the routes that were added so far and
    /// have no limit yet.
    ///
    /// It is not a layer on the methods, so that a body with a large `Content-Length` is rejected before any code of the route runs. A large
    /// body needs time, too: see [`timeout`](Self::timeout). axum's `DefaultBodyLimit` on the methods can lower it for the extractors of axum,
    /// and never raises it.
    ///
    /// ```
    /// use axum::routing::post;
    /// use tapisservice::BodyLimit;
    /// use tapisservice::prelude::*;
    ///
    /// async fn upload(body: axum::body::Body) -> Envelope<()> {
    ///     // ..
    ///     Envelope::new(())
    /// }
    ///
    /// let uploads = Routes::new()
    ///     .route(Policy::authenticated(), "/upload", post(upload))
    ///     .body_limit(BodyLimit::new(1 << 30));
    /// let routes: Routes = Routes::new()
    ///     .route(Policy::public(), "/about", axum::routing::get(|| async { Envelope::new("a demonstration") }))
    ///     .merge(uploads);
    /// ```
    pub fn body_limit(self, limit: BodyLimit) -> Self {
        self.limited(|limits| limits.set_body(limit))
    }

    /// Sets how long requests to these routes may take, in place of `request_timeout_seconds`, counted from their headers. [`Duration::MAX`]
    /// means no limit. It applies to the routes that were added so far and have no timeout yet. A
    /// [`RequestTimeoutLayer`](crate::RequestTimeoutLayer) on a handler wins.
    pub fn timeout(self, limit: Duration) -> Self {
        self.limited(|limits| limits.set_timeout(limit))
    }

    /// Sets how long sending a response of these routes may take, in place of `response_timeout_seconds`, counted from its headers. It applies
    /// to the routes that were added so far and have no such timeout yet.
    pub fn response_timeout(self, limit: Duration) -> Self {
        self.limited(|limits| limits.set_response_timeout(limit))
    }

    /// Removes the time limit for sending responses of these routes, as long as the client reads some bytes every `body_timeout_seconds`. It applies to the
    /// routes that were added so far and have no such timeout yet.
    pub fn streaming(self) -> Self {
        self.limited(RouteLimits::set_streaming)
    }

    fn limited(mut self, set: impl Fn(&mut RouteLimits)) -> Self {
        let mut limits = RouteLimits::default();
        set(&mut limits);
        let documented = self.documented.iter_mut().map(|(access, _)| access);
        for access in documented.chain(self.plain.iter_mut().map(|(access, ..)| access)) {
            access.limits = access.limits.or(limits);
        }
        self
    }

    /// Provides the state of the handlers, or parts of it by [`FromRef`](axum::extract::FromRef). The returned routes can be merged with routes
    /// of any other state.
    pub fn with_state<S2: Clone + Send + Sync + 'static>(self, state: S) -> Routes<S2> {
        let documented = self.documented.into_iter();
        let plain = self.plain.into_iter();
        Routes {
            documented: documented
                .map(|(access, handler)| (access, handler.with_state(state.clone())))
                .collect(),
            plain: plain
                .map(|(access, path, methods)| (access, path, methods.with_state(state.clone())))
                .collect(),
        }
    }

    /// Whether a handler is mounted at this path.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.paths().any(|known| known == path)
    }

    fn paths(&self) -> impl Iterator<Item = &str> {
        let documented = self.documented.iter().map(|(_, handler)| handler.path.as_str());
        documented.chain(self.plain.iter().map(|(_, path, _)| path.as_str()))
    }

    /// The OpenAPI document of the routes, without the base path, completed by policies and limits.
    #[cfg(feature = "openapi")]
    pub(crate) fn openapi(&self, statuses: docs::Statuses) -> OpenApi {
        let mut document = OpenApi::default();
        let components = document.components.get_or_insert_with(Components::new);
        for (access, handler) in &self.documented {
            let mut item = handler.item.clone();
            for operation in docs::operations_mut(&mut item) {
                docs::complete_operation(operation, &access.policy, access.limits, statuses);
            }
            let items = &mut document.paths.paths;
            match items.get_mut(&handler.path) {
                Some(existing) => existing.merge_operations(item),
                None => drop(items.insert(handler.path.clone(), item)),
            }
            components.schemas.extend(handler.schemas.iter().cloned());
        }
        document
    }
}

/// A path below a base path, which is empty for the root; the path `/` is the base path itself.
pub(crate) fn join_paths(base: &str, path: &str) -> String {
    if path == "/" && !base.is_empty() { base.to_owned() } else { format!("{base}{path}") }
}

impl<S> fmt::Debug for Routes<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Routes")
            .field("documented", &self.documented.len())
            .field("plain", &self.plain.len())
            .finish()
    }
}
