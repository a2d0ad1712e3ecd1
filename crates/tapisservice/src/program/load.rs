//! The configuration of a program.

use std::path::Path;

use serde_json::{Value, json};
use tapisservice_config::{Config, ConfigError, Loader, schema_of};

use super::TapisService;
use crate::Settings;
use crate::settings::table;

/// Where the configuration of a deployment is.
const DEPLOYED: &str = "/home/tapis/config.json";
/// The configuration of a development machine, in the current folder.
const LOCAL: &str = "config-local.json";

/// A loader of the service's configuration, which asks of it all that a start does.
pub fn loader<T: TapisService>() -> Loader<T::Settings> {
    let loader = Settings::loader().base_default("version", T::PACKAGE.version);
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    let loader = super::database::with_keys::<T>(loader);
    loader.settings::<T::Settings>().check(T::check)
}

/// Loads the configuration of the process. On a machine without a deployed one, a build with the feature `devsite` uses `config-local.json`
/// of the current folder, or settings that fit the embedded site.
pub(super) fn load<T: TapisService>() -> Result<Config<T::Settings>, ConfigError> {
    let loader = loader::<T>();
    if cfg!(feature = "devsite") && !Path::new(DEPLOYED).exists() {
        return loader.local_config(LOCAL, local::<T>().to_string()).load();
    }
    loader.load()
}

/// What a development machine needs.
fn local<T: TapisService>() -> Value {
    let config = json!({
        "service_name": T::PACKAGE.name,
        "service_password": "devsite-service",
        "service_site_id": "tacc",
        "service_tenant_id": "admin",
        "tenants": ["*"],
        "primary_site_admin_tenant_base_url": "http://localhost:5081",
        "server": "dev",
        "devsite": true,
        "listen": "127.0.0.1:5000",
        "drain_seconds": 0,
    });
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    let config = super::database::with_local_url::<T>(config);
    config
}

/// The text of a `configschema.json` with the keys that only this service has: its own settings and, if it has one, those of its database.
pub fn schema_text<T: TapisService>() -> String {
    let mut schema = schema::<T>();
    schema.sort_all_objects();
    format!("{schema:#}\n")
}

fn schema<T: TapisService>() -> Value {
    let mut schema = schema_of::<T::Settings>();
    schema["description"] = format!("The settings that only {} has.", T::PACKAGE.name).into();
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    let schema = super::database::with_schema::<T>(schema);
    schema
}

/// All settings of the service, as tables for people.
pub(super) fn settings_table<T: TapisService>() -> String {
    let name = T::PACKAGE.name;
    format!("{}\n{}", table::table(&format!("Only {name}"), &schema::<T>()), Settings::tables())
}
