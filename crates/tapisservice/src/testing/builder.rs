//! What a test asks for before its service starts.

use std::fmt;
use std::marker::PhantomData;

use serde_json::{Map, Value};
use tapisservice_config::Config;
use tapisservice_devsite::{DevSite, DevSiteBuilder};

#[cfg(any(feature = "postgres", feature = "sqlite"))]
use super::database::TestDatabase;
use super::service::TestService;
use crate::StartError;
use crate::program::{self, TapisService};

/// Builds a [`TestService`]; from [`TestService::builder`].
#[must_use = "a builder does nothing until `start`"]
pub struct TestServiceBuilder<T> {
    site: DevSiteBuilder,
    settings: Map<String, Value>,
    #[cfg(feature = "postgres")]
    postgres: bool,
    service: PhantomData<fn() -> T>,
}

impl<T: TapisService> TestServiceBuilder<T> {
    pub(super) fn new() -> Self {
        Self {
            site: DevSite::builder().server("dev"),
            settings: Map::new(),
            #[cfg(feature = "postgres")]
            postgres: !cfg!(feature = "sqlite"),
            service: PhantomData,
        }
    }

    /// Sets a setting: of the framework or of the service.
    pub fn setting(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.settings.insert(key.to_owned(), value.into());
        self
    }

    /// Changes the site: adds tenants, users, roles, systems.
    ///
    /// ```
    /// use tapisservice::testing::{System, TenantSpec, TestService};
    ///
    /// # fn demo<Weather: tapisservice::TapisService>() {
    /// let builder = TestService::<Weather>::builder()
    ///     .site(|site| site.tenant(TenantSpec::new("guests", "tacc")).system(System::new("roof", "alice")));
    /// # }
    /// ```
    pub fn site(mut self, change: impl FnOnce(DevSiteBuilder) -> DevSiteBuilder) -> Self {
        self.site = change(self.site);
        self
    }

    /// Uses a database of a PostgreSQL server instead of an SQLite file. Tests of one process share the server, never a database.
    ///
    /// A machine without PostgreSQL says so, and the test runs on SQLite, if the service is built with it. If the variable
    /// `TAPIS_POSTGRES_REQUIRED` is set, as in CI, the test panics.
    #[cfg(feature = "postgres")]
    pub fn postgres(mut self) -> Self {
        self.postgres = true;
        self
    }

    /// Starts the site, and the service on it.
    ///
    /// # Panics
    ///
    /// When one of them does not start.
    pub async fn start(self) -> TestService<T> {
        match self.try_start().await {
            Ok(service) => service,
            Err(error) => panic!("{} does not start: {error}", T::PACKAGE.name),
        }
    }

    /// Starts the site, and the service on it, without panicking.
    ///
    /// # Errors
    ///
    /// When one of them does not start: with the error that ends the program of the service.
    pub async fn try_start(self) -> Result<TestService<T>, StartError> {
        #[cfg(any(feature = "postgres", feature = "sqlite"))]
        let database = self.database().await?;
        let site = self.site.start().await.map_err(StartError::service)?;
        let name = self.settings.get("service_name").and_then(Value::as_str).unwrap_or(T::PACKAGE.name);
        let mut values = site.config_json(name).map_err(StartError::service)?;
        values["drain_seconds"] = 0.into();
        #[cfg(any(feature = "postgres", feature = "sqlite"))]
        if let Some(database) = &database {
            values["sql_db_url"] = database.url().into();
        }
        for (key, value) in self.settings {
            values[key] = value;
        }
        let config = config::<T>(&values)?;
        TestService::new(
            site,
            config,
            #[cfg(any(feature = "postgres", feature = "sqlite"))]
            database,
        )
        .await
    }

    /// An empty database, unless the service has none or the test brings its own.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    async fn database(&self) -> Result<Option<TestDatabase>, StartError> {
        let Some(migrator) = T::migrations().filter(|_| !self.settings.contains_key("sql_db_url")) else {
            return Ok(None);
        };
        #[cfg(feature = "postgres")]
        if self.postgres
            && let Some(database) = TestDatabase::postgres(&migrator).await?
        {
            return Ok(Some(database));
        }
        #[cfg(feature = "sqlite")]
        return TestDatabase::sqlite(&migrator).map(Some);
        #[cfg(not(feature = "sqlite"))]
        panic!(
            "no PostgreSQL on this machine: set TAPIS_PG_BIN, or build the service with the feature `sqlite`"
        );
    }
}

/// The configuration, from these values and the defaults alone.
fn config<T: TapisService>(values: &Value) -> Result<Config<T::Settings>, StartError> {
    let loader = program::loader::<T>().environment([("", ""); 0]);
    let loader = loader.default_config_path("").default_schema_path("");
    Ok(loader.fallback_config("the settings of the test", values.to_string()).load()?)
}

impl<T> fmt::Debug for TestServiceBuilder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestServiceBuilder").field("site", &self.site).finish_non_exhaustive()
    }
}
