//! Builds the router. Each policy is around everything its route can respond with.

use std::collections::HashSet;

use axum::Router;
use axum::handler::Handler as _;
use axum::routing::MethodRouter;
use http::StatusCode;
use tapisservice_auth::{Authenticator, Callbacks, Policy, PolicyLayer};
use tapisservice_core::framework::MatchedRoute;
use tapisservice_serve::Limits;

use super::check::Check;
use super::probe::HandledMethods;
use super::{Access, RouteError, RouteInfo, Routes, join_paths};
use crate::BodyLimit;
use crate::middleware::body_limit::BodyLimitLayer;
use crate::middleware::matched_route::MatchedRouteLayer;

/// The router of all routes and their list.
pub(crate) struct Mounted {
    pub(crate) router: Router,
    pub(crate) list: Vec<RouteInfo>,
    /// How many paths are mounted.
    pub(crate) routes: usize,
}

/// One route on its way into the router.
struct Route<S = ()> {
    access: Access,
    path: String,
    methods: MethodRouter<S>,
    /// Methods in the OpenAPI document, each with its `operationId`.
    documented: Vec<(&'static str, Option<String>)>,
}

impl Routes {
    /// Mounts all routes below a base path. `limits` apply to routes without their own.
    ///
    /// # Errors
    ///
    /// When routes conflict, or a path is invalid.
    pub(crate) fn mount(
        self,
        base_path: &str,
        limits: &Limits,
        authenticator: &Authenticator,
        callbacks: &Callbacks,
    ) -> Result<Mounted, RouteError> {
        let layer = |policy| PolicyLayer::new(policy, authenticator.clone(), callbacks.clone());
        let (mut routes, mut list, mut check) = (Vec::new(), Vec::new(), Check::default());
        for route in self.into_routes() {
            let handled = HandledMethods::of(&route.methods, &());
            check.add(base_path, &route.path, &handled)?;
            list.extend(route.list(&handled, limits));
            routes.push((route, handled));
        }
        let with_fallback = routes.iter().filter(|(_, handled)| handled.fallback);
        let mut with_fallback: HashSet<_> = with_fallback.map(|(route, _)| route.path.clone()).collect();
        let mounted = routes.len();
        let mut router = Router::new();
        for (index, (mut route, handled)) in routes.into_iter().enumerate() {
            if route.access.policy.ignores_token() && with_fallback.insert(route.path.clone()) {
                // Under this policy, so that the other methods of the path ignore the token, too.
                route.methods = route.methods.fallback(no_such_method);
            }
            let own = route.access.limits;
            // Also around the fallback of a route, which `route_layer` would leave open.
            let policy = layer(route.access.policy).with_options_handler(handled.has_own_options());
            // Joined here once: a nested router would strip the base path from every request.
            let path = join_paths(base_path, &route.path);
            let matched = MatchedRouteLayer::new(MatchedRoute { template: path.as_str().into(), index });
            let body_limit = BodyLimitLayer::new(own.body_or(BodyLimit::new(limits.max_body_bytes)));
            // The policy decides first. All are one layer, because each layer boxes every request.
            let methods = own.time(route.methods).layer((matched, policy, body_limit));
            router = router.route(&path, methods);
        }
        // Replaces the default fallbacks. A 405 is public: no policy of a route applies.
        let router = router
            .method_not_allowed_fallback(no_such_method.layer(layer(Policy::public())))
            .fallback(no_such_path.layer(layer(Policy::public())))
            // Handlers become routes here once, not with every request.
            .with_state(());
        Ok(Mounted { router, list, routes: mounted })
    }
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    /// Checks the routes as [`mount`](Routes::mount) does, and lists them: without state, so that nothing has to be opened.
    ///
    /// # Errors
    ///
    /// When routes conflict, or a path is invalid.
    #[cfg(feature = "cli")]
    pub(crate) fn list(self, base_path: &str, limits: &Limits) -> Result<Vec<RouteInfo>, RouteError> {
        let (mut list, mut check) = (Vec::new(), Check::default());
        for route in self.into_routes() {
            let answers = HandledMethods::declared(&route.methods);
            check.add(base_path, &route.path, &answers)?;
            list.extend(route.list(&answers, limits));
        }
        Ok(list)
    }

    fn into_routes(self) -> impl Iterator<Item = Route<S>> {
        let documented = self.documented.into_iter().map(|(access, handler)| {
            #[cfg(feature = "openapi")]
            let documented = crate::docs::operations(&handler.item)
                .map(|(method, operation)| (method, operation.operation_id.clone()))
                .collect();
            #[cfg(not(feature = "openapi"))]
            let documented = Vec::new();
            Route { access, path: handler.path, methods: handler.methods, documented }
        });
        let plain = self.plain.into_iter();
        documented.chain(plain.map(|(access, path, methods)| Route {
            access,
            path,
            methods,
            documented: Vec::new(),
        }))
    }
}

impl<S> Route<S> {
    /// The methods of the route with its policy. Nothing that is mounted is left out.
    fn list(&self, handled: &HandledMethods, limits: &Limits) -> Vec<RouteInfo> {
        let info = |method: &str| RouteInfo {
            method: method.to_owned(),
            path: self.path.clone(),
            policy: self.access.policy.to_string(),
            operation_id: self
                .documented
                .iter()
                .find(|(name, _)| *name == method)
                .and_then(|(_, id)| id.clone()),
            limits: self.access.limits.different_from(limits).to_string(),
        };
        handled.names().map(info).collect()
    }
}

async fn no_such_path() -> tapisservice_core::Error {
    tapisservice_core::Error::not_found("The path does not exist.")
}

/// The error mapper renders it as an envelope, or as 204 for OPTIONS. The router adds `Allow`.
async fn no_such_method() -> StatusCode {
    StatusCode::METHOD_NOT_ALLOWED
}
