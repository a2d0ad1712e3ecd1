//! Liveness and readiness (rule D4). These endpoints are public: they ignore tokens and name no site, service or tenant (rule H7).

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use axum::{BoxError, Extension};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde::Serialize;
use tapisservice_auth::PublicPolicy;
use tapisservice_core::{Envelope, Error, RequestContext, Result};
use tapisservice_serve::Shutdown;
use tapisservice_tenants::{CacheState, TenantCache};

#[cfg(feature = "openapi")]
use crate::docs::{EnvelopeOf, ErrorEnvelope};
use crate::{Handlers, Routes};

type CheckOutcome = std::result::Result<(), BoxError>;

/// A readiness check: a dependency without which the service cannot serve, such as a database or a service token.
#[derive(Clone)]
pub struct ReadyCheck {
    name: Arc<str>,
    check: Arc<dyn Fn() -> BoxFuture<'static, CheckOutcome> + Send + Sync>,
}

impl ReadyCheck {
    /// A check with a name, which the readiness response shows. Its error goes to the log.
    ///
    /// ```
    /// let check = tapisservice::ReadyCheck::new("database", || async { Err("connection refused") });
    /// ```
    pub fn new<F, R, E>(name: impl Into<Arc<str>>, check: F) -> Self
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = std::result::Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        let check = move || {
            let outcome = check();
            async move { outcome.await.map_err(Into::into) }.boxed()
        };
        Self { name: name.into(), check: Arc::new(check) }
    }

    pub(crate) fn tenants(tenants: TenantCache) -> Self {
        Self::new("tenants", move || {
            let state = tenants.state();
            async move {
                match state {
                    CacheState::Empty(reason) => Err(reason.unwrap_or_else(|| "not read yet".to_owned())),
                    _ => Ok(()),
                }
            }
        })
    }
}

impl fmt::Debug for ReadyCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReadyCheck({})", self.name)
    }
}

/// The state of the health endpoints.
#[derive(Debug, Clone)]
pub(crate) struct Health {
    pub(crate) checks: Vec<ReadyCheck>,
    pub(crate) shutdown: Shutdown,
}

/// The result of the readiness endpoints.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
struct Readiness {
    /// The names of the checks, all of which passed.
    checks: Vec<String>,
}

/// Null: the response itself is the information.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
struct Nothing;

impl Health {
    /// `hello`, `healthcheck`, `ready` and `readycheck`, except those that the service declares itself.
    pub(crate) fn routes<S: Clone + Send + Sync + 'static>(self, own: &Routes<S>) -> Routes<S> {
        let health = Arc::new(self);
        handlers().into_iter().filter(|handlers| !handlers.paths().any(|path| own.has(path))).fold(
            Routes::new(),
            |routes, handlers| {
                routes.add(PublicPolicy::new().ignoring_token(), handlers.layer(Extension(health.clone())))
            },
        )
    }

    async fn ready(&self) -> Result<Envelope<Readiness>> {
        if self.shutdown.is_draining() {
            return Err(Error::unavailable("The service is shutting down."));
        }
        let (mut failed, mut reasons) = (Vec::new(), Vec::new());
        for check in &self.checks {
            if let Err(reason) = (check.check)().await {
                reasons.push(format!("{}: {reason}", check.name));
                failed.push(check.name.as_ref());
            }
        }
        if failed.is_empty() {
            let checks = self.checks.iter().map(|check| check.name.to_string()).collect();
            Ok(Envelope::new(Readiness { checks }).with_message("ready"))
        } else {
            let message = format!("The service is not ready: {}.", failed.join(", "));
            Err(Error::unavailable(message).with_detail(reasons.join("; ")))
        }
    }
}

#[cfg(feature = "openapi")]
fn handlers<S: Clone + Send + Sync + 'static>() -> [Handlers<S>; 4] {
    use crate::handlers;
    [handlers!(hello), handlers!(healthcheck), handlers!(ready), handlers!(readycheck)]
}

#[cfg(not(feature = "openapi"))]
fn handlers<S: Clone + Send + Sync + 'static>() -> [Handlers<S>; 4] {
    use axum::routing::get;
    [
        Handlers::plain("/hello", get(hello)),
        Handlers::plain("/healthcheck", get(healthcheck)),
        Handlers::plain("/ready", get(ready)),
        Handlers::plain("/readycheck", get(readycheck)),
    ]
}

/// Says hello.
///
/// The process is alive. Its dependencies are not checked.
#[cfg_attr(feature = "openapi", utoipa::path(get, path = "/hello", operation_id = "hello", tag = "health",
    responses((status = 200, description = "The service is alive.", body = EnvelopeOf<Nothing>))))]
async fn hello(g: RequestContext) -> Envelope<Nothing> {
    Envelope::new(Nothing).with_message(format!("Hello from {}", g.service().name))
}

/// Checks that the service is alive.
///
/// The process is alive. Its dependencies are not checked.
#[cfg_attr(feature = "openapi", utoipa::path(get, path = "/healthcheck", operation_id = "healthcheck", tag = "health",
    responses((status = 200, description = "The service is alive.", body = EnvelopeOf<Nothing>))))]
async fn healthcheck(g: RequestContext) -> Envelope<Nothing> {
    hello(g).await
}

/// Checks whether the service is ready.
///
/// Its dependencies are checked: tenant registry, service token, database.
#[cfg_attr(feature = "openapi", utoipa::path(get, path = "/ready", operation_id = "ready", tag = "health", responses(
    (status = 200, description = "The service is ready.", body = EnvelopeOf<Readiness>),
    (status = 503, description = "A dependency is not available, or the service is shutting down.", body = ErrorEnvelope),
)))]
async fn ready(Extension(health): Extension<Arc<Health>>) -> Result<Envelope<Readiness>> {
    health.ready().await
}

/// Checks whether the service is ready.
///
/// Its dependencies are checked: tenant registry, service token, database.
#[cfg_attr(feature = "openapi", utoipa::path(get, path = "/readycheck", operation_id = "readycheck", tag = "health", responses(
    (status = 200, description = "The service is ready.", body = EnvelopeOf<Readiness>),
    (status = 503, description = "A dependency is not available, or the service is shutting down.", body = ErrorEnvelope),
)))]
async fn readycheck(Extension(health): Extension<Arc<Health>>) -> Result<Envelope<Readiness>> {
    health.ready().await
}
