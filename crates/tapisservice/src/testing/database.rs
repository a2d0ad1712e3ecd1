//! The database of one test.

#[cfg(feature = "postgres")]
use std::sync::LazyLock;
#[cfg(feature = "postgres")]
use std::sync::atomic::{AtomicU32, Ordering};
#[cfg(feature = "postgres")]
use std::time::Duration;

use tapisservice_db::migrate::Migrator;
#[cfg(feature = "postgres")]
use tapisservice_db::migrate::Upgrade;
#[cfg(feature = "postgres")]
use tapisservice_db::testing::Postgres;
#[cfg(feature = "postgres")]
use tapisservice_db::{Database, DatabaseSettings};
use tempfile::TempDir;

use crate::StartError;

/// An empty database that is ready to be served, and what keeps it.
#[derive(Debug)]
pub(super) struct TestDatabase {
    url: String,
    /// The folder of an SQLite file, which goes with the test.
    _folder: Option<TempDir>,
}

impl TestDatabase {
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// A new file. The start of the service migrates it.
    #[cfg(feature = "sqlite")]
    pub(super) fn sqlite(_: &Migrator) -> Result<Self, StartError> {
        let folder = TempDir::with_prefix("tapis-test-").map_err(StartError::service)?;
        let url = format!("sqlite://{}?mode=rwc", folder.path().join("test.db").display());
        Ok(Self { url, _folder: Some(folder) })
    }

    /// A new, migrated database. `None` if the machine has no PostgreSQL.
    #[cfg(feature = "postgres")]
    pub(super) async fn postgres(migrator: &Migrator) -> Result<Option<Self>, StartError> {
        const TIMEOUT: Duration = Duration::from_mins(1);
        // Starting a server takes seconds. It stops when the process ends.
        static SERVER: LazyLock<Option<Postgres>> = LazyLock::new(Postgres::start);
        static COUNT: AtomicU32 = AtomicU32::new(0);

        let Some(server) = &*SERVER else { return Ok(None) };
        let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        server.create_database(&name);
        let url = server.url(&name);
        let database = Database::connect_lazy(&DatabaseSettings::new(&*url)).map_err(StartError::service)?;
        migrator
            .upgrade(&database, Upgrade::Head, TIMEOUT, &mut |_| ())
            .await
            .map_err(StartError::service)?;
        database.close().await;
        Ok(Some(Self { url, _folder: None }))
    }
}
