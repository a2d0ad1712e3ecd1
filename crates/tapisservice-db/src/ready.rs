//! The readiness check of the schema.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::migrate::{MigrationError, Migrator, NotAtHead};
use crate::{Database, QueryError};

/// How long a result is cached: several probes may come at once, and very many in an attack.
const CACHE_TTL: Duration = Duration::from_secs(1);

/// Checks that the database is available and has every migration that the service was built with (rule D4). Cheap to
/// clone and to call: it queries the database at most once per second, for all callers together.
///
/// ```
/// # use tapisservice_db::{Database, SchemaCheck, migrate::Migrator};
/// # async fn demo(database: Database, migrator: Migrator) -> Result<(), tapisservice_db::NotReady> {
/// let check = SchemaCheck::new(database, migrator);
/// // As the check of a service: ReadyCheck::new("database", move || { let check = check.clone(); async move { check.ready().await } })
/// check.ready().await
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct SchemaCheck {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    database: Database,
    migrator: Migrator,
    last: Mutex<Option<(Instant, Result<(), NotReady>)>>,
}

/// Why a database is not ready for the service.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum NotReady {
    /// It is not at head.
    #[error(transparent)]
    NotAtHead(NotAtHead),
    /// The state of its migrations cannot be read.
    #[error(transparent)]
    Migrations(Arc<MigrationError>),
    /// It is unavailable, or a query failed.
    #[error("{}", .0.log_message())]
    Query(#[source] Arc<QueryError>),
}

impl SchemaCheck {
    /// A check of a database for the migrations of a service.
    pub fn new(database: Database, migrator: Migrator) -> Self {
        Self { inner: Arc::new(Inner { database, migrator, last: Mutex::new(None) }) }
    }

    /// Checks that the database is available and at head. A database ahead of the build is ready too: during a rollout, old and new
    /// versions run side by side.
    ///
    /// # Errors
    ///
    /// What is missing, for the log, within the time that a request waits for a connection.
    pub async fn ready(&self) -> Result<(), NotReady> {
        let mut last = self.inner.last.lock().await;
        if let Some((at, result)) = &*last
            && at.elapsed() < CACHE_TTL
        {
            return result.clone();
        }
        let status = self.inner.database.with_timeout(async {
            match self.inner.migrator.status(&self.inner.database).await {
                Err(MigrationError::Query(error)) => Err(error),
                other => Ok(other),
            }
        });
        let result = match status.await {
            Ok(Ok(status)) => status.at_head().map_err(NotReady::NotAtHead),
            Ok(Err(error)) => Err(NotReady::Migrations(Arc::new(error))),
            Err(error) => Err(NotReady::Query(Arc::new(error))),
        };
        *last = Some((Instant::now(), result.clone()));
        result
    }
}
