//! The service's own settings.

#[cfg(feature = "devsite")]
use std::net::SocketAddr;

use serde::Deserialize;
use tapisservice::Settings;
use tapisservice::config::{Config, ConfigError, Loader};
use tapisservice::db::DatabaseSettings;

/// `configschema.json` as it was when the service was built: what its own settings are, with their defaults.
pub const CONFIG_SCHEMA: &str = include_str!("../../../configschema.json");

/// The keys that only this service reads, but for those of its database
/// ([`DatabaseSettings`](tapisservice::db::DatabaseSettings)).
#[derive(Debug, Clone, Deserialize)]
#[non_exhaustive]
pub struct BookmarksSettings {
    /// Whether to start a Tapis site for development.
    pub devsite: bool,
    /// The first port of that site; 0 takes free ones.
    pub devsite_port: u16,
}

/// A loader of the configuration that asks of it all that a start does: what the schema says, what the framework's settings
/// ask for, and the service's own.
pub fn loader() -> Loader {
    Settings::loader(CONFIG_SCHEMA).check(check_database).check(check_devsite)
}

fn check_database(config: &Config) -> Result<(), ConfigError> {
    const KEY: &str = "sql_db_url";
    let settings: DatabaseSettings = config.parse()?;
    settings.check().map_err(|error| {
        let text = error.to_string();
        let what = text.strip_prefix(&format!("`{KEY}` ")).unwrap_or(&text);
        config.violation(KEY, what).depends_on("postgres_user").into()
    })
}

#[cfg(feature = "devsite")]
fn check_devsite(config: &Config) -> Result<(), ConfigError> {
    use tapisservice_devsite::DevSiteError;
    let own: BookmarksSettings = config.parse()?;
    if !own.devsite {
        return Ok(());
    }
    let service =
        config.get::<Option<String>>("service_password")?.map(|_| config.get("service_name")).transpose()?;
    let site = crate::devsite::site(
        &config.get::<String>("server")?,
        &own,
        service.map(|name: String| (name, String::new())),
    );
    let checked = site.check().map_err(|error| {
        let key = match error {
            DevSiteError::InvalidId(_) => "service_name",
            DevSiteError::PortRange(_) => "devsite_port",
            _ => "devsite",
        };
        let what = match error {
            DevSiteError::InvalidId(_) => {
                "expected 1 to 63 letters, digits and hyphens, where `devsite` is true".to_owned()
            }
            DevSiteError::PortRange(_) => "not enough ports after it for one per tenant".to_owned(),
            error => error.to_string(),
        };
        ConfigError::from(config.violation(key, what).depends_on("server"))
    });
    ConfigError::all([checked, check_ports(config, &site)])
}

/// The site takes its ports before anything else listens. Where nobody asked for the port of `listen`, the service moves
/// on to the next free one; `metrics_listen` never moves.
#[cfg(feature = "devsite")]
fn check_ports(config: &Config, site: &tapisservice_devsite::DevSiteBuilder) -> Result<(), ConfigError> {
    const WHAT: &str =
        "expected a port outside those of the site, which takes one per tenant from `devsite_port` on";
    let clashes = |key: &str| -> Result<(), ConfigError> {
        match config.get::<Option<SocketAddr>>(key)? {
            Some(address) if site.conflicts_with(address) => {
                Err(config.violation(key, WHAT).depends_on("devsite_port").into())
            }
            _ => Ok(()),
        }
    };
    let listen = if config.is_configured("listen") { clashes("listen") } else { Ok(()) };
    ConfigError::all([listen, clashes("metrics_listen")])
}

#[cfg(not(feature = "devsite"))]
fn check_devsite(config: &Config) -> Result<(), ConfigError> {
    let own: BookmarksSettings = config.parse()?;
    if own.devsite {
        return Err(config
            .violation("devsite", "this binary was built without a site for development")
            .into());
    }
    Ok(())
}
