//! Whose rows a statement may touch.

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

/// A way into the database, bound to whose rows it is about; from [`Database`]. Cheap to clone.
///
/// Statements of a [`Scope<ByTenant>`] have the tenant bound as `$1` and must say `tenant_id = $1`; those of a
/// [`Scope<ByOwner>`] have the owner as `$2`, too, and must say `owner = $2` as well. An `INSERT` has the markers at the place
/// of these columns. What does not is refused with [`QueryError::UnscopedStatement`] and never sent. The check reads the text and
/// is no proof: it catches the condition that was forgotten, not a `UNION` that goes round it.
///
/// A row that has no `tenant_id` is reached through the row it belongs to:
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

/// One tenant's rows.
#[derive(Debug, Clone, Copy)]
pub struct ByTenant;

/// One user's rows.
#[derive(Debug, Clone, Copy)]
pub struct ByOwner;

/// Everybody's rows.
#[derive(Debug, Clone, Copy)]
pub struct AcrossTenants;

const TENANT: RequiredColumn = RequiredColumn { column: "tenant_id", marker: "$1" };
const OWNER: RequiredColumn = RequiredColumn { column: "owner", marker: "$2" };

/// The values that a scope binds before all others.
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

    /// A statement, run on a connection of its own.
    pub fn query(&self, sql: impl SqlSafeStr) -> Statement<'_> {
        self.binding.query(Target::Pool(self.database.pool()), sql)
    }

    /// Begins a transaction. When it is dropped before its commit, it is rolled back: also when the caller hangs up.
    ///
    /// On SQLite it takes the write lock at once, and waits for it no longer than for a connection.
    ///
    /// # Errors
    ///
    /// When no connection or lock is to be had.
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
