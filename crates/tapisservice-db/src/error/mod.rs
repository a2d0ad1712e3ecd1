//! Why a statement failed, classified once for both engines, and what the caller sees.

#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

use tapisservice_core::{Error, ServiceError};

/// Why a statement failed.
///
/// In a handler `?` is enough. A store can match on it for a better message:
///
/// ```
/// # use tapisservice_core::{Error, ServiceError};
/// # use tapisservice_db::QueryError;
/// fn name_taken(error: QueryError) -> Error {
///     match error {
///         QueryError::UniqueViolation { .. } => Error::conflict("You already have a bookmark with this name."),
///         other => other.to_error(),
///     }
/// }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// The row does not exist: 404.
    #[error("row not found")]
    NotFound,
    /// A unique constraint is violated: 409.
    #[error("unique constraint violation")]
    UniqueViolation {
        /// The columns of the constraint, without `tenant_id` and `owner`; empty if they are not known.
        fields: Vec<String>,
        /// The error of the driver.
        source: sqlx::Error,
    },
    /// The row is still referenced: 409.
    #[error("the row is still referenced")]
    Referenced {
        /// The error of the driver.
        source: sqlx::Error,
    },
    /// The row references one that does not exist: 400.
    #[error("the referenced row does not exist")]
    MissingReference {
        /// The error of the driver.
        source: sqlx::Error,
    },
    /// A value is missing, violates a constraint or does not fit its column: 400.
    #[error("invalid value")]
    InvalidValue {
        /// The column, if the database names it.
        field: Option<String>,
        /// The error of the driver.
        source: sqlx::Error,
    },
    /// The transaction conflicted with another one and was rolled back: 503. A retry may succeed.
    #[error("serialization failure: conflict with another transaction")]
    SerializationFailure {
        /// The error of the driver.
        source: sqlx::Error,
    },
    /// No connection was available, or it was lost: 503. The statement may have been executed.
    #[error("database unavailable")]
    Unavailable {
        /// The error of the driver.
        source: sqlx::Error,
    },
    /// A table or column is missing, as before migrations are applied: 503.
    #[error("a table or column is missing: have the migrations been applied?")]
    SchemaMissing {
        /// The error of the driver.
        source: sqlx::Error,
    },
    /// The statement does not restrict the tenant and was not sent: 500.
    #[error(transparent)]
    UnscopedStatement(#[from] UnscopedStatement),
    /// Any other error, most likely a mistake in the statement: 500.
    #[error("database error")]
    Other {
        /// The error of the driver.
        source: sqlx::Error,
    },
}

/// A statement that does not keep to its scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("statement in a tenant scope without `{column} = {marker}`: {statement}")]
#[non_exhaustive]
pub struct UnscopedStatement {
    /// The column that it has to restrict.
    pub column: &'static str,
    /// The placeholder of the value that the scope binds.
    pub marker: &'static str,
    /// The beginning of the statement. It contains no values.
    pub statement: String,
}

/// The kind of a statement, which tells on which side a foreign key is violated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StatementKind {
    Delete,
    Write,
    Other,
}

impl StatementKind {
    pub(crate) fn of(sql: &str) -> Self {
        let word = sql.split_whitespace().next().unwrap_or_default();
        match word {
            _ if word.eq_ignore_ascii_case("delete") => Self::Delete,
            _ if word.eq_ignore_ascii_case("insert") || word.eq_ignore_ascii_case("update") => Self::Write,
            _ => Self::Other,
        }
    }
}

impl QueryError {
    /// Classifies an error of the driver.
    pub(crate) fn from_sqlx(source: sqlx::Error, kind: StatementKind) -> Self {
        use sqlx::Error as E;
        match &source {
            E::RowNotFound => Self::NotFound,
            E::PoolTimedOut
            | E::PoolClosed
            | E::WorkerCrashed
            | E::BeginFailed
            | E::Io(_)
            | E::Tls(_)
            // The drivers return this when the peer stops in the middle of a message.
            | E::Protocol(_) => Self::Unavailable { source },
            E::Database(error) if let Some(class) = classify(&**error) => class.into_error(source, kind),
            _ => Self::Other { source },
        }
    }

    /// The error with the message of the database, for logs and operators.
    pub(crate) fn log_message(&self) -> String {
        match self.driver_error() {
            Some(source) => format!("{self}: {}", driver_message(source)),
            None => self.to_string(),
        }
    }

    fn driver_error(&self) -> Option<&sqlx::Error> {
        match self {
            Self::NotFound | Self::UnscopedStatement(_) => None,
            Self::UniqueViolation { source, .. }
            | Self::Referenced { source }
            | Self::MissingReference { source }
            | Self::InvalidValue { source, .. }
            | Self::SerializationFailure { source }
            | Self::Unavailable { source }
            | Self::SchemaMissing { source }
            | Self::Other { source } => Some(source),
        }
    }

    /// Whether the database certainly rolled back the transaction, so that a retry is safe and may succeed.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::SerializationFailure { .. })
    }

    /// Whether the database is unreachable or not ready.
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::SchemaMissing { .. })
    }
}

/// Callers see the kind of the error and the names of fields, never a statement, a value, a host or the name of a
/// constraint. The rest goes to the log.
impl ServiceError for QueryError {
    fn to_error(&self) -> Error {
        let error = match self {
            Self::NotFound => return Error::not_found("There is no such record."),
            Self::UniqueViolation { fields, .. } if fields.is_empty() => {
                Error::conflict("The record already exists.")
            }
            Self::UniqueViolation { fields, .. } => {
                Error::conflict(format!("A record with this {} already exists.", quoted(fields)))
            }
            Self::Referenced { .. } => Error::conflict("Other records still reference this one."),
            Self::MissingReference { .. } => {
                Error::bad_input("The record references one that does not exist.")
            }
            Self::InvalidValue { field: Some(field), .. } => {
                Error::bad_input(format!("Missing or invalid value for {field:?}."))
            }
            Self::InvalidValue { field: None, .. } => Error::bad_input("Missing or invalid value."),
            Self::SerializationFailure { .. } => {
                Error::unavailable("Another transaction is changing the same records.")
                    .with_retry_after(std::time::Duration::from_secs(1))
            }
            Self::Unavailable { .. } => Error::unavailable("The database is unavailable."),
            Self::SchemaMissing { .. } => Error::unavailable("The database is not ready."),
            Self::UnscopedStatement(_) | Self::Other { .. } => Error::dao("The query failed."),
        };
        error.with_detail(self.log_message())
    }
}

/// The message of a driver's error. The default text of a PostgreSQL error adds a line number of the server's source, which looks like
/// a line of the statement.
pub(crate) fn driver_message(error: &sqlx::Error) -> String {
    #[cfg(feature = "postgres")]
    if let Some(error) = postgres::database_error(error) {
        return format!("{} (SQLSTATE {})", error.message(), error.code());
    }
    error.to_string()
}

/// The class of a driver's error.
enum ErrorClass {
    UniqueViolation(Vec<String>),
    ForeignKey,
    #[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "only PostgreSQL tells it apart"))]
    Referenced,
    Value(Option<String>),
    SerializationFailure,
    Unavailable,
    SchemaMissing,
}

impl ErrorClass {
    fn into_error(self, source: sqlx::Error, kind: StatementKind) -> QueryError {
        match self {
            Self::UniqueViolation(mut fields) => {
                fields.retain(|field| !matches!(&**field, "tenant_id" | "owner"));
                QueryError::UniqueViolation { fields, source }
            }
            Self::ForeignKey if kind == StatementKind::Write => QueryError::MissingReference { source },
            Self::ForeignKey | Self::Referenced => QueryError::Referenced { source },
            Self::Value(field) => QueryError::InvalidValue { field, source },
            Self::SerializationFailure => QueryError::SerializationFailure { source },
            Self::Unavailable => QueryError::Unavailable { source },
            Self::SchemaMissing => QueryError::SchemaMissing { source },
        }
    }
}

fn classify(error: &dyn sqlx::error::DatabaseError) -> Option<ErrorClass> {
    #[cfg(feature = "postgres")]
    if let Some(error) = error.try_downcast_ref() {
        return postgres::classify(error);
    }
    #[cfg(feature = "sqlite")]
    if let Some(error) = error.try_downcast_ref() {
        return sqlite::classify(error);
    }
    None
}

fn quoted(fields: &[String]) -> String {
    fields.iter().map(|field| format!("{field:?}")).collect::<Vec<_>>().join(", ")
}

/// The name of a column, if the text is one.
fn column(text: &str) -> Option<String> {
    let text = text.trim().trim_matches('"');
    let plain = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    (plain && !text.is_empty()).then(|| text.to_owned())
}
