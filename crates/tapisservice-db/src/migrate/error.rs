//! Why migrations did not run.

use std::path::PathBuf;
use std::time::Duration;

use sqlx::migrate::MigrateError;

use crate::error::{QueryError, Verb};

/// Why migrations did not run, and what to do about it. No message holds the URL of the database.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MigrationError {
    /// Two files have the same version.
    #[error("two migrations have the version {0}: give one of them another")]
    Duplicate(i64),
    /// A migration goes only one way.
    #[error("migration {0} lacks its .up.sql or .down.sql: every migration can be taken back")]
    OneWay(i64),
    /// The file of a migration is not as it was when it ran.
    #[error(
        "migration {0} was changed after it ran on this database: \
         restore its file as it was, and put the change into a new migration"
    )]
    Changed(i64),
    /// A migration broke off half way; only one without a transaction can.
    #[error(
        "migration {0} is marked as unfinished: mend the schema by hand, \
         then delete its row from _sqlx_migrations or set `success` in it"
    )]
    Dirty(i64),
    /// The database has a migration that this build does not.
    #[error("migration {0} is not part of this build: take it back with the build that has it")]
    Unknown(i64),
    /// There is no such migration.
    #[error("there is no migration {0}: `history` lists them")]
    NoSuchVersion(i64),
    /// The migration is done, so that going up does not lead there.
    #[error("the database is past migration {0}: `downgrade` leads there")]
    Past(i64),
    /// The migration is not done, so that going down does not lead there.
    #[error("the database has not reached migration {0}: `upgrade` leads there")]
    NotReached(i64),
    /// The database is not at head.
    #[error("the database is not at head: {0}")]
    NotAtHead(String),
    /// The database did not come within the time.
    #[error("the database does not answer after {} s: {reason}", waited.as_secs())]
    Unreachable {
        /// How long it was waited for.
        waited: Duration,
        /// What the last attempt met.
        reason: String,
    },
    /// A migration failed; on either engine nothing of it stays, unless it is one without a transaction.
    #[error("migration {version} failed: {source}")]
    Failed {
        /// Which one.
        version: i64,
        /// What the database said.
        source: sqlx::Error,
    },
    /// The name of a new migration holds no letter or digit, or too many.
    #[error("the name of a migration has 1 to 80 letters, digits, spaces, `_` and `-`")]
    Name,
    /// A file cannot be written: one of a new migration, or the one beside an SQLite database that keeps other runners away.
    #[error("{}: {source}", path.display())]
    File {
        /// Where.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The database refused or failed besides.
    #[error("the migrations cannot be run: {}", described(.0))]
    Query(#[from] QueryError),
}

impl From<sqlx::Error> for MigrationError {
    fn from(error: sqlx::Error) -> Self {
        Self::Query(QueryError::from_sqlx(error, Verb::Other))
    }
}

impl From<MigrateError> for MigrationError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::Dirty(version) => Self::Dirty(version),
            MigrateError::ExecuteMigration(source, version) => Self::Failed { version, source },
            MigrateError::Execute(source) => source.into(),
            other => sqlx::Error::from(other).into(),
        }
    }
}

fn described(error: &QueryError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
