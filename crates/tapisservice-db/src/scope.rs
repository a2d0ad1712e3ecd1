//! The rows that a statement may access.

use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use sqlx::SqlSafeStr;
use tapisservice_core::{Identity, TenantId};

use crate::database::Database;
use crate::error::{QueryError, StatementKind};
use crate::statement::{Statement, Target};
use crate::tenant_check::RequiredColumn;
use crate::transaction::Transaction;

/// Access to the rows of a tenant, of a user or of all tenants; from [`Database`]. Cheap to clone.
///
/// A [`Scope<ByTenant>`] binds the tenant as `$1`, and its statements must contain `tenant_id = $1`. A
/// [`Scope<ByOwner>`] also binds the owner as `$2`, and its statements must contain `owner = $2` as well. An `INSERT` must use the
/// placeholders as the values of these columns. Other statements fail with [`QueryError::UnscopedStatement`] and are never sent. The
/// check reads the text and is no proof: it catches a forgotten condition, but not a `UNION` that bypasses it.
///
/// Access a row without a `tenant_id` through the row it belongs to:
///
/// ```sql
/// DELETE FROM bookmark_tags WHERE bookmark_id IN
///     (SELECT bookmark_id FROM bookmarks WHERE bookmark_id = $3 AND tenant_id = $1 AND owner = $2)
/// ```
#[derive(Debug, Clone)]
pub struct Scope<K> {
    database: Database,
    binding: ScopeBinding,
    kind: PhantomData<fn() -> K>,
}

/// The rows of one tenant.
#[derive(Debug, Clone, Copy)]
pub struct ByTenant;

/// The rows of one user.
#[derive(Debug, Clone, Copy)]
pub struct ByOwner;

/// The rows of all tenants.
#[derive(Debug, Clone, Copy)]
pub struct AcrossTenants;

const TENANT: RequiredColumn = RequiredColumn { column: "tenant_id", marker: "$1" };
const OWNER: RequiredColumn = RequiredColumn { column: "owner", marker: "$2" };

/// The values that a scope binds first.
#[derive(Debug, Clone)]
pub(crate) enum ScopeBinding {
    Nothing,
    Tenant(TenantId),
    Owner(Identity),
}

impl ScopeBinding {
    pub(crate) fn query<'e>(&self, target: Target<'e>, sql: impl SqlSafeStr) -> Statement<'e> {
        match self {
            Self::Nothing => Statement::new(target, sql, &[]),
            Self::Tenant(tenant) => Statement::new(target, sql, &[TENANT]).bind(tenant.as_str()),
            Self::Owner(owner) => Statement::new(target, sql, &[TENANT, OWNER])
                .bind(owner.tenant_id().as_str())
                .bind(owner.username().as_str()),
        }
    }
}

impl<K> Scope<K> {
    pub(crate) fn new(database: Database, binding: ScopeBinding) -> Self {
        Self { database, binding, kind: PhantomData }
    }

    /// A statement, executed on its own connection.
    pub fn query(&self, sql: impl SqlSafeStr) -> Statement<'_> {
        self.binding.query(Target::Pool(self.database.pool()), sql)
    }

    /// Begins a transaction. If it is dropped before the commit, it is rolled back, also when the client disconnects.
    ///
    /// On SQLite it takes the write lock immediately, and waits for it as long as for a connection.
    ///
    /// # Errors
    ///
    /// When no connection or lock is available.
    pub async fn begin(&self) -> Result<Transaction<K>, QueryError> {
        self.begin_at(false, Arc::default()).await
    }

    pub(crate) async fn begin_at(
        &self,
        serializable: bool,
        should_retry: Arc<AtomicBool>,
    ) -> Result<Transaction<K>, QueryError> {
        let transaction = self.database.pool().begin(serializable).await;
        let transaction = transaction.map_err(|error| QueryError::from_sqlx(error, StatementKind::Other))?;
        Ok(Transaction::new(transaction, self.binding.clone(), should_retry))
    }
}
