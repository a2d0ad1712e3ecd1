//! The database of a program: from its settings to its readiness.

use std::time::Duration;

use serde_json::Value;
use tapisservice_config::{Config, ConfigError, Loader, schema_of};
use tapisservice_db::migrate::{MigrationError, Migrator, Upgrade};
use tapisservice_db::{Database, DatabaseSettings, Engine, SchemaCheck};

use super::TapisService;
use crate::{AppBuilder, ReadyCheck, StartError};

const KEY: &str = "sql_db_url";

/// How long the start waits for another process that migrates the same file.
const UPGRADE_TIMEOUT: Duration = Duration::from_secs(10);

/// A service without migrations asked for its database.
#[derive(Debug, thiserror::Error)]
#[error("the service has no database: return its migrations from TapisService::migrations")]
pub(super) struct NoDatabase;

/// Adds the keys of the database, if the service has one.
pub(super) fn with_keys<T: TapisService>(loader: Loader) -> Loader {
    if T::migrations().is_none() {
        return loader;
    }
    let loader = loader.base::<DatabaseSettings>().base_check(check);
    match T::DEFAULT_DATABASE_URL {
        Some(url) => loader.base_default(KEY, url),
        None => loader,
    }
}

/// Adds the database of a development machine to its configuration, unless the service has a default.
pub(super) fn with_local_url<T: TapisService>(mut config: Value) -> Value {
    if T::migrations().is_some() && T::DEFAULT_DATABASE_URL.is_none() {
        config[KEY] = format!("sqlite://.tapis/{}.db?mode=rwc", T::PACKAGE.name).into();
    }
    config
}

/// Adds the keys of the database to a schema for deployers, if the service has one. A key that is there stays.
pub(super) fn with_schema<T: TapisService>(mut schema: Value) -> Value {
    if T::migrations().is_none() {
        return schema;
    }
    let mut database = schema_of::<DatabaseSettings>();
    if let Some(url) = T::DEFAULT_DATABASE_URL {
        database["properties"][KEY]["default"] = url.into();
        database["required"] = Value::Array(Vec::new());
    }
    for group in ["properties", "required"] {
        match (&mut schema[group], database[group].take()) {
            (Value::Object(members), Value::Object(more)) => {
                for (key, property) in more {
                    members.entry(key).or_insert(property);
                }
            }
            (Value::Array(members), Value::Array(more)) => members.extend(more),
            (group, more) => *group = more,
        }
    }
    schema
}

fn check(config: &Config) -> Result<(), ConfigError> {
    // That the values fit the struct is checked before.
    let Ok(settings) = config.parse::<DatabaseSettings>() else { return Ok(()) };
    settings.check().map_err(|error| {
        let text = error.to_string();
        let what = text.strip_prefix(&format!("`{KEY}` ")).unwrap_or(&text);
        config.violation(KEY, what).depends_on("postgres_user").into()
    })
}

/// The configured database. It connects on first use.
pub(crate) fn connect<S>(config: &Config<S>) -> Result<Database, StartError> {
    Database::connect_lazy(&config.parse::<DatabaseSettings>()?)
        .map_err(|error| StartError::setting(KEY, error))
}

/// The same, ready to serve: pending migrations are applied to an SQLite file. PostgreSQL is migrated with the command `upgrade`, before
/// or after the service starts.
pub(super) async fn open<S>(config: &Config<S>, migrator: &Migrator) -> Result<Database, StartError> {
    let database = connect(config)?;
    if database.engine() == Engine::Sqlite {
        let upgrade = migrator.upgrade(&database, Upgrade::Head, UPGRADE_TIMEOUT, &mut |_| ()).await;
        upgrade.map_err(not_upgraded)?;
    }
    Ok(database)
}

/// Adds the readiness check and the metrics of the pool.
pub(super) fn attach(app: AppBuilder, database: &Database, migrator: Migrator) -> AppBuilder {
    let check = SchemaCheck::new(database.clone(), migrator);
    let app = app.ready_check(ReadyCheck::new("database", move || {
        let check = check.clone();
        async move { check.ready().await }
    }));
    #[cfg(feature = "metrics")]
    let app = {
        let pool = database.clone();
        app.on_scrape(move || pool.record_metrics())
    };
    app
}

/// Blames the setting if the file cannot be used, and the service if a migration fails.
fn not_upgraded(error: MigrationError) -> StartError {
    match error {
        MigrationError::Query(_) | MigrationError::File { .. } | MigrationError::Unreachable { .. } => {
            StartError::setting(KEY, error)
        }
        error => StartError::service(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_migration_that_cannot_be_run_is_no_fault_of_the_settings() {
        let error = not_upgraded(MigrationError::Changed(1));
        assert!(matches!(&error, StartError::Service(_)), "{error:?}");
        assert!(error.to_string().starts_with("migration 1"), "{error}");
        let error = not_upgraded(MigrationError::Unreachable {
            waited: UPGRADE_TIMEOUT,
            reason: "locked".to_owned(),
        });
        assert!(matches!(&error, StartError::Setting { key, .. } if key == KEY), "{error:?}");
    }
}
