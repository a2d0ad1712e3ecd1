//! Whether the schema is at head, asked by probes.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::migrate::{MigrationError, Migrator, NotAtHead};
use crate::{Database, QueryError};

/// How long an answer is good for: probes of several kinds come at once, and many of them in an attack.
const FRESH: Duration = Duration::from_secs(1);

/// Answers whether the database is there and has every migration that the service was built with (rule D4). Cheap to
/// clone, and cheap to ask: it asks the database at most once a second, for all who ask together.
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
    /// Its migrations cannot be told.
    #[error(transparent)]
    Migrations(Arc<MigrationError>),
    /// It does not answer, or not as it should.
    #[error("{}", .0.log_message())]
    Query(#[source] Arc<QueryError>),
}

impl SchemaCheck {
    /// A check of a database against the migrations of a service.
    pub fn new(database: Database, migrator: Migrator) -> Self {
        Self { inner: Arc::new(Inner { database, migrator, last: Mutex::new(None) }) }
    }

    /// Whether the database answers and is at head. One that is ahead is fine, too: while versions change, old and new run
    /// side by side.
    ///
    /// # Errors
    ///
    /// Says what is missing, for the log, within the time that a request waits for a connection.
    pub async fn ready(&self) -> Result<(), NotReady> {
        let mut last = self.inner.last.lock().await;
        if let Some((at, answer)) = &*last
            && at.elapsed() < FRESH
        {
            return answer.clone();
        }
        let asked = self.inner.database.with_timeout(async {
            match self.inner.migrator.status(&self.inner.database).await {
                Err(MigrationError::Query(error)) => Err(error),
                other => Ok(other),
            }
        });
        let answer = match asked.await {
            Ok(Ok(status)) => status.at_head().map_err(NotReady::NotAtHead),
            Ok(Err(error)) => Err(NotReady::Migrations(Arc::new(error))),
            Err(error) => Err(NotReady::Query(Arc::new(error))),
        };
        *last = Some((Instant::now(), answer.clone()));
        answer
    }
}
