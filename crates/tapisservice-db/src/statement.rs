//! Statements with their values.

use std::fmt::Write as _;

use sqlx::SqlSafeStr;

use crate::engine::{Arguments, Pool};
use crate::error::{QueryError, StatementKind};
use crate::tenant_check::{self, RequiredColumn};
use crate::transaction::Inner;
use crate::value::{Record, Value};

/// A statement with its values, from [`Scope::query`](crate::Scope::query) or
/// [`Transaction::query`](crate::Transaction::query).
///
/// The text is a literal, or asserted to be safe with [`AssertSqlSafe`](crate::AssertSqlSafe). Values are bound, with the placeholders `$1`,
/// `$2`, ... on both engines. The scope binds the first ones: the tenant is `$1`, the owner `$2`.
///
/// Build a statement whose parts depend on the request with [`push`](Self::push) and [`push_bind`](Self::push_bind):
///
/// ```
/// # use tapisservice_db::{ByTenant, QueryError, Scope};
/// async fn names(scope: &Scope<ByTenant>, system: Option<&str>) -> Result<Vec<(String,)>, QueryError> {
///     let mut query = scope.query("SELECT name FROM bookmarks WHERE tenant_id = $1");
///     if let Some(system) = system {
///         query = query.push(" AND system_id = ").push_bind(system);
///     }
///     query.push(" ORDER BY name LIMIT ").push_bind(100_i64).fetch_all().await
/// }
/// ```
#[must_use = "a statement does nothing until it is executed or fetched"]
pub struct Statement<'e> {
    target: Target<'e>,
    sql: String,
    arguments: Result<Arguments, sqlx::Error>,
    required: &'static [RequiredColumn],
}

pub(crate) enum Target<'e> {
    Pool(&'e Pool),
    Transaction(&'e mut Inner),
}

impl Target<'_> {
    fn arguments(&self) -> Arguments {
        match self {
            Self::Pool(pool) => pool.arguments(),
            Self::Transaction(transaction) => transaction.open.arguments(),
        }
    }
}

impl<'e> Statement<'e> {
    pub(crate) fn new(target: Target<'e>, sql: impl SqlSafeStr, required: &'static [RequiredColumn]) -> Self {
        let arguments = Ok(target.arguments());
        Self { target, sql: sql.into_sql_str().as_str().to_owned(), arguments, required }
    }

    /// Binds the next value.
    pub fn bind<'v>(mut self, value: impl Value<'v>) -> Self {
        if let Ok(arguments) = &mut self.arguments
            && let Err(error) = arguments.add(value)
        {
            self.arguments = Err(error);
        }
        self
    }

    /// Appends text to the statement.
    pub fn push(mut self, sql: impl SqlSafeStr) -> Self {
        self.sql.push_str(sql.into_sql_str().as_str());
        self
    }

    /// Binds the next value and appends its placeholder `$n` to the statement.
    pub fn push_bind<'v>(self, value: impl Value<'v>) -> Self {
        let mut query = self.bind(value);
        if let Ok(arguments) = &query.arguments {
            // Writing to a string cannot fail.
            let _ = write!(query.sql, "${}", arguments.len());
        }
        query
    }

    /// Fetches all rows. Use `LIMIT` if there may be many, and [`fetch_map_while`](Self::fetch_map_while) if they may be large.
    ///
    /// # Errors
    ///
    /// When the database fails, or the statement does not restrict the tenant.
    pub async fn fetch_all<T: Record>(self) -> Result<Vec<T>, QueryError> {
        self.run(async |connection, sql, arguments| connection.fetch_all(sql, arguments).await).await
    }

    /// Fetches rows as long as `take` returns `Some`, and collects the results; the rest is not read. The rows are read one by
    /// one, so that memory holds little more than the results:
    ///
    /// ```
    /// # use tapisservice_db::{ByTenant, QueryError, Scope};
    /// /// The texts of the first notes, a megabyte of them at most.
    /// async fn texts(scope: &Scope<ByTenant>) -> Result<Vec<String>, QueryError> {
    ///     let mut left = 1_usize << 20;
    ///     let query = scope.query("SELECT text FROM notes WHERE tenant_id = $1 ORDER BY number LIMIT 1000");
    ///     query
    ///         .fetch_map_while(|(text,): (String,)| {
    ///             left = left.checked_sub(text.len())?;
    ///             Some(text)
    ///         })
    ///         .await
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`fetch_all`](Self::fetch_all).
    pub async fn fetch_map_while<T: Record, U: Send>(
        self,
        take: impl FnMut(T) -> Option<U> + Send,
    ) -> Result<Vec<U>, QueryError> {
        self.run(async |connection, sql, arguments| connection.fetch_map_while(sql, arguments, take).await)
            .await
    }

    /// Fetches the first row, if there is one.
    ///
    /// # Errors
    ///
    /// As [`fetch_all`](Self::fetch_all).
    pub async fn fetch_optional<T: Record>(self) -> Result<Option<T>, QueryError> {
        self.run(async |connection, sql, arguments| connection.fetch_optional(sql, arguments).await).await
    }

    /// Fetches the first row.
    ///
    /// # Errors
    ///
    /// [`QueryError::NotFound`] when there is none; otherwise as [`fetch_all`](Self::fetch_all).
    pub async fn fetch_one<T: Record>(self) -> Result<T, QueryError> {
        self.fetch_optional().await?.ok_or(QueryError::NotFound)
    }

    /// Fetches the first column of the first row, such as a count.
    ///
    /// # Errors
    ///
    /// As [`fetch_one`](Self::fetch_one).
    pub async fn fetch_scalar<T>(self) -> Result<T, QueryError>
    where
        (T,): Record,
    {
        self.fetch_one::<(T,)>().await.map(|(value,)| value)
    }

    /// Executes the statement and returns the number of affected rows.
    ///
    /// # Errors
    ///
    /// As [`fetch_all`](Self::fetch_all).
    pub async fn execute(self) -> Result<u64, QueryError> {
        self.run(async |connection, sql, arguments| connection.execute(sql, arguments).await).await
    }

    async fn run<T>(
        self,
        run: impl AsyncFnOnce(crate::engine::Connection<'_>, String, Arguments) -> Result<T, sqlx::Error>,
    ) -> Result<T, QueryError> {
        tenant_check::check(&self.sql, self.required)?;
        let kind = StatementKind::of(&self.sql);
        let classify = |error| QueryError::from_sqlx(error, kind);
        let arguments = self.arguments.map_err(classify)?;
        match self.target {
            Target::Pool(pool) => {
                let mut connection = pool.acquire().await.map_err(classify)?;
                run(connection.connection(), self.sql, arguments).await.map_err(classify)
            }
            Target::Transaction(transaction) => {
                let done = run(transaction.open.connection(), self.sql, arguments).await.map_err(classify);
                if let Err(error) = &done {
                    transaction.record_error(error);
                }
                done
            }
        }
    }
}
