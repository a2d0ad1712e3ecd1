//! The service under test.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tapisservice_client::spec::{Catalog, Resource};
use tapisservice_config::Config;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
use tapisservice_db::Database;
use tapisservice_devsite::DevSite;
use tapisservice_serve::{ServeError, Server, Stopped};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;

use super::builder::TestServiceBuilder;
use super::client::{TestClient, http_client};
#[cfg(any(feature = "postgres", feature = "sqlite"))]
use super::database::TestDatabase;
use super::double::ServiceDouble;
use crate::program::{self, TapisService};
use crate::{App, Settings, StartError};

/// How long [`TestService::until_ready`] waits.
const READY_TIMEOUT: Duration = Duration::from_mins(1);

/// A running service: on a free port, behind the router of a site of its own, with an empty database. It stops when it is dropped.
///
/// The site is the usual one of [`DevSite::builder`]: the tenants `tacc` and `dev`, the users `alice`, `bob` and `admin`.
pub struct TestService<T: TapisService> {
    site: DevSite,
    config: Config<T::Settings>,
    name: String,
    http: reqwest::Client,
    running: Running,
    /// Their tasks end with the service.
    doubles: Mutex<JoinSet<()>>,
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    _database: Option<TestDatabase>,
}

/// The service from a start to a stop.
struct Running {
    app: App,
    address: SocketAddr,
    task: JoinHandle<Result<Stopped, ServeError>>,
}

/// Starting and stopping.
impl<T: TapisService> TestService<T> {
    /// Starts the service with its default settings.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    /// Begins a service with other settings, another site or another database.
    pub fn builder() -> TestServiceBuilder<T> {
        TestServiceBuilder::new()
    }

    pub(super) async fn new(
        site: DevSite,
        config: Config<T::Settings>,
        #[cfg(any(feature = "postgres", feature = "sqlite"))] database: Option<TestDatabase>,
    ) -> Result<Self, StartError> {
        let running = Running::start::<T>(&site, &config).await?;
        Ok(Self {
            site,
            name: config.get("service_name")?,
            config,
            http: http_client(),
            running,
            doubles: Mutex::default(),
            #[cfg(any(feature = "postgres", feature = "sqlite"))]
            _database: database,
        })
    }

    /// Stops the service gracefully and starts it again, with the same settings, database and site, on another port. Its
    /// clients stay valid.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub async fn restart(&mut self) {
        self.running.stop().await;
        match Running::start::<T>(&self.site, &self.config).await {
            Ok(running) => self.running = running,
            Err(error) => panic!("{} does not start again: {error}", self.name),
        }
    }

    /// Waits until `/ready` says so: a service that calls others has then got its first token.
    ///
    /// # Panics
    ///
    /// When it is not ready within a minute.
    pub async fn until_ready(&self) {
        let start = Instant::now();
        loop {
            let response = self.anonymous().get("/ready").await;
            if response.status() == 200 {
                return;
            }
            assert!(start.elapsed() < READY_TIMEOUT, "{} is not ready: {}", self.name, response.text());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Callers.
impl<T: TapisService> TestService<T> {
    /// A caller without a token, at the first tenant.
    pub fn anonymous(&self) -> TestClient {
        self.anonymous_at(&self.first_tenant())
    }

    /// A caller without a token, at the base URL of a tenant.
    ///
    /// # Panics
    ///
    /// When the site has no such tenant.
    pub fn anonymous_at(&self, tenant: &str) -> TestClient {
        let Some(site) = self.site.tenant_url(tenant) else { panic!("the site has no tenant {tenant}") };
        TestClient::new(self.http.clone(), format!("{site}/v3/{}", self.name))
    }

    /// A user, at the base URL of the tenant. Any name will do.
    ///
    /// # Panics
    ///
    /// When the site has no such tenant.
    pub fn user(&self, tenant: &str, username: &str) -> TestClient {
        self.anonymous_at(tenant).with_token(&self.site.token_for_user(tenant, username))
    }

    /// The user `alice` of the first tenant.
    pub fn alice(&self) -> TestClient {
        self.user(&self.first_tenant(), "alice")
    }

    /// The user `bob` of the first tenant.
    pub fn bob(&self) -> TestClient {
        self.user(&self.first_tenant(), "bob")
    }

    /// The user `admin` of a tenant, which is its administrator.
    ///
    /// # Panics
    ///
    /// When the site has no such tenant.
    pub fn tenant_admin(&self, tenant: &str) -> TestClient {
        self.user(tenant, "admin")
    }

    /// Another service of the same site. Give it a user to act for: [`TestClient::on_behalf_of`].
    pub fn service_account(&self, service: &str) -> TestClient {
        let setting = |key: &str| self.config.get::<String>(key).unwrap_or_default();
        let (tenant, site) = (setting("service_tenant_id"), setting("service_site_id"));
        self.anonymous().with_token(&self.site.token_for_service(&tenant, service, &site))
    }

    fn first_tenant(&self) -> String {
        self.site.tenant_ids().into_iter().next().unwrap_or_default()
    }
}

/// What is around the service.
impl<T: TapisService> TestService<T> {
    /// The site: its faults, roles, tenants and any token.
    ///
    /// ```
    /// use tapisservice::testing::{InjectedFault, TestService};
    ///
    /// # async fn demo<Weather: tapisservice::TapisService>() {
    /// let service = TestService::<Weather>::start().await;
    /// service.site().inject_fault("/v3/tenants", InjectedFault::Hang);
    /// let expired = service.site().expired_token_for_user("tacc", "alice");
    /// service.anonymous().with_token(&expired).get("/stations").await.assert_status(401);
    /// # }
    /// ```
    pub fn site(&self) -> &DevSite {
        &self.site
    }

    /// The app: its tenant cache, its routes, its OpenAPI document.
    pub fn app(&self) -> &App {
        &self.running.app
    }

    /// The configuration.
    pub fn config(&self) -> &Config<T::Settings> {
        &self.config
    }

    /// Where the service itself listens.
    pub fn address(&self) -> SocketAddr {
        self.running.address
    }

    /// The database of the service, by a pool of the test's own.
    ///
    /// # Panics
    ///
    /// When the service has no database.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub fn database(&self) -> Database {
        match program::connect_database(&self.config) {
            Ok(database) => database,
            Err(error) => panic!("{} has no database: {error}", self.name),
        }
    }

    /// Replaces a Tapis service of the site by a double with the operations of the bundled index.
    ///
    /// # Panics
    ///
    /// When there is no such service in the index.
    pub async fn double(&self, service: &str) -> ServiceDouble {
        match Catalog::bundled().resource(service) {
            Ok(resource) => self.double_of(Arc::clone(resource)).await,
            Err(error) => panic!("{error}"),
        }
    }

    /// Adds a double of a service with the operations of its OpenAPI file, in YAML or JSON.
    ///
    /// # Panics
    ///
    /// When the file has an operation that cannot be called.
    #[cfg(feature = "spec-files")]
    pub async fn double_from_openapi(&self, service: &str, text: impl AsRef<[u8]>) -> ServiceDouble {
        match Resource::from_openapi(service, text.as_ref()) {
            Ok(resource) => self.double_of(Arc::new(resource)).await,
            Err(error) => panic!("{error}"),
        }
    }

    async fn double_of(&self, resource: Arc<Resource>) -> ServiceDouble {
        let (double, task) = ServiceDouble::start(&self.site, resource).await;
        self.doubles.lock().spawn(task);
        double
    }
}

impl Running {
    async fn start<T: TapisService>(
        site: &DevSite,
        config: &Config<T::Settings>,
    ) -> Result<Self, StartError> {
        let settings = Settings::from_config(config)?;
        let name = settings.service.service_name.clone();
        let app = program::assemble::<T>(config, settings).await?.build()?;
        // If this fails, it is retried like any refresh.
        let _ = app.tenants().refresh().await;
        let server = Server::bind((Ipv4Addr::LOCALHOST, 0).into()).await?;
        let address = server.local_addr();
        site.route_to(&name, &format!("http://{address}")).map_err(StartError::service)?;
        let task = tokio::spawn(app.clone().serve(server));
        Ok(Self { app, address, task })
    }

    async fn stop(&mut self) {
        self.app.shutdown().trigger();
        let _ = (&mut self.task).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.app.shutdown().trigger();
    }
}

impl<T: TapisService> fmt::Debug for TestService<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestService")
            .field("name", &self.name)
            .field("address", &self.address())
            .field("site", &self.site)
            .finish_non_exhaustive()
    }
}
