//! The assembled service.

use std::convert::Infallible;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
#[cfg(feature = "openapi")]
use tapisservice_auth::Policy;
use tapisservice_auth::{Authenticator, Authn, Callbacks, PolicyRequest};
#[cfg(feature = "client")]
use tapisservice_client::{ClientError, ClientSettingsError, ServiceClient};
use tapisservice_core::Error;
use tapisservice_serve::{Limits, ServeError, Server, Shutdown, Stopped};
use tapisservice_tenants::TenantCache;
#[cfg(feature = "openapi")]
use utoipa::openapi::OpenApi;

#[cfg(feature = "openapi")]
use crate::ServiceSettings;
use crate::background::{BackgroundTask, BackgroundTaskError, Environment, RunningTasks};
#[cfg(feature = "openapi")]
use crate::docs;
use crate::health::Health;
use crate::metrics::RequestMetrics;
#[cfg(feature = "metrics")]
use crate::metrics::{self, ScrapeCallback};
use crate::middleware::error_mapper::ErrorMapper;
use crate::routes::{Mounted, RouteError};
use crate::stack::{self, StackSettings};
use crate::{ReadyCheck, RouteInfo, Routes, Settings};

/// A service that is ready to start.
///
/// ```
/// use tapisservice::prelude::*;
/// use tapisservice::{App, Settings};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let config = Settings::loader().environment([("service_name", "demo"), ("service_site_id", "tacc"),
/// #     ("service_tenant_id", "admin"), ("primary_site_admin_tenant_base_url", "http://127.0.0.1:1")])
/// #     .fallback_config("none", r#"{"tenants": ["*"]}"#).load()?;
/// let settings = Settings::from_config(&config)?;
/// let routes = Routes::new().route(Policy::public(), "/about", axum::routing::get(|| async { Envelope::new("a demo") }));
/// let app = App::builder(settings).routes(routes).build()?;
///
/// let request = http::Request::get("/v3/demo/about").body(axum::body::Body::empty())?;
/// let response = tower::ServiceExt::oneshot(app.service(), request).await?;
/// assert_eq!(response.status(), 200);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct App {
    router: Router,
    stack: StackSettings,
    settings: Arc<Settings>,
    tenants: TenantCache,
    #[cfg(feature = "client")]
    service_client: Option<ServiceClient>,
    shutdown: Shutdown,
    #[cfg(feature = "openapi")]
    openapi: Arc<OpenApi>,
    routes: Arc<[RouteInfo]>,
    background: Arc<[BackgroundTask]>,
    on_listening: Option<ListeningHook>,
    #[cfg(feature = "metrics")]
    on_scrape: Vec<ScrapeCallback>,
}

type ListeningHook = Arc<dyn Fn(SocketAddr) + Send + Sync>;

/// Why an [`App`] cannot be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A setting of outgoing calls is invalid.
    #[cfg(feature = "client")]
    #[error(transparent)]
    Client(#[from] ClientSettingsError),
    /// The client of the service cannot be built.
    #[cfg(feature = "client")]
    #[error(transparent)]
    ServiceClient(#[from] ClientError),
    /// No source of tenants is configured.
    #[error(
        "this program is built without the feature `client` of tapisservice, which reads the Tenants API: set `tenants_file`, or start \
         from App::builder_with_tenants"
    )]
    NoTenantSource,
    /// A limit is invalid.
    #[error(transparent)]
    Limits(#[from] ServeError),
    /// A route cannot be mounted.
    #[error(transparent)]
    Routes(#[from] RouteError),
    /// A background task cannot run.
    #[error(transparent)]
    Background(#[from] BackgroundTaskError),
}

/// Builds an [`App`].
///
/// It owns what a service shares: one tenant cache, one service client that uses it, one shutdown handle.
#[must_use]
pub struct AppBuilder {
    settings: Settings,
    routes: Routes,
    tenants: Option<TenantCache>,
    #[cfg(feature = "client")]
    service_client: Option<ServiceClient>,
    callbacks: Callbacks,
    checks: Vec<ReadyCheck>,
    background: Vec<BackgroundTask>,
    shutdown: Shutdown,
    #[cfg(feature = "openapi")]
    openapi: OpenApi,
    on_listening: Option<ListeningHook>,
    #[cfg(feature = "metrics")]
    on_scrape: Vec<ScrapeCallback>,
}

impl App {
    /// Starts a builder. Its tenant cache reads `tenants_file` if the setting is there, else the Tenants API.
    pub fn builder(settings: Settings) -> AppBuilder {
        AppBuilder {
            settings,
            routes: Routes::new(),
            tenants: None,
            #[cfg(feature = "client")]
            service_client: None,
            callbacks: Callbacks::default(),
            checks: Vec::new(),
            background: Vec::new(),
            shutdown: Shutdown::new(),
            #[cfg(feature = "openapi")]
            openapi: OpenApi::default(),
            on_listening: None,
            #[cfg(feature = "metrics")]
            on_scrape: Vec::new(),
        }
    }

    /// Like [`builder`](Self::builder), with another tenant cache: one with another source, or one that attaches data of the service to each
    /// tenant.
    ///
    /// ```
    /// # use tapisservice::{App, AppBuilder, BuildError, Settings, Routes};
    /// # use tapisservice::tenants::ExtendTenant;
    /// # fn demo(settings: Settings, routes: Routes, private_keys: impl ExtendTenant) -> Result<AppBuilder, BuildError> {
    /// let tenants = settings.tenant_cache()?.extend_tenant(private_keys).build();
    /// Ok(App::builder_with_tenants(settings, tenants).routes(routes))
    /// # }
    /// ```
    pub fn builder_with_tenants(settings: Settings, tenants: TenantCache) -> AppBuilder {
        AppBuilder { tenants: Some(tenants), ..Self::builder(settings) }
    }

    /// The whole service as a `tower::Service`, for tests without a socket.
    pub fn service(
        &self,
    ) -> impl tower::Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + use<>
    {
        stack::wrap(self.router.clone(), self.stack.clone())
    }

    /// The routes with their policies.
    pub fn routes(&self) -> &[RouteInfo] {
        &self.routes
    }

    /// The OpenAPI document, with the public paths.
    #[cfg(feature = "openapi")]
    pub fn openapi(&self) -> &OpenApi {
        &self.openapi
    }

    /// The tenant cache.
    pub fn tenants(&self) -> &TenantCache {
        &self.tenants
    }

    /// The handle that stops the service.
    pub fn shutdown(&self) -> &Shutdown {
        &self.shutdown
    }

    /// Serves on a bound socket until the shutdown is triggered. Meanwhile it refreshes the tenant cache, renews the service tokens
    /// and runs the background tasks. It returns when these have ended too.
    ///
    /// # Errors
    ///
    /// When the limits are invalid, or the address of the metrics cannot be bound.
    pub async fn serve(self, server: Server) -> Result<Stopped, ServeError> {
        let refresher = self.tenants.spawn_refresh();
        #[cfg(feature = "client")]
        let renewer = self.service_client.as_ref().map(ServiceClient::spawn_token_renewal);
        #[cfg(feature = "metrics")]
        if let Some(address) = self.settings.service.metrics_listen {
            let sources = metrics::Sources {
                server: server.stats(),
                tenants: self.tenants.clone(),
                served: self.settings.auth.served_tenants().map(Into::into),
                #[cfg(feature = "client")]
                service_client: self.service_client.clone(),
                on_scrape: self.on_scrape.clone(),
            };
            let address = metrics::serve(address, sources, self.shutdown.clone()).await?;
            tracing::info!(%address, "serving metrics");
        }
        if let Some(hook) = &self.on_listening {
            hook(server.local_addr());
        }
        let limits: Limits = self.settings.limits.clone();
        let tasks = RunningTasks::start(&self.background, self.environment());
        let served = async {
            let stopped = server.serve(self.service(), limits, self.shutdown.clone()).await;
            // It has ended in whatever way: the tasks end with it.
            self.shutdown.trigger();
            stopped
        };
        let (stopped, ()) = tokio::join!(served, tasks.finish());
        // Only now: the tasks may call other services until they end.
        refresher.abort();
        #[cfg(feature = "client")]
        if let Some(renewer) = renewer {
            renewer.abort();
        }
        stopped
    }

    fn environment(&self) -> Environment {
        Environment {
            service: self.stack.service.clone(),
            #[cfg(feature = "client")]
            service_name: self.settings.service_client.service_name.clone(),
            #[cfg(feature = "client")]
            service_tenant_id: self.settings.service_client.service_tenant_id.clone(),
            #[cfg(feature = "client")]
            tenants: self.tenants.clone(),
            shutdown: self.shutdown.clone(),
            shutdown_time: self.settings.limits.shutdown,
        }
    }
}

impl fmt::Debug for AppBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppBuilder")
            .field("routes", &self.routes)
            .field("tenants", &self.tenants)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App")
            .field("routes", &self.routes)
            .field("tenants", &self.tenants)
            .finish_non_exhaustive()
    }
}

impl AppBuilder {
    /// Adds routes. [`Routes::with_state`] provides the state of their handlers.
    ///
    /// ```
    /// # use tapisservice::prelude::*;
    /// # use tapisservice::{App, AppBuilder, Settings};
    /// #[derive(Clone)]
    /// struct Shelves(u8);
    ///
    /// #[utoipa::path(get, path = "/shelves", operation_id = "countShelves", responses((status = 200)))]
    /// async fn count(State(shelves): State<Shelves>) -> Envelope<u8> {
    ///     Envelope::new(shelves.0)
    /// }
    ///
    /// # fn demo(settings: Settings) -> AppBuilder {
    /// let routes = Routes::new().add(Policy::public(), handlers!(count));
    /// App::builder(settings).routes(routes.with_state(Shelves(12)))
    /// # }
    /// ```
    pub fn routes(mut self, routes: Routes) -> Self {
        self.routes = self.routes.merge(routes);
        self
    }

    /// The settings of the framework.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The tenant cache of the service. The [`App`] refreshes it.
    ///
    /// # Errors
    ///
    /// When a setting is invalid.
    pub fn tenants(&mut self) -> Result<TenantCache, BuildError> {
        let tenants = match self.tenants.take() {
            Some(tenants) => tenants,
            None => self.settings.tenant_cache()?.build(),
        };
        Ok(self.tenants.insert(tenants).clone())
    }

    /// The client for calls to other services. It uses the tenant cache of the service. The [`App`] renews its tokens, and readiness
    /// depends on them (rule D4).
    ///
    /// # Errors
    ///
    /// When a setting is invalid.
    #[cfg(feature = "client")]
    pub fn service_client(&mut self) -> Result<ServiceClient, BuildError> {
        if let Some(client) = &self.service_client {
            return Ok(client.clone());
        }
        let tenants = self.tenants()?;
        let client = self.settings.service_client(tenants)?;
        let checked = client.clone();
        self.checks.push(ReadyCheck::new("service token", move || {
            let client = checked.clone();
            async move { client.check().await.map_err(|error| error.to_string()) }
        }));
        Ok(self.service_client.insert(client).clone())
    }

    /// The handle that stops the service. With [`run`](crate::run) signals trigger it.
    pub fn shutdown(&self) -> &Shutdown {
        &self.shutdown
    }

    /// Sets the callback that authenticates callers without a Tapis token (rule A20): by a nonce, a webhook secret, HTTP Basic.
    pub fn authn<F, R>(mut self, callback: F) -> Self
    where
        F: Fn(PolicyRequest) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Authn, Error>> + Send + 'static,
    {
        self.callbacks = self.callbacks.authn(callback);
        self
    }

    /// Sets the callback that authorizes callers once they are authenticated. It runs on every route that is not public, except for OPTIONS.
    pub fn authz<F, R>(mut self, callback: F) -> Self
    where
        F: Fn(PolicyRequest) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), Error>> + Send + 'static,
    {
        self.callbacks = self.callbacks.authz(callback);
        self
    }

    /// Adds a readiness check.
    pub fn ready_check(mut self, check: ReadyCheck) -> Self {
        self.checks.push(check);
        self
    }

    /// Adds a background task, which runs from when the service listens until it stops.
    pub fn background(mut self, task: BackgroundTask) -> Self {
        self.background.push(task);
        self
    }

    /// Calls `hook` with the address once the service listens.
    pub fn on_listening(mut self, hook: impl Fn(SocketAddr) + Send + Sync + 'static) -> Self {
        self.on_listening = Some(Arc::new(hook));
        self
    }

    /// Calls `record` before each scrape of the metrics, so that it can set gauges of the [`metrics`](https://docs.rs/metrics) crate: the
    /// state of a pool, the length of a queue. Counters are incremented where the event happens and need no callback.
    #[cfg(feature = "metrics")]
    pub fn on_scrape(mut self, record: impl Fn() + Send + Sync + 'static) -> Self {
        self.on_scrape.push(Arc::new(record));
        self
    }

    /// Sets the title, description and other metadata of the OpenAPI document.
    #[cfg(feature = "openapi")]
    pub fn openapi(mut self, openapi: OpenApi) -> Self {
        self.openapi = openapi;
        self
    }

    /// Builds the service.
    ///
    /// # Errors
    ///
    /// When a setting, a route or a background task is invalid.
    pub fn build(mut self) -> Result<App, BuildError> {
        let tenants = self.tenants()?;
        let Self { settings, routes, callbacks, shutdown, on_listening, .. } = self;
        settings.limits.check()?;
        BackgroundTask::check_all(&self.background)?;
        let authenticator = Authenticator::new(tenants.clone(), settings.auth.clone());
        let mut checks = vec![ReadyCheck::tenants(tenants.clone())];
        checks.extend(self.checks);
        checks.extend(self.background.iter().filter_map(BackgroundTask::ready_check));
        let health = Health { checks, shutdown: shutdown.clone() };
        let routes = health.routes(&routes).merge(routes);
        #[cfg(feature = "openapi")]
        let (routes, openapi) = with_document(routes, self.openapi, &settings.service)?;
        let base_path = settings.service.route_path();
        let Mounted { router, list, routes } =
            routes.mount(&base_path, &settings.limits, &authenticator, &callbacks)?;
        #[cfg(feature = "openapi")]
        docs::check(&openapi)?;
        let stack = StackSettings {
            service: settings.service.info(),
            limits: settings.limits.clone(),
            error_mapper: Arc::new(ErrorMapper {
                show_traceback: settings.service.show_traceback,
                legacy_error_status: settings.service.legacy_error_status,
            }),
            authenticator,
            metrics: Arc::new(RequestMetrics::new(routes)),
        };
        Ok(App {
            router,
            stack,
            settings: Arc::new(settings),
            tenants,
            #[cfg(feature = "client")]
            service_client: self.service_client,
            shutdown,
            #[cfg(feature = "openapi")]
            openapi,
            routes: list.into(),
            background: self.background.into(),
            on_listening,
            #[cfg(feature = "metrics")]
            on_scrape: self.on_scrape,
        })
    }
}

/// Adds the route of the OpenAPI document to the routes that it describes.
#[cfg(feature = "openapi")]
pub(crate) fn with_document<S: Clone + Send + Sync + 'static>(
    routes: Routes<S>,
    head: OpenApi,
    service: &ServiceSettings,
) -> Result<(Routes<S>, Arc<OpenApi>), RouteError> {
    if routes.has(docs::PATH) {
        return Err(RouteError::Reserved { path: docs::PATH.to_owned() });
    }
    let document = routes.openapi(docs::Statuses::of(service));
    let document = Arc::new(docs::complete(head, document, service));
    let served = docs::serve(document.clone());
    Ok((routes.route(Policy::public(), docs::PATH, served), document))
}
