//! Transactions.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sqlx::SqlSafeStr;

use crate::engine::OpenTransaction;
use crate::error::{QueryError, StatementKind};
use crate::scope::ScopeBinding;
use crate::statement::{Statement, Target};

/// A transaction of a [`Scope`](crate::Scope), with the same bound values. Dropping it rolls it back.
#[must_use = "a transaction that is dropped is rolled back"]
pub struct Transaction<K> {
    inner: Inner,
    binding: ScopeBinding,
    kind: PhantomData<fn() -> K>,
}

pub(crate) struct Inner {
    pub(crate) open: OpenTransaction,
    /// Set when a statement conflicted with another transaction: the whole transaction has to be retried.
    should_retry: Arc<AtomicBool>,
}

impl Inner {
    pub(crate) fn record_error(&self, error: &QueryError) {
        record_error(error, &self.should_retry);
    }
}

fn record_error(error: &QueryError, should_retry: &AtomicBool) {
    if error.is_retryable() {
        should_retry.store(true, Ordering::Relaxed);
    }
}

impl<K> Transaction<K> {
    pub(crate) fn new(open: OpenTransaction, binding: ScopeBinding, should_retry: Arc<AtomicBool>) -> Self {
        Self { inner: Inner { open, should_retry }, binding, kind: PhantomData }
    }

    /// A statement of the transaction. After a failed statement, PostgreSQL rejects everything but a rollback.
    pub fn query(&mut self, sql: impl SqlSafeStr) -> Statement<'_> {
        self.binding.query(Target::Transaction(&mut self.inner), sql)
    }

    /// Commits the transaction.
    ///
    /// # Errors
    ///
    /// When the database fails. After [`QueryError::Unavailable`] it is unknown whether the commit succeeded. It is not
    /// retried; clients that retry should send an id or a unique name, so that a duplicate is detected.
    pub async fn commit(self) -> Result<(), QueryError> {
        let Inner { open, should_retry } = self.inner;
        open.commit().await.map_err(|error| {
            let error = QueryError::from_sqlx(error, StatementKind::Other);
            record_error(&error, &should_retry);
            error
        })
    }

    /// Rolls the transaction back, and waits for the database.
    ///
    /// # Errors
    ///
    /// When the database fails. It then rolls the transaction back itself.
    pub async fn rollback(self) -> Result<(), QueryError> {
        self.inner.open.rollback().await.map_err(|error| QueryError::from_sqlx(error, StatementKind::Other))
    }
}

impl<K> fmt::Debug for Transaction<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction").field("binding", &self.binding).finish_non_exhaustive()
    }
}
