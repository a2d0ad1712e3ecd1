//! The database: connection, migrations and readiness.

use std::sync::LazyLock;
use std::time::Duration;

use tapisservice::config::Config;
use tapisservice::db::migrate::{MigrationError, Migrator, Upgrade};
use tapisservice::db::{Database, DatabaseSettings, Engine, SchemaCheck};
use tapisservice::{ReadyCheck, StartError};

use crate::BookmarksSettings;

static MIGRATOR: LazyLock<Migrator> = LazyLock::new(|| {
    Migrator::new(sqlx::migrate!("../../migrations")).expect("a test holds that the migrations are sound")
});

/// How long the start waits for another process that migrates the same file.
const UPGRADE_TIMEOUT: Duration = Duration::from_secs(10);

/// The migrations in the folder `migrations`, compiled into the service.
pub fn migrator() -> &'static Migrator {
    &MIGRATOR
}

/// The configured database. It connects on first use.
///
/// # Errors
///
/// When the configuration does not name a database.
pub fn connect(config: &Config<BookmarksSettings>) -> Result<Database, StartError> {
    Database::connect_lazy(&config.settings().database)
        .map_err(|error| StartError::setting("sql_db_url", error))
}

/// Like [`connect`], but ready to serve: applies pending migrations to an SQLite file. PostgreSQL is migrated
/// with `bookmarks upgrade`, before or after the service starts.
///
/// # Errors
///
/// When the configuration does not name a database, or the file cannot be used.
pub(crate) async fn open(config: &Config<BookmarksSettings>) -> Result<Database, StartError> {
    let database = connect(config)?;
    if database.engine() == Engine::Sqlite {
        let upgrade = migrator().upgrade(&database, Upgrade::Head, UPGRADE_TIMEOUT, &mut |_| ()).await;
        upgrade.map_err(not_upgraded)?;
    }
    Ok(database)
}

/// Names the setting if the file cannot be used, and the service if a migration fails.
fn not_upgraded(error: MigrationError) -> StartError {
    match error {
        MigrationError::Query(_) | MigrationError::File { .. } | MigrationError::Unreachable { .. } => {
            StartError::setting("sql_db_url", error)
        }
        error => StartError::service(error),
    }
}

/// A database that is never opened, for the list of routes and the OpenAPI document.
///
/// # Errors
///
/// Never: the URL is valid.
pub(crate) fn placeholder() -> Result<Database, StartError> {
    let settings = DatabaseSettings::new("sqlite::memory:");
    Database::connect_lazy(&settings).map_err(|error| StartError::setting("sql_db_url", error))
}

/// Checks that the database is available and has the migrations of this build.
pub(crate) fn ready_check(database: &Database) -> ReadyCheck {
    let check = SchemaCheck::new(database.clone(), migrator().clone());
    ReadyCheck::new("database", move || {
        let check = check.clone();
        async move { check.ready().await }
    })
}

#[cfg(test)]
mod tests {
    use tapisservice::db::migrate::Downgrade;
    use tapisservice_db::testing::Postgres;

    use super::*;

    #[tokio::test]
    async fn every_migration_goes_up_and_down_and_up_again_on_both_engines() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("new").join("folder").join("bookmarks.db");
        let postgres = Postgres::start();
        let settings = [
            Some(DatabaseSettings::new(format!("sqlite://{}?mode=rwc", file.display()))),
            postgres.as_ref().map(|postgres| postgres.settings("tapis")),
        ];
        for settings in settings.into_iter().flatten() {
            let database = Database::connect_lazy(&settings).unwrap();
            let tell = &mut |_| ();
            let head = migrator().head();
            let up = migrator().upgrade(&database, Upgrade::Head, UPGRADE_TIMEOUT, tell).await.unwrap();
            assert_eq!((up.current(), up.at_head()), (head, Ok(())));
            let down = migrator().downgrade(&database, Downgrade::Base, UPGRADE_TIMEOUT, tell).await.unwrap();
            assert_eq!(down.current(), None);
            let again = migrator().upgrade(&database, Upgrade::Head, UPGRADE_TIMEOUT, tell).await.unwrap();
            assert_eq!(again.current(), head);
        }
    }

    #[test]
    fn a_migration_that_cannot_be_run_is_no_fault_of_the_settings() {
        let error = not_upgraded(MigrationError::Changed(1));
        assert!(matches!(&error, StartError::Service(_)), "{error:?}");
        assert!(error.to_string().starts_with("migration 1"), "{error}");
        let error = not_upgraded(MigrationError::Unreachable {
            waited: UPGRADE_TIMEOUT,
            reason: "locked".to_owned(),
        });
        assert!(matches!(&error, StartError::Setting { key, .. } if key == "sql_db_url"), "{error:?}");
    }
}
