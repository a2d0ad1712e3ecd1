//! The boundary between the two drivers: everything that differs in type, and nothing else.
//!
//! `sqlx::Any` is not used: it accepts options only as a URL, which it prints, and its rows support fewer types.

use futures_util::TryStreamExt as _;
use sqlx::pool::PoolConnection;
#[cfg(feature = "postgres")]
use sqlx::postgres::{PgArguments, PgConnection, PgPool, Postgres};
#[cfg(feature = "sqlite")]
use sqlx::sqlite::{Sqlite, SqliteArguments, SqliteConnection, SqlitePool};
use sqlx::{Arguments as _, AssertSqlSafe};

use crate::value::{Record, Value};

/// A database engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Engine {
    /// PostgreSQL, for deployments.
    Postgres,
    /// SQLite, embedded.
    Sqlite,
}

#[derive(Clone)]
pub(crate) enum Pool {
    #[cfg(feature = "postgres")]
    Postgres(PgPool),
    #[cfg(feature = "sqlite")]
    Sqlite(SqlitePool),
}

/// A connection from the pool.
pub(crate) enum PooledConnection {
    #[cfg(feature = "postgres")]
    Postgres(PoolConnection<Postgres>),
    #[cfg(feature = "sqlite")]
    Sqlite(PoolConnection<Sqlite>),
}

/// A transaction; dropping it rolls it back.
pub(crate) enum OpenTransaction {
    #[cfg(feature = "postgres")]
    Postgres(sqlx::Transaction<'static, Postgres>),
    #[cfg(feature = "sqlite")]
    Sqlite(sqlx::Transaction<'static, Sqlite>),
}

/// What a statement runs on.
pub(crate) enum Connection<'c> {
    #[cfg(feature = "postgres")]
    Postgres(&'c mut PgConnection),
    #[cfg(feature = "sqlite")]
    Sqlite(&'c mut SqliteConnection),
}

pub(crate) enum Arguments {
    #[cfg(feature = "postgres")]
    Postgres(PgArguments),
    #[cfg(feature = "sqlite")]
    Sqlite(SqliteArguments),
}

impl Pool {
    pub(crate) fn engine(&self) -> Engine {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => Engine::Postgres,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => Engine::Sqlite,
        }
    }

    pub(crate) fn arguments(&self) -> Arguments {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => Arguments::Postgres(PgArguments::default()),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => Arguments::Sqlite(SqliteArguments::default()),
        }
    }

    pub(crate) async fn acquire(&self) -> Result<PooledConnection, sqlx::Error> {
        Ok(match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(pool) => PooledConnection::Postgres(pool.acquire().await?),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(pool) => PooledConnection::Sqlite(pool.acquire().await?),
        })
    }

    /// On SQLite a transaction takes the write lock at its start: a transaction that reads first and writes later could not wait
    /// for it.
    pub(crate) async fn begin(
        &self,
        #[cfg_attr(
            not(feature = "postgres"),
            expect(unused_variables, reason = "transactions of SQLite always are")
        )]
        serializable: bool,
    ) -> Result<OpenTransaction, sqlx::Error> {
        Ok(match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(pool) if serializable => {
                OpenTransaction::Postgres(pool.begin_with("BEGIN ISOLATION LEVEL SERIALIZABLE").await?)
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(pool) => OpenTransaction::Postgres(pool.begin().await?),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(pool) => OpenTransaction::Sqlite(pool.begin_with("BEGIN IMMEDIATE").await?),
        })
    }
}

impl PooledConnection {
    pub(crate) fn connection(&mut self) -> Connection<'_> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => Connection::Postgres(connection),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(connection) => Connection::Sqlite(connection),
        }
    }
}

impl OpenTransaction {
    pub(crate) fn arguments(&self) -> Arguments {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => Arguments::Postgres(PgArguments::default()),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => Arguments::Sqlite(SqliteArguments::default()),
        }
    }

    pub(crate) fn connection(&mut self) -> Connection<'_> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(transaction) => Connection::Postgres(transaction),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(transaction) => Connection::Sqlite(transaction),
        }
    }

    pub(crate) async fn commit(self) -> Result<(), sqlx::Error> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(transaction) => transaction.commit().await,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(transaction) => transaction.commit().await,
        }
    }

    pub(crate) async fn rollback(self) -> Result<(), sqlx::Error> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(transaction) => transaction.rollback().await,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(transaction) => transaction.rollback().await,
        }
    }
}

impl Arguments {
    pub(crate) fn add<'v>(&mut self, value: impl Value<'v>) -> Result<(), sqlx::Error> {
        let added = match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(arguments) => arguments.add(value),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(arguments) => sqlx::Arguments::add(arguments, value),
        };
        added.map_err(sqlx::Error::Encode)
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(arguments) => arguments.len(),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(arguments) => arguments.len(),
        }
    }
}

/// Runs one expression with the types of the engine.
macro_rules! on_engine {
    ($connection:expr, $arguments:expr, |$c:ident, $a:ident| $run:expr) => {
        match ($connection, $arguments) {
            #[cfg(feature = "postgres")]
            (Connection::Postgres($c), Arguments::Postgres($a)) => $run,
            #[cfg(feature = "sqlite")]
            (Connection::Sqlite($c), Arguments::Sqlite($a)) => $run,
            #[cfg(all(feature = "postgres", feature = "sqlite"))]
            _ => Err(sqlx::Error::InvalidArgument("the arguments are for another engine".to_owned())),
        }
    };
}

// A `Statement` accepts only literals and text that its author asserted to be safe.
impl Connection<'_> {
    pub(crate) async fn fetch_all<T: Record>(
        self,
        sql: String,
        arguments: Arguments,
    ) -> Result<Vec<T>, sqlx::Error> {
        on_engine!(self, arguments, |connection, values| {
            sqlx::query_as_with(AssertSqlSafe(sql), values).fetch_all(connection).await
        })
    }

    pub(crate) async fn fetch_map_while<T: Record, U>(
        self,
        sql: String,
        arguments: Arguments,
        mut take: impl FnMut(T) -> Option<U>,
    ) -> Result<Vec<U>, sqlx::Error> {
        on_engine!(self, arguments, |connection, values| {
            let mut rows = sqlx::query_as_with::<_, T, _>(AssertSqlSafe(sql), values).fetch(connection);
            let mut taken = Vec::new();
            while let Some(row) = rows.try_next().await? {
                match take(row) {
                    Some(record) => taken.push(record),
                    None => break,
                }
            }
            Ok(taken)
        })
    }

    pub(crate) async fn fetch_optional<T: Record>(
        self,
        sql: String,
        arguments: Arguments,
    ) -> Result<Option<T>, sqlx::Error> {
        on_engine!(self, arguments, |connection, values| {
            sqlx::query_as_with(AssertSqlSafe(sql), values).fetch_optional(connection).await
        })
    }

    pub(crate) async fn execute(self, sql: String, arguments: Arguments) -> Result<u64, sqlx::Error> {
        on_engine!(self, arguments, |connection, values| {
            let done = sqlx::query_with(AssertSqlSafe(sql), values).execute(connection).await;
            done.map(|done| done.rows_affected())
        })
    }
}
