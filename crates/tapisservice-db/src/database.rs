//! The connection pool. Every access names the rows it is about.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use metrics::{Unit, describe_gauge, gauge};
use sqlx::pool::PoolOptions;
#[cfg(feature = "postgres")]
use sqlx::postgres::{PgListener, PgPool};
#[cfg(feature = "sqlite")]
use sqlx::sqlite::{SqliteConnection, SqlitePool};
use tapisservice_core::{Identity, TenantId};

use crate::engine::{Engine, Pool};
use crate::error::{QueryError, StatementKind};
use crate::scope::{AcrossTenants, ByOwner, ByTenant, Scope, ScopeBinding};
use crate::settings::{DatabaseSettings, DatabaseSettingsError};
use crate::url::Target;

/// A pool of connections to PostgreSQL or SQLite. Cheap to clone.
#[derive(Clone)]
pub struct Database {
    inner: Arc<Inner>,
}

struct Inner {
    pool: Pool,
    acquire_timeout: Duration,
}

/// The state of the pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStatus {
    /// Open connections.
    pub open: u32,
    /// Open connections that are not in use.
    pub idle: u32,
    /// The maximum number of connections.
    pub max: u32,
}

impl Database {
    /// Opens a pool that connects on first use, so that a service starts while its database is down (F14). Creates the
    /// folder of an SQLite file.
    ///
    /// # Errors
    ///
    /// When the settings do not name a database. No error contains a value.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn connect_lazy(settings: &DatabaseSettings) -> Result<Self, DatabaseSettingsError> {
        let max_connections = settings.sql_pool_max_connections.max(1);
        let pool = match Target::from_settings(settings)? {
            #[cfg(feature = "postgres")]
            Target::Postgres(options) => {
                Pool::Postgres(pool_options(settings, max_connections).connect_lazy_with(options))
            }
            #[cfg(feature = "sqlite")]
            Target::Sqlite(target) => {
                if let Some(folder) = &target.folder {
                    std::fs::create_dir_all(folder).map_err(DatabaseSettingsError::Folder)?;
                }
                let mut pool = pool_options(settings, max_connections);
                if target.in_memory {
                    pool = pool.max_connections(1).min_connections(1).idle_timeout(None).max_lifetime(None);
                }
                if target.writes {
                    pool = pool.after_connect(|connection, _| Box::pin(enable_wal(connection)));
                }
                Pool::Sqlite(pool.connect_lazy_with(target.options))
            }
        };
        let acquire_timeout = settings.acquire_timeout();
        Ok(Self { inner: Arc::new(Inner { pool, acquire_timeout }) })
    }

    /// A scope of the rows of a tenant.
    pub fn for_tenant(&self, tenant: &TenantId) -> Scope<ByTenant> {
        Scope::new(self.clone(), ScopeBinding::Tenant(tenant.clone()))
    }

    /// A scope of the rows of a user: `username` and `tenant_id` of the identity.
    pub fn for_owner(&self, owner: &Identity) -> Scope<ByOwner> {
        Scope::new(self.clone(), ScopeBinding::Owner(owner.clone()))
    }

    /// A scope of the rows of all tenants: for housekeeping and counts, never to serve a request. The reason documents the
    /// use in the code, and is logged at level `debug`.
    ///
    /// The project's `clippy.toml` disallows it: every use states in an `#[expect(clippy::disallowed_methods)]` why the tenant
    /// is not known.
    pub fn across_tenants(&self, reason: &'static str) -> Scope<AcrossTenants> {
        tracing::debug!(reason, "query across tenants");
        Scope::new(self.clone(), ScopeBinding::Nothing)
    }

    /// The PostgreSQL pool, for what statements of a scope cannot do: COPY, streams of rows, PostgreSQL's own types, `sqlx::query!`. `None`
    /// on another engine.
    ///
    /// Statements on it are not checked, neither for the tenant nor for safe text. The reason documents the use in the code, and is
    /// logged at level `debug`. The project's `clippy.toml` disallows it: every use states in an
    /// `#[expect(clippy::disallowed_methods)]` how it keeps to its tenant.
    ///
    /// ```
    /// # use tapisservice_db::{Database, sqlx};
    /// # async fn demo(database: &Database) -> Result<(), sqlx::Error> {
    /// #[expect(clippy::disallowed_methods, reason = "statistics of the server hold no rows of tenants")]
    /// let pool = database.postgres_pool("statistics of the server");
    /// if let Some(pool) = pool {
    ///     sqlx::query("SELECT pg_stat_reset()").execute(pool).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "postgres")]
    pub fn postgres_pool(&self, reason: &'static str) -> Option<&PgPool> {
        tracing::debug!(reason, "direct use of the PostgreSQL pool");
        match self.pool() {
            Pool::Postgres(pool) => Some(pool),
            #[cfg(feature = "sqlite")]
            Pool::Sqlite(_) => None,
        }
    }

    /// As `postgres_pool`, but the SQLite pool.
    #[cfg(feature = "sqlite")]
    pub fn sqlite_pool(&self, reason: &'static str) -> Option<&SqlitePool> {
        tracing::debug!(reason, "direct use of the SQLite pool");
        match self.pool() {
            Pool::Sqlite(pool) => Some(pool),
            #[cfg(feature = "postgres")]
            Pool::Postgres(_) => None,
        }
    }

    /// A listener for PostgreSQL's LISTEN and NOTIFY; `None` on another engine. It holds a connection of the pool and reconnects if
    /// that is lost; notifications in between are lost.
    ///
    /// Channels belong to the whole database: a notification may be about any tenant. As [`postgres_pool`](Self::postgres_pool) it needs a reason.
    ///
    /// # Errors
    ///
    /// When no connection is available.
    #[cfg(feature = "postgres")]
    pub async fn listener(&self, reason: &'static str) -> Result<Option<PgListener>, QueryError> {
        tracing::debug!(reason, "listening for notifications");
        let pool = match self.pool() {
            Pool::Postgres(pool) => pool,
            #[cfg(feature = "sqlite")]
            Pool::Sqlite(_) => return Ok(None),
        };
        let listener = PgListener::connect_with(pool).await;
        listener.map(Some).map_err(|error| QueryError::from_sqlx(error, StatementKind::Other))
    }

    /// The database engine.
    pub fn engine(&self) -> Engine {
        self.inner.pool.engine()
    }

    /// The state of the pool, for metrics.
    pub fn pool_status(&self) -> PoolStatus {
        let (open, idle, max) = match self.pool() {
            #[cfg(feature = "postgres")]
            Pool::Postgres(pool) => (pool.size(), pool.num_idle(), pool.options().get_max_connections()),
            #[cfg(feature = "sqlite")]
            Pool::Sqlite(pool) => (pool.size(), pool.num_idle(), pool.options().get_max_connections()),
        };
        PoolStatus { open, idle: u32::try_from(idle).unwrap_or(u32::MAX), max }
    }

    /// Sets the gauges `db_client_connection_count` and `db_client_connection_max` of the [`metrics`](https://docs.rs/metrics) crate, by the
    /// semantic conventions of OpenTelemetry. The pool is named `sql`, and `db_client_connection_state` is `used` or `idle`. For
    /// `AppBuilder::on_scrape`.
    pub fn record_metrics(&self) {
        const COUNT: &str = "db_client_connection_count";
        const MAX: &str = "db_client_connection_max";
        const POOL: (&str, &str) = ("db_client_connection_pool_name", "sql");
        describe_gauge!(COUNT, Unit::Count, "Connections of the database pool, by state.");
        describe_gauge!(MAX, Unit::Count, "The most connections that the database pool may open.");
        let PoolStatus { open, idle, max } = self.pool_status();
        for (state, connections) in [("used", open.saturating_sub(idle)), ("idle", idle)] {
            gauge!(COUNT, &[POOL, ("db_client_connection_state", state)]).set(f64::from(connections));
        }
        gauge!(MAX, &[POOL]).set(f64::from(max));
    }

    /// Checks that the database responds.
    ///
    /// # Errors
    ///
    /// When it does not respond within the time that a request waits for a connection.
    pub async fn ping(&self) -> Result<(), QueryError> {
        self.with_timeout(async {
            let query = ScopeBinding::Nothing.query(crate::statement::Target::Pool(self.pool()), "SELECT 1");
            query.execute().await.map(drop)
        })
        .await
    }

    /// Closes the pool: waits for connections in use, and new statements fail.
    pub async fn close(&self) {
        match self.pool() {
            #[cfg(feature = "postgres")]
            Pool::Postgres(pool) => pool.close().await,
            #[cfg(feature = "sqlite")]
            Pool::Sqlite(pool) => pool.close().await,
        }
    }

    pub(crate) fn pool(&self) -> &Pool {
        &self.inner.pool
    }

    /// Limits `work` to the time that a request waits for a connection.
    pub(crate) async fn with_timeout<T>(
        &self,
        work: impl Future<Output = Result<T, QueryError>>,
    ) -> Result<T, QueryError> {
        let done = tokio::time::timeout(self.inner.acquire_timeout, work).await;
        done.unwrap_or_else(|_| Err(QueryError::from_sqlx(sqlx::Error::PoolTimedOut, StatementKind::Other)))
    }
}

/// Leaves the driver's options out: they show the password.
impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database")
            .field("engine", &self.engine())
            .field("pool", &self.pool_status())
            .finish_non_exhaustive()
    }
}

fn pool_options<DB: sqlx::Database>(settings: &DatabaseSettings, max_connections: u32) -> PoolOptions<DB> {
    PoolOptions::new()
        .max_connections(max_connections)
        .min_connections(settings.sql_pool_min_connections.min(max_connections))
        .acquire_timeout(settings.acquire_timeout())
        .idle_timeout(settings.idle_timeout())
        .max_lifetime(settings.max_lifetime())
        // Replaces a connection that a restart of the database broke, before a request uses it.
        .test_before_acquire(true)
}

/// Switches an SQLite file to write-ahead logging, which is persistent.
///
/// SQLite does not wait for the lock that the switch needs. If the lock is taken, the connection that holds it switches, or the
/// next one.
#[cfg(feature = "sqlite")]
async fn enable_wal(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let Err(error) = sqlx::query("PRAGMA journal_mode = WAL").execute(connection).await else {
        return Ok(());
    };
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    // SQLITE_BUSY and SQLITE_BUSY_RECOVERY.
    if matches!(code.as_deref(), Some("5" | "261")) { Ok(()) } else { Err(error) }
}
