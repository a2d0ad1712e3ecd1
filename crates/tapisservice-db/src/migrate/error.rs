//! Why migrations did not run.

use std::path::PathBuf;
use std::time::Duration;

use sqlx::migrate::MigrateError;
use tapisservice_core::{Error, ServiceError};

use super::NotAtHead;
use crate::error::{QueryError, StatementKind, driver_message};

/// Why migrations did not run, and what to do about it. No message holds the URL of the database.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MigrationError {
    /// Two files have the same version.
    #[error("two migrations have the version {0}: renumber one of them")]
    DuplicateVersion(i64),
    /// A migration goes only one way.
    #[error("migration {0} lacks its .up.sql or .down.sql: every migration must be reversible")]
    NotReversible(i64),
    /// The file of a migration is not as it was when it ran.
    #[error(
        "migration {0} was changed after it was applied to this database: \
         restore its file as it was, and put the change into a new migration"
    )]
    Changed(i64),
    /// The file of a migration has other line endings than when it ran, and no other change.
    #[error(
        "{file} was changed after it was applied to this database: its line endings were {former}. \
         Restore them, and build again; `*.sql text eol={}` in .gitattributes keeps them",
        former.to_ascii_lowercase()
    )]
    LineEndings {
        /// Which file.
        file: String,
        /// What they were, `LF` or `CRLF`.
        former: &'static str,
    },
    /// A file would start, end or set the transaction that it runs in. No migration of the run was done.
    #[error(
        "{file}, line {line}: `{statement}` is not allowed in a migration, which runs in a transaction of its own. \
         Nothing was run. Remove the statement, or split the file into several migrations; one `BEGIN;` and `COMMIT;` around \
         the whole file may stay. For statements that must run outside a transaction, make `-- no-transaction` the first line"
    )]
    TransactionControl {
        /// Which file.
        file: String,
        /// The line on which the statement starts, from 1.
        line: usize,
        /// Its keywords, like `COMMIT`.
        statement: &'static str,
    },
    /// A file without a transaction of its own starts one that it does not end. No migration of the run was done.
    #[error(
        "{file}, line {line}: the transaction that `{statement}` starts is left open. Nothing was run. \
         Add a `COMMIT;` at its end"
    )]
    UnclosedTransaction {
        /// Which file.
        file: String,
        /// The line on which the statement starts, from 1.
        line: usize,
        /// Its keywords, like `BEGIN`.
        statement: &'static str,
    },
    /// A comment of a file is not closed, so that the rest of the file would not run. No migration of the run was done.
    #[error("{file}, line {line}: the comment is not closed. Nothing was run. Close it with `*/`")]
    UnclosedComment {
        /// Which file.
        file: String,
        /// The line on which the comment starts, from 1.
        line: usize,
    },
    /// A migration ended the transaction that it ran in, in a way that its text does not show. It is not recorded as done.
    #[error(
        "{file} ended the transaction it ran in and is not recorded as applied: check the schema, repair it by hand, \
         and remove the statement that ends the transaction"
    )]
    TransactionLost {
        /// Which file.
        file: String,
    },
    /// A migration broke off half way; only one without a transaction can.
    #[error(
        "migration {0} is marked as unfinished: repair the schema by hand, \
         then delete its row from _sqlx_migrations or set `success` in it"
    )]
    Dirty(i64),
    /// The database has a migration that this build does not.
    #[error("migration {0} is not part of this build: revert it with the build that has it")]
    Unknown(i64),
    /// There is no such migration.
    #[error("there is no migration {0}: `history` lists them")]
    NoSuchVersion(i64),
    /// The migration is done, so that going up does not lead there.
    #[error("the database is past migration {0}: use `downgrade`")]
    AlreadyPast(i64),
    /// The migration is not done, so that going down does not lead there.
    #[error("the database has not reached migration {0}: use `upgrade`")]
    NotReached(i64),
    /// The database is not at head.
    #[error("the database is not at head: {0}")]
    NotAtHead(#[source] NotAtHead),
    /// The database did not come within the time.
    #[error("the database is still unreachable after {} s: {reason}", waited.as_secs())]
    Unreachable {
        /// How long it was waited for.
        waited: Duration,
        /// What the last attempt met.
        reason: String,
    },
    /// A migration failed; on either engine nothing of it stays, unless it is one without a transaction.
    #[error("migration {version} failed: {}: {}{}", place(file, *line), driver_message(source), remainder(*transaction))]
    Failed {
        /// Which one.
        version: i64,
        /// The name of its file.
        file: String,
        /// The line of the file, from 1; that on which the statement starts where the database is not more precise. None when
        /// it failed at the commit, as deferred constraints do.
        line: Option<usize>,
        /// Whether it ran in a transaction, so that nothing of it stays.
        transaction: bool,
        /// What the database said.
        source: sqlx::Error,
    },
    /// The name of a new migration holds no letter or digit, or too many.
    #[error("invalid name: expected 1 to 80 letters, digits, spaces, `_` and `-`")]
    InvalidName,
    /// A file cannot be written: one of a new migration, or the one beside an SQLite database that keeps other runners away.
    #[error("{}: {source}", path.display())]
    File {
        /// Where.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The database refused or failed besides.
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

fn place(file: &str, line: Option<usize>) -> String {
    line.map_or_else(|| format!("{file}, at its commit"), |line| format!("{file}, line {line}"))
}

fn remainder(transaction: bool) -> &'static str {
    if transaction {
        ""
    } else {
        ". It runs without a transaction: the statements before that line are applied"
    }
}
