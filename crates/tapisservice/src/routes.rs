//! Routes, each with the policy that says who may call it.

use std::fmt;

use axum::Router;
use axum::routing::MethodRouter;
use tapisservice_auth::{Authenticator, Callbacks, Policy, PolicyLayer};
use utoipa::openapi::{OpenApi, Paths};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

/// The routes of a service. There is no way to add one without saying who may call it.
///
/// ```
/// use tapisservice::prelude::*;
///
/// #[utoipa::path(get, path = "/greeting", operation_id = "greet", responses((status = 200)))]
/// async fn greet(identity: Identity) -> Envelope<String> {
///     Envelope::new(format!("hello {}", identity.username()))
/// }
///
/// let routes: Routes = Routes::new()
///     .add(Policy::authenticated(), handlers!(greet))
///     .route(Policy::public(), "/about", axum::routing::get(|| async { Envelope::new("a demonstration") }));
/// assert_eq!(routes.list()[0].to_string(), "GET    /greeting                authenticated  greet");
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
    documented: Vec<(Policy, UtoipaMethodRouter<S>)>,
    plain: Vec<(Policy, String, MethodRouter<S>)>,
}

/// What a route is, for lists of routes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RouteInfo {
    /// The method; `*` for a route that is not in the OpenAPI document.
    pub method: String,
    /// The path below the service's base path.
    pub path: String,
    /// Who may call it.
    pub policy: String,
    /// Its `operationId`, if it is in the OpenAPI document.
    pub operation_id: Option<String>,
}

impl fmt::Display for RouteInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operation = self.operation_id.as_deref().unwrap_or("-");
        write!(f, "{:<6} {:<24} {:<14} {operation}", self.method, self.path, self.policy)
    }
}

impl<S> Default for Routes<S> {
    fn default() -> Self {
        Self { documented: Vec::new(), plain: Vec::new() }
    }
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    /// No routes yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds handlers that carry `#[utoipa::path]`, gathered by [`handlers!`](crate::handlers). Their paths lie below the service's
    /// base path.
    pub fn add(mut self, policy: Policy, handlers: UtoipaMethodRouter<S>) -> Self {
        self.documented.push((policy, handlers));
        self
    }

    /// Adds a route that does not show in the OpenAPI document.
    pub fn route(mut self, policy: Policy, path: impl Into<String>, methods: MethodRouter<S>) -> Self {
        self.plain.push((policy, path.into(), methods));
        self
    }

    /// Adds all routes of another set.
    pub fn merge(mut self, other: Self) -> Self {
        self.documented.extend(other.documented);
        self.plain.extend(other.plain);
        self
    }

    /// Every route with its policy.
    pub fn list(&self) -> Vec<RouteInfo> {
        let documented = self.documented.iter().flat_map(|(policy, (_, paths, _))| operations(policy, paths));
        let plain = self.plain.iter().map(|(policy, path, _)| RouteInfo {
            method: "*".to_owned(),
            path: path.clone(),
            policy: policy.to_string(),
            operation_id: None,
        });
        documented.chain(plain).collect()
    }

    pub(crate) fn has(&self, path: &str) -> bool {
        self.list().iter().any(|route| route.path == path)
    }

    /// The router below a base path, every policy around its own methods, and the document, which knows no base path.
    pub(crate) fn into_parts(
        self,
        base_path: &str,
        authenticator: &Authenticator,
        callbacks: &Callbacks,
    ) -> (Router<S>, OpenApi) {
        let layer = |policy| PolicyLayer::new(policy, authenticator.clone(), callbacks.clone());
        // Joined here once: a nested router would take the base path off the target of every request.
        let mut router = Router::new();
        let mut documented = OpenApiRouter::<S>::new();
        for (policy, (schemas, paths, methods)) in self.documented {
            let methods = methods.route_layer(layer(policy));
            for path in paths.paths.keys() {
                router = router.route(&join_paths(base_path, path), methods.clone());
            }
            documented = documented.routes((schemas, paths, MethodRouter::new()));
        }
        for (policy, path, methods) in self.plain {
            router = router.route(&join_paths(base_path, &path), methods.route_layer(layer(policy)));
        }
        (router, documented.into_openapi())
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

fn operations(policy: &Policy, paths: &Paths) -> Vec<RouteInfo> {
    let info = |path: &String, method: &str, operation_id: Option<String>| RouteInfo {
        method: method.to_owned(),
        path: path.clone(),
        policy: policy.to_string(),
        operation_id,
    };
    let of_path = |(path, item): (&String, &utoipa::openapi::PathItem)| {
        [
            ("GET", &item.get),
            ("POST", &item.post),
            ("PUT", &item.put),
            ("PATCH", &item.patch),
            ("DELETE", &item.delete),
            ("OPTIONS", &item.options),
            ("HEAD", &item.head),
        ]
        .into_iter()
        .filter_map(|(method, operation)| Some(info(path, method, operation.as_ref()?.operation_id.clone())))
        .collect::<Vec<_>>()
    };
    paths.paths.iter().flat_map(of_path).collect()
}
