//! Errors of migrations.

use std::path::PathBuf;
use std::time::Duration;

use sqlx::migrate::MigrateError;
use tapisservice_core::{Error, ServiceError};

use super::NotAtHead;
use crate::error::{QueryError, StatementKind, driver_message};

/// Why migrations failed, and how to fix it. No message contains the URL of the database.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MigrationError {
    /// Two files have the same version.
    #[error("two migrations have the version {0}: renumber one of them")]
    DuplicateVersion(i64),
    /// A migration has no file for one direction.
    #[error("migration {0} lacks its .up.sql or .down.sql: every migration must be reversible")]
    NotReversible(i64),
    /// The file of a migration was changed after it was applied.
    #[error(
        "migration {0} was changed after it was applied to this database: \
         restore its file as it was, and put the change into a new migration"
    )]
    Changed(i64),
    /// The file of a migration has other line endings than when it was applied, and no other change.
    #[error(
        "{file} was changed after it was applied to this database: its line endings were {former}. \
         Restore them, and build again; `*.sql text eol={}` in .gitattributes keeps them",
        former.to_ascii_lowercase()
    )]
    LineEndings {
        /// The name of the file.
        file: String,
        /// The former line endings, `LF` or `CRLF`.
        former: &'static str,
    },
    /// A file would begin, end or set the transaction that it runs in. The run applied no migration.
    #[error(
        "{file}, line {line}: `{statement}` is not allowed in a migration, which runs in a transaction of its own. \
         Nothing was run. Remove the statement, or split the file into several migrations; one `BEGIN;` and `COMMIT;` around \
         the whole file may stay. For statements that must run outside a transaction, make `-- no-transaction` the first line"
    )]
    TransactionControl {
        /// The name of the file.
        file: String,
        /// The line on which the statement starts, from 1.
        line: usize,
        /// Its keywords, like `COMMIT`.
        statement: &'static str,
    },
    /// A file that runs without a transaction begins one that it does not end. The run applied no migration.
    #[error(
        "{file}, line {line}: the transaction that `{statement}` starts is left open. Nothing was run. \
         Add a `COMMIT;` at its end"
    )]
    UnclosedTransaction {
        /// The name of the file.
        file: String,
        /// The line on which the statement starts, from 1.
        line: usize,
        /// Its keywords, like `BEGIN`.
        statement: &'static str,
    },
    /// A comment in a file is not closed, so that the rest of the file would not run. The run applied no migration.
    #[error("{file}, line {line}: the comment is not closed. Nothing was run. Close it with `*/`")]
    UnclosedComment {
        /// The name of the file.
        file: String,
        /// The line on which the comment starts, from 1.
        line: usize,
    },
    /// A migration ended the transaction that it ran in, in a way that its text does not show. It is not recorded as applied.
    #[error(
        "{file} ended the transaction it ran in and is not recorded as applied: check the schema, repair it by hand, \
         and remove the statement that ends the transaction"
    )]
    TransactionLost {
        /// The name of the file.
        file: String,
    },
    /// A migration failed half way, which only one without a transaction can.
    #[error(
        "migration {0} is marked as unfinished: repair the schema by hand, \
         then delete its row from _sqlx_migrations or set `success` in it"
    )]
    Dirty(i64),
    /// The database has a migration that this build does not have.
    #[error("migration {0} is not part of this build: revert it with the build that has it")]
    Unknown(i64),
    /// The migration does not exist.
    #[error("there is no migration {0}: `history` lists them")]
    NoSuchVersion(i64),
    /// The migration is already applied, so that `upgrade` cannot lead there.
    #[error("the database is past migration {0}: use `downgrade`")]
    AlreadyPast(i64),
    /// The migration is not applied, so that `downgrade` cannot lead there.
    #[error("the database has not reached migration {0}: use `upgrade`")]
    NotReached(i64),
    /// The database is not at head.
    #[error("the database is not at head: {0}")]
    NotAtHead(#[source] NotAtHead),
    /// The database was not reachable within the time.
    #[error("the database is still unreachable after {} s: {reason}", waited.as_secs())]
    Unreachable {
        /// How long the run waited.
        waited: Duration,
        /// The error of the last attempt.
        reason: String,
    },
    /// A migration failed. It leaves nothing behind, unless it runs without a transaction.
    #[error("migration {version} failed: {}: {}{}", location(file, *line), driver_message(source), remainder(*transaction))]
    Failed {
        /// Its version.
        version: i64,
        /// The name of its file.
        file: String,
        /// The line in the file, from 1: the one that the database reports, otherwise the one on which the statement starts. `None` if
        /// the commit failed, as with deferred constraints.
        line: Option<usize>,
        /// Whether it ran in a transaction, so that nothing is left behind.
        transaction: bool,
        /// The error of the driver.
        source: sqlx::Error,
    },
    /// The name of a new migration is not valid.
    #[error("invalid name: expected 1 to 80 letters, digits, spaces, `_` and `-`")]
    InvalidName,
    /// A file cannot be written: one of a new migration, or the lock file beside an SQLite database.
    #[error("{}: {source}", path.display())]
    File {
        /// Its path.
        path: PathBuf,
        /// The error.
        source: std::io::Error,
    },
    /// Another error of the database.
    #[error("cannot run the migrations: {}", .0.log_message())]
    Query(#[from] QueryError),
}

impl From<sqlx::Error> for MigrationError {
    fn from(error: sqlx::Error) -> Self {
        Self::Query(QueryError::from_sqlx(error, StatementKind::Other))
    }
}

impl From<MigrateError> for MigrationError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::Execute(source) => source.into(),
            other => sqlx::Error::from(other).into(),
        }
    }
}

impl ServiceError for MigrationError {
    fn to_error(&self) -> Error {
        match self {
            Self::Query(error) => error.to_error(),
            _ => Error::unavailable("The database is not ready."),
        }
    }
}

fn location(file: &str, line: Option<usize>) -> String {
    line.map_or_else(|| format!("{file}, at its commit"), |line| format!("{file}, line {line}"))
}

fn remainder(transaction: bool) -> &'static str {
    if transaction {
        ""
    } else {
        ". It runs without a transaction: the statements before that line are applied"
    }
}
