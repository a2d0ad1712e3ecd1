//! From a configuration to an app.

use std::fmt;

use tapisservice_config::Config;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
use tapisservice_db::Database;

use super::{NoSettings, TapisService};
use crate::{App, AppBuilder, Settings, StartError};

/// What a service can use while it starts.
pub struct Startup<S = NoSettings> {
    config: Config<S>,
    app: AppBuilder,
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    database: Option<Database>,
}

impl<S> Startup<S> {
    /// The service's own settings.
    pub fn settings(&self) -> &S {
        self.config.settings()
    }

    /// The whole configuration.
    pub fn config(&self) -> &Config<S> {
        &self.config
    }

    /// The app so far: the settings of the framework, the tenant cache, the shutdown handle.
    pub fn app(&mut self) -> &mut AppBuilder {
        &mut self.app
    }

    /// The client for calls to other services.
    ///
    /// # Errors
    ///
    /// When a setting cannot be used.
    #[cfg(feature = "client")]
    pub fn service_client(&mut self) -> Result<tapisservice_client::ServiceClient, crate::BuildError> {
        self.app.service_client()
    }

    /// The database. It connects on first use.
    ///
    /// # Errors
    ///
    /// When the service has no [`migrations`](TapisService::migrations), and so no database.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub fn database(&self) -> Result<Database, StartError> {
        self.database.clone().ok_or_else(|| StartError::service(super::database::NoDatabase))
    }
}

impl<S> fmt::Debug for Startup<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Startup").field("app", &self.app).finish_non_exhaustive()
    }
}

/// Starts a service with a configuration and returns its app, to be served or, in a test, called.
///
/// # Errors
///
/// When the service cannot start.
pub async fn assemble<T: TapisService>(
    config: &Config<T::Settings>,
    settings: Settings,
) -> Result<AppBuilder, StartError> {
    let app = App::builder(settings);
    let mut startup = Startup {
        config: config.clone(),
        app,
        #[cfg(any(feature = "postgres", feature = "sqlite"))]
        database: None,
    };
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    let migrator = T::migrations();
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    if let Some(migrator) = &migrator {
        startup.database = Some(super::database::open(config, migrator).await?);
    }
    let service = T::start(&mut startup).await?;
    let app = startup.app;
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    let app = match startup.database.zip(migrator) {
        Some((database, migrator)) => super::database::attach(app, &database, migrator),
        None => app,
    };
    let app = service.configure(app);
    #[cfg(feature = "openapi")]
    let app = app.openapi(T::api_info());
    #[cfg(feature = "swagger-ui")]
    let app = {
        let pages = super::describe::swagger_ui::<T, ()>(app.settings());
        app.routes(pages)
    };
    Ok(app.routes(T::routes().with_state(service)))
}
