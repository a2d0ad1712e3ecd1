//! Assembles the service, for `main` and for tests.

use tapisservice::config::Config;
use tapisservice::db::Database;
use tapisservice::{App, AppBuilder, Settings, StartError};

use crate::state::Shared;
use crate::{BookmarksSettings, Store, Systems, database, openapi, routes};

/// Opens the database and assembles the service.
///
/// # Errors
///
/// When a setting is invalid, or the database cannot be opened.
pub async fn app(config: &Config<BookmarksSettings>, settings: Settings) -> Result<AppBuilder, StartError> {
    assemble(settings, &database::open(config).await?)
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
pub fn describe() -> Result<App, StartError> {
    let settings = [
        ("service_name", "bookmarks"),
        ("version", env!("CARGO_PKG_VERSION")),
        ("service_site_id", "none"),
        ("service_tenant_id", "none"),
        ("primary_site_admin_tenant_base_url", "http://localhost"),
    ];
    let config = Settings::loader()
        .environment(settings)
        .default_config_path("")
        .default_schema_path("")
        .fallback_config("none", r#"{"tenants": []}"#)
        .load()?;
    Ok(assemble(Settings::from_config(&config)?, &database::placeholder()?)?.build()?)
}

fn assemble(settings: Settings, database: &Database) -> Result<AppBuilder, StartError> {
    let routes = routes::all(&settings.service.public_path());
    let mut app = App::builder(settings);
    let systems = Systems::new(app.service_client()?);
    let shared = Shared { store: Store::new(database.clone()), systems };
    let pool = database.clone();
    Ok(app
        .routes(routes.with_state(shared))
        .openapi(openapi::api_info())
        .ready_check(database::ready_check(database))
        .on_scrape(move || pool.record_metrics()))
}
