//! The service, assembled: the same for `main` and for tests.

use tapisservice::config::Config;
use tapisservice::serve::Shutdown;
use tapisservice::{App, AppBuilder, Settings, StartError};
use tapisservice_db::Database;

use crate::state::Shared;
use crate::{CONFIG_SCHEMA, Store, Systems, database, openapi, routes};

/// Opens the database and puts the service together.
///
/// # Errors
///
/// When a setting or the database cannot be used.
pub async fn app(config: &Config, settings: Settings, shutdown: Shutdown) -> Result<App, StartError> {
    Ok(builder(config, settings, shutdown).await?.build()?)
}

/// Opens the database and puts the service together but for the last step, so that more can be added.
///
/// # Errors
///
/// When a setting or the database cannot be used.
pub async fn builder(
    config: &Config,
    settings: Settings,
    shutdown: Shutdown,
) -> Result<AppBuilder<impl Clone + Send + Sync + 'static>, StartError> {
    Ok(assemble(settings, &database::open(config).await?)?.shutdown(shutdown))
}

/// The service without a configuration or a database, for its list of routes and its OpenAPI document.
///
/// # Errors
///
/// Never, as long as the base schema knows the settings used here.
///
/// # Panics
///
/// Outside a tokio runtime.
pub fn outline() -> Result<App, StartError> {
    let settings = [
        ("service_name", "bookmarks"),
        ("version", env!("CARGO_PKG_VERSION")),
        ("service_site_id", "none"),
        ("service_tenant_id", "none"),
        ("primary_site_admin_tenant_base_url", "http://localhost"),
    ];
    let config = Config::loader()
        .environment(settings)
        .embedded_schema(CONFIG_SCHEMA)
        .default_config_path("")
        .default_schema_path("")
        .fallback_config("none", r#"{"tenants": []}"#)
        .load()?;
    Ok(assemble(Settings::from_config(&config)?, &database::unopened()?)?.build()?)
}

fn assemble(settings: Settings, database: &Database) -> Result<AppBuilder<Shared>, StartError> {
    let routes = routes::all(&settings.service.public_path());
    let tenants = settings.tenant_cache()?.build();
    let tapis = settings.service_client(tenants.clone())?;
    let shared = Shared { store: Store::new(database.clone()), systems: Systems::new(tapis.clone()) };
    let pool = database.clone();
    Ok(App::with_state(settings, routes, shared)
        .tenants(tenants)
        .service_client(tapis)
        .openapi(openapi::head())
        .ready_check(database::ready_check(database))
        .metrics_source(move || pool.record_metrics()))
}
