//! Applies one migration on one connection.
//!
//! `sqlx` can do this too, but it sends the whole file at once: it cannot tell which statement failed, PostgreSQL runs
//! a file without a transaction in one anyway, and a file that ends its transaction is still recorded as applied. The
//! table of migrations is the one of `sqlx`.

use std::time::{Duration, Instant};

use sqlx::migrate::Migration;
#[cfg(feature = "postgres")]
use sqlx::postgres::{PgConnection, PgDatabaseError, PgErrorPosition};
#[cfg(feature = "sqlite")]
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};

use super::MigrationError;
use super::file::{file_name, script_error};
use super::script::{Dialect, Statement, plan};
use super::session::TABLE;

/// Disappears together with the transaction that a migration started in.
const SAVEPOINT: &str = "SAVEPOINT tapis_migration";
const RELEASE_SAVEPOINT: &str = "RELEASE SAVEPOINT tapis_migration";

/// For SQLite: takes the write lock before anything is read, and waits for it while a service writes.
#[cfg(feature = "sqlite")]
const IMMEDIATE: &str = "BEGIN IMMEDIATE";

/// A connection of either engine.
pub(super) enum MigrationConnection<'c> {
    #[cfg(feature = "postgres")]
    Postgres(&'c mut PgConnection),
    #[cfg(feature = "sqlite")]
    Sqlite(&'c mut SqliteConnection),
}

/// Applies or reverts a migration, and records that in the table of migrations.
pub(super) async fn apply(
    connection: MigrationConnection<'_>,
    migration: &Migration,
) -> Result<Duration, MigrationError> {
    let started = Instant::now();
    let dialect = match connection {
        #[cfg(feature = "postgres")]
        MigrationConnection::Postgres(_) => Dialect::Postgres,
        #[cfg(feature = "sqlite")]
        MigrationConnection::Sqlite(_) => Dialect::Sqlite,
    };
    let planned = plan(migration.sql.as_str(), dialect, !migration.no_tx);
    let statements = planned.map_err(|error| script_error(migration, error))?;
    if migration.no_tx {
        apply_without_transaction(connection, migration, &statements, started).await?;
    } else {
        apply_in_transaction(connection, migration, &statements, started).await?;
    }
    Ok(started.elapsed())
}

/// In a transaction, so that a failure leaves nothing behind.
async fn apply_in_transaction(
    connection: MigrationConnection<'_>,
    migration: &Migration,
    statements: &[Statement<'_>],
    started: Instant,
) -> Result<(), MigrationError> {
    match connection {
        #[cfg(feature = "postgres")]
        MigrationConnection::Postgres(connection) => {
            let mut transaction = connection.begin().await?;
            in_transaction(MigrationConnection::Postgres(&mut transaction), migration, statements, started)
                .await?;
            transaction.commit().await.map_err(|source| failed(migration, None, source))
        }
        #[cfg(feature = "sqlite")]
        MigrationConnection::Sqlite(connection) => {
            let mut transaction = connection.begin_with(IMMEDIATE).await?;
            let ran =
                in_transaction(MigrationConnection::Sqlite(&mut transaction), migration, statements, started)
                    .await;
            if ran.is_err() {
                // `sqlx` expects a transaction to roll back, but `INSERT OR ROLLBACK` and the like have already done so. If
                // there still is one, this fails and changes nothing.
                let _ = transaction.execute(sqlx::raw_sql("BEGIN")).await;
                let _ = transaction.rollback().await;
                return ran;
            }
            transaction.commit().await.map_err(|source| failed(migration, None, source))
        }
    }
}

async fn in_transaction(
    mut connection: MigrationConnection<'_>,
    migration: &Migration,
    statements: &[Statement<'_>],
    started: Instant,
) -> Result<(), MigrationError> {
    connection.execute(SAVEPOINT).await?;
    connection.run(migration, statements).await?;
    connection.execute(RELEASE_SAVEPOINT).await.map_err(|error| match error {
        sqlx::Error::Database(_) => MigrationError::TransactionLost { file: file_name(migration) },
        lost => lost.into(),
    })?;
    connection.record(migration, started.elapsed()).await?;
    Ok(())
}

/// Without a transaction, except for those in the file.
async fn apply_without_transaction(
    mut connection: MigrationConnection<'_>,
    migration: &Migration,
    statements: &[Statement<'_>],
    started: Instant,
) -> Result<(), MigrationError> {
    let ran = async {
        connection.run(migration, statements).await?;
        // On SQLite this fails if the file left a transaction open, by a savepoint.
        connection.execute("BEGIN").await.map_err(|source| failed(migration, None, source))?;
        connection.record(migration, started.elapsed()).await?;
        Ok(connection.execute("COMMIT").await?)
    };
    let ran = ran.await;
    if ran.is_err() {
        // In case the file began a transaction. If it did not, this is an error on SQLite.
        let _ = connection.execute("ROLLBACK").await;
    }
    ran
}

impl MigrationConnection<'_> {
    async fn run(
        &mut self,
        migration: &Migration,
        statements: &[Statement<'_>],
    ) -> Result<(), MigrationError> {
        for statement in statements {
            let done = self.execute(statement.text).await;
            done.map_err(|source| failed(migration, Some(line_of(&source, statement)), source))?;
        }
        Ok(())
    }

    async fn execute(&mut self, sql: &str) -> Result<(), sqlx::Error> {
        // The text comes from a file in the build, or from this one.
        let sql = sqlx::raw_sql(AssertSqlSafe(sql));
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => connection.execute(sql).await.map(|_| ()),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(connection) => connection.execute(sql).await.map(|_| ()),
        }
    }

    /// Records that the migration was applied or reverted.
    async fn record(&mut self, migration: &Migration, elapsed: Duration) -> Result<(), sqlx::Error> {
        let (version, description, checksum) =
            (migration.version, &*migration.description, &*migration.checksum);
        let nanoseconds = i64::try_from(elapsed.as_nanos()).unwrap_or(i64::MAX);
        if migration.migration_type.is_down_migration() {
            let sql = AssertSqlSafe(format!("DELETE FROM {TABLE} WHERE version = $1"));
            return match self {
                #[cfg(feature = "postgres")]
                Self::Postgres(connection) => {
                    sqlx::query(sql).bind(version).execute(&mut **connection).await.map(|_| ())
                }
                #[cfg(feature = "sqlite")]
                Self::Sqlite(connection) => {
                    sqlx::query(sql).bind(version).execute(&mut **connection).await.map(|_| ())
                }
            };
        }
        let sql = AssertSqlSafe(format!(
            "INSERT INTO {TABLE} (version, description, success, checksum, execution_time) VALUES ($1, $2, TRUE, $3, $4)"
        ));
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => {
                let query = sqlx::query(sql).bind(version).bind(description).bind(checksum).bind(nanoseconds);
                query.execute(&mut **connection).await.map(|_| ())
            }
            #[cfg(feature = "sqlite")]
            Self::Sqlite(connection) => {
                let query = sqlx::query(sql).bind(version).bind(description).bind(checksum).bind(nanoseconds);
                query.execute(&mut **connection).await.map(|_| ())
            }
        }
    }
}

fn failed(migration: &Migration, line: Option<usize>, source: sqlx::Error) -> MigrationError {
    let (version, file, transaction) = (migration.version, file_name(migration), !migration.no_tx);
    MigrationError::Failed { version, file, line, transaction, source }
}

/// The line of the file that the database reports, otherwise the line on which the statement starts.
#[cfg(feature = "postgres")]
fn line_of(error: &sqlx::Error, statement: &Statement<'_>) -> usize {
    let error = error.as_database_error().and_then(|error| error.try_downcast_ref::<PgDatabaseError>());
    match error.and_then(PgDatabaseError::position) {
        Some(PgErrorPosition::Original(position)) => statement.line_at(position),
        // An internal position is in the text of a function, not in the file.
        Some(PgErrorPosition::Internal { .. }) | None => statement.line,
    }
}

/// The line on which the statement starts: SQLite does not say more.
#[cfg(not(feature = "postgres"))]
fn line_of(_: &sqlx::Error, statement: &Statement<'_>) -> usize {
    statement.line
}
