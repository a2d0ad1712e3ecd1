//! A connection to migrate with, which no other runner has at the same time.

use std::time::Duration;

use sqlx::migrate::{Migrate, Migration};
use sqlx::postgres::PgConnection;
use sqlx::sqlite::{Sqlite, SqlitePool};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};

use super::status::AppliedRow;
use super::{Event, MigrationError};
use crate::Database;
use crate::engine::Pool;
use crate::error::{QueryError, Verb};

const TABLE: &str = "_sqlx_migrations";

/// Says who holds the lock, to those who look at `pg_locks`: "tapismig" in ASCII. The lock is one of this database only.
const LOCK: i64 = 0x7461_7069_736d_6967;

const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(200);

/// PostgreSQL holds its lock from [`open`](Self::open) to the end of the connection, so that a runner that dies leaves none
/// behind. SQLite holds its write lock from [`begin_step`](Self::begin_step) to the end of one migration.
pub(super) enum Session {
    Postgres(PgConnection),
    Sqlite { pool: SqlitePool, step: Option<sqlx::Transaction<'static, Sqlite>> },
}

impl Session {
    /// Connects, once.
    pub(super) async fn open(database: &Database) -> Result<Self, QueryError> {
        let opened = async {
            Ok(match database.pool() {
                Pool::Postgres(pool) => {
                    // A connection of its own: the settings of the pool do not hold for it.
                    let mut connection = pool.connect_options().as_ref().clone().connect().await?;
                    sqlx::query("SET statement_timeout = 0").execute(&mut connection).await?;
                    Self::Postgres(connection)
                }
                Pool::Sqlite(pool) => {
                    drop(pool.acquire().await?);
                    Self::Sqlite { pool: pool.clone(), step: None }
                }
            })
        };
        opened.await.map_err(|error| QueryError::from_sqlx(error, Verb::Other))
    }

    /// Waits until no other runner is at work, and makes the table if it is missing.
    ///
    /// PostgreSQL is asked again and again: a session that waits for the lock holds a snapshot, for which `CREATE INDEX
    /// CONCURRENTLY` of the other would wait in turn.
    pub(super) async fn lock(&mut self, tell: &mut (dyn FnMut(Event) + Send)) -> Result<(), MigrationError> {
        let mut told = false;
        while let Self::Postgres(connection) = self {
            let lock = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)").bind(LOCK);
            if lock.fetch_one(connection).await? {
                break;
            }
            wait(&mut told, tell).await;
        }
        self.begin_step(tell).await?;
        match self {
            Self::Postgres(connection) => connection.ensure_migrations_table(TABLE).await?,
            Self::Sqlite { step: Some(step), .. } => step.ensure_migrations_table(TABLE).await?,
            Self::Sqlite { step: None, .. } => {}
        }
        self.end_step().await
    }

    /// Begins to look what is to be done and to do it.
    pub(super) async fn begin_step(
        &mut self,
        tell: &mut (dyn FnMut(Event) + Send),
    ) -> Result<(), MigrationError> {
        let Self::Sqlite { pool, step } = self else { return Ok(()) };
        let mut told = false;
        loop {
            match pool.begin_with("BEGIN IMMEDIATE").await {
                Ok(transaction) => {
                    *step = Some(transaction);
                    return Ok(());
                }
                Err(error) => match QueryError::from_sqlx(error, Verb::Other) {
                    QueryError::Serialization { .. } => wait(&mut told, tell).await,
                    other => return Err(other.into()),
                },
            }
        }
    }

    /// Ends it, and keeps what was done.
    pub(super) async fn end_step(&mut self) -> Result<(), MigrationError> {
        if let Self::Sqlite { step, .. } = self
            && let Some(transaction) = step.take()
        {
            transaction.commit().await?;
        }
        Ok(())
    }

    /// What is done.
    pub(super) async fn applied(&mut self) -> Result<Vec<AppliedRow>, MigrationError> {
        let query = AssertSqlSafe(format!("SELECT version, checksum, success FROM {TABLE} ORDER BY version"));
        Ok(match self {
            Self::Postgres(connection) => sqlx::query_as(query).fetch_all(connection).await?,
            Self::Sqlite { step: Some(step), .. } => sqlx::query_as(query).fetch_all(&mut **step).await?,
            Self::Sqlite { pool, step: None } => sqlx::query_as(query).fetch_all(&*pool).await?,
        })
    }

    /// Runs a migration up or down, and notes it in the table.
    pub(super) async fn run(&mut self, migration: &Migration) -> Result<Duration, MigrationError> {
        if migration.no_tx {
            // Gives up the write lock of SQLite: what cannot run in a transaction cannot be guarded by one.
            self.end_step().await?;
        }
        match self {
            Self::Postgres(connection) => run_on(connection, migration).await,
            Self::Sqlite { step: Some(step), .. } => run_on(&mut **step, migration).await,
            Self::Sqlite { pool, step: None } => run_on(&mut *pool.acquire().await?, migration).await,
        }
    }

    /// Gives the lock back.
    pub(super) async fn close(self) {
        if let Self::Postgres(connection) = self {
            // The lock ends with the connection, however that ends.
            let _ = connection.close().await;
        }
    }
}

async fn run_on<C: Migrate>(connection: &mut C, migration: &Migration) -> Result<Duration, MigrationError> {
    Ok(if migration.migration_type.is_down_migration() {
        connection.revert(TABLE, migration).await?
    } else {
        connection.apply(TABLE, migration).await?
    })
}

async fn wait(told: &mut bool, tell: &mut (dyn FnMut(Event) + Send)) {
    if !std::mem::replace(told, true) {
        tell(Event::WaitingForRunner);
    }
    tokio::time::sleep(BETWEEN_ATTEMPTS).await;
}
