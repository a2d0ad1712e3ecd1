//! The service's own settings.

#[cfg(feature = "devsite")]
use std::net::SocketAddr;

use serde::Deserialize;
use tapisservice::Settings;
use tapisservice::config::{Config, ConfigError, Loader, set_default};
use tapisservice::db::DatabaseSettings;
use tapisservice::prelude::schemars::{self, JsonSchema, Schema};

/// The default of `sql_db_url`, so that the service runs without configuration.
const DATABASE: &str = "sqlite://.tapis/bookmarks.db?mode=rwc";

/// The keys that only this service reads.
///
/// `configschema.json` in the repository is written from it: `UPDATE_EXPECT=1 cargo test -p bookmarks --lib settings`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(transform = database_by_default)]
#[non_exhaustive]
pub struct BookmarksSettings {
    /// The database.
    #[serde(flatten)]
    pub database: DatabaseSettings,
    /// Starts a Tapis site for development in the same process; only where `server` is `dev`.
    #[serde(default)]
    pub devsite: bool,
    /// First port of that site; each of its five tenants has one, in a row. 0: any free ports.
    #[serde(default = "devsite_port")]
    #[schemars(range(max = 65_531))]
    pub devsite_port: u16,
}

fn database_by_default(schema: &mut Schema) {
    set_default(schema, "sql_db_url", DATABASE);
}

fn devsite_port() -> u16 {
    5080
}

/// A configuration loader with every check that a start makes: the types of the settings, the rules of the framework and the combinations
/// of keys.
pub fn loader() -> Loader<BookmarksSettings> {
    Settings::loader().settings::<BookmarksSettings>().check(check_database).check(check_devsite)
}

fn check_database(config: &Config<BookmarksSettings>) -> Result<(), ConfigError> {
    const KEY: &str = "sql_db_url";
    config.settings().database.check().map_err(|error| {
        let text = error.to_string();
        let what = text.strip_prefix(&format!("`{KEY}` ")).unwrap_or(&text);
        config.violation(KEY, what).depends_on("postgres_user").into()
    })
}

#[cfg(feature = "devsite")]
fn check_devsite(config: &Config<BookmarksSettings>) -> Result<(), ConfigError> {
    use tapisservice_devsite::DevSiteError;
    let own = config.settings();
    if !own.devsite {
        return Ok(());
    }
    let service =
        config.get::<Option<String>>("service_password")?.map(|_| config.get("service_name")).transpose()?;
    let site = crate::devsite::site(
        &config.get::<String>("server")?,
        own,
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

/// The site binds its ports before anything else listens. If `listen` is not configured, the service moves on to the next free
/// port; `metrics_listen` never moves.
#[cfg(feature = "devsite")]
fn check_ports(
    config: &Config<BookmarksSettings>,
    site: &tapisservice_devsite::DevSiteBuilder,
) -> Result<(), ConfigError> {
    const EXPECTED: &str =
        "expected a port outside those of the site, which takes one per tenant from `devsite_port` on";
    let clashes = |key: &str| -> Result<(), ConfigError> {
        match config.get::<Option<SocketAddr>>(key)? {
            Some(address) if site.conflicts_with(address) => {
                Err(config.violation(key, EXPECTED).depends_on("devsite_port").into())
            }
            _ => Ok(()),
        }
    };
    let listen = if config.is_configured("listen") { clashes("listen") } else { Ok(()) };
    ConfigError::all([listen, clashes("metrics_listen")])
}

#[cfg(not(feature = "devsite"))]
fn check_devsite(config: &Config<BookmarksSettings>) -> Result<(), ConfigError> {
    let own = config.settings();
    if own.devsite {
        return Err(config
            .violation("devsite", "this binary was built without a site for development")
            .into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use expect_test::expect_file;
    use tapisservice::config::schema_text_of;

    use super::*;

    #[test]
    fn the_schema_in_the_repository_is_that_of_the_settings() {
        expect_file!["../../../configschema.json"].assert_eq(&schema_text_of::<BookmarksSettings>());
    }
}
