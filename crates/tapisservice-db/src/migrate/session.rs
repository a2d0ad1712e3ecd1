//! The connection of a run, and the lock that keeps other runs out.

#[cfg(feature = "sqlite")]
use std::fs::{File, TryLockError};
#[cfg(feature = "sqlite")]
use std::path::PathBuf;
use std::time::Duration;

use sqlx::AssertSqlSafe;
use sqlx::migrate::{Migrate, Migration};
#[cfg(feature = "sqlite")]
use sqlx::pool::PoolConnection;
#[cfg(feature = "postgres")]
use sqlx::postgres::PgConnection;
#[cfg(feature = "sqlite")]
use sqlx::sqlite::{Sqlite, SqliteConnection};
#[cfg(feature = "postgres")]
use sqlx::{ConnectOptions as _, Connection as _};

use super::apply::{MigrationConnection, apply};
use super::status::AppliedRow;
use super::{MigrationError, MigrationEvent};
use crate::Database;
use crate::engine::Pool;
use crate::error::{QueryError, StatementKind};

/// The table in which `sqlx` records applied migrations.
pub(super) const TABLE: &str = "_sqlx_migrations";

/// The key of the advisory lock, visible in `pg_locks`: "tapismig" in ASCII. The lock is per database.
#[cfg(feature = "postgres")]
const LOCK: i64 = 0x7461_7069_736d_6967;

const LOCK_RETRY_DELAY: Duration = Duration::from_millis(200);

/// A connection with a lock, which is held from [`lock`](Self::lock) to the end of the session. A run that dies leaves no
/// lock: PostgreSQL releases its lock with the connection, and the lock of an SQLite file belongs to the operating system.
///
/// SQLite's own write lock is not enough: it ends with a transaction, and some migrations run without one.
pub(super) enum Session {
    #[cfg(feature = "postgres")]
    Postgres(PgConnection),
    /// A database in memory has only one connection, which is its lock.
    #[cfg(feature = "sqlite")]
    Sqlite { connection: PoolConnection<Sqlite>, lock: Option<File> },
}

impl Session {
    /// Connects, once.
    pub(super) async fn open(database: &Database) -> Result<Self, QueryError> {
        let opened = async {
            Ok(match database.pool() {
                #[cfg(feature = "postgres")]
                Pool::Postgres(pool) => {
                    // A separate connection: the settings of the pool do not apply to it.
                    let mut connection = pool.connect_options().as_ref().clone().connect().await?;
                    sqlx::query("SET statement_timeout = 0").execute(&mut connection).await?;
                    Self::Postgres(connection)
                }
                #[cfg(feature = "sqlite")]
                Pool::Sqlite(pool) => Self::Sqlite { connection: pool.acquire().await?, lock: None },
            })
        };
        opened.await.map_err(|error| QueryError::from_sqlx(error, StatementKind::Other))
    }

    /// Waits for the lock, and creates the table if it is missing.
    pub(super) async fn lock(
        &mut self,
        on_event: &mut (dyn FnMut(MigrationEvent) + Send),
    ) -> Result<(), MigrationError> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => {
                lock_postgres(connection, on_event).await?;
                connection.ensure_migrations_table(TABLE).await?;
            }
            #[cfg(feature = "sqlite")]
            Self::Sqlite { connection, lock } => {
                if let Some(path) = lock_path(connection).await? {
                    *lock = Some(lock_file(path, on_event).await?);
                }
                connection.ensure_migrations_table(TABLE).await?;
            }
        }
        Ok(())
    }

    /// The applied migrations.
    pub(super) async fn applied(&mut self) -> Result<Vec<AppliedRow>, MigrationError> {
        let query = AssertSqlSafe(format!("SELECT version, checksum, success FROM {TABLE} ORDER BY version"));
        Ok(match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => sqlx::query_as(query).fetch_all(connection).await?,
            #[cfg(feature = "sqlite")]
            Self::Sqlite { connection, .. } => sqlx::query_as(query).fetch_all(&mut **connection).await?,
        })
    }

    /// Applies or reverts a migration, and records it in the table.
    pub(super) async fn run(&mut self, migration: &Migration) -> Result<Duration, MigrationError> {
        let connection = match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => MigrationConnection::Postgres(connection),
            #[cfg(feature = "sqlite")]
            Self::Sqlite { connection, .. } => MigrationConnection::Sqlite(connection),
        };
        apply(connection, migration).await
    }

    /// Releases the lock.
    pub(super) async fn close(self) {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => {
                // PostgreSQL releases the lock with the connection, however that ends.
                let _ = connection.close().await;
            }
            #[cfg(feature = "sqlite")]
            Self::Sqlite { .. } => {}
        }
    }
}

/// Polls: a session that waits for the lock in the server holds a snapshot, and `CREATE INDEX CONCURRENTLY` of the
/// other run would wait for it.
#[cfg(feature = "postgres")]
async fn lock_postgres(
    connection: &mut PgConnection,
    on_event: &mut (dyn FnMut(MigrationEvent) + Send),
) -> Result<(), MigrationError> {
    let mut told = false;
    loop {
        let lock = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)").bind(LOCK);
        if lock.fetch_one(&mut *connection).await? {
            return Ok(());
        }
        wait(&mut told, on_event).await;
    }
}

/// The lock file beside the database file; `None` for a database in memory. The database file itself must not be opened a
/// second time: closing it would release SQLite's locks.
#[cfg(feature = "sqlite")]
async fn lock_path(connection: &mut SqliteConnection) -> Result<Option<PathBuf>, MigrationError> {
    let query = sqlx::query_scalar("SELECT file FROM pragma_database_list WHERE name = 'main'");
    let file: Option<String> = query.fetch_one(connection).await?;
    Ok(file.filter(|file| !file.is_empty()).map(|file| PathBuf::from(file + "-migrate.lock")))
}

#[cfg(feature = "sqlite")]
async fn lock_file(
    path: PathBuf,
    on_event: &mut (dyn FnMut(MigrationEvent) + Send),
) -> Result<File, MigrationError> {
    let failed = |source| MigrationError::File { path: path.clone(), source };
    let file = File::options().create(true).append(true).open(&path).map_err(failed)?;
    let mut told = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => wait(&mut told, on_event).await,
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
    }
}

async fn wait(told: &mut bool, on_event: &mut (dyn FnMut(MigrationEvent) + Send)) {
    if !std::mem::replace(told, true) {
        on_event(MigrationEvent::WaitingForLock);
    }
    tokio::time::sleep(LOCK_RETRY_DELAY).await;
}
