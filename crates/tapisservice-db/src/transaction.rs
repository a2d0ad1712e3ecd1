//! Several statements as one.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sqlx::SqlSafeStr;

use crate::engine::Begun;
use crate::error::{QueryError, Verb};
use crate::scope::Bound;
use crate::statement::{Statement, Target};

/// A transaction of a [`Scope`](crate::Scope), with the same values bound. Dropping it rolls it back.
#[must_use = "a transaction that is dropped is rolled back"]
pub struct Transaction<K> {
    inner: Inner,
    bound: Bound,
    kind: PhantomData<fn() -> K>,
}

pub(crate) struct Inner {
    pub(crate) begun: Begun,
    /// Set when a statement met another transaction: the database wants all of it again.
    must_repeat: Arc<AtomicBool>,
}

impl Inner {
    pub(crate) fn note(&self, error: &QueryError) {
        note(error, &self.must_repeat);
    }
}

fn note(error: &QueryError, must_repeat: &AtomicBool) {
    if error.is_repeatable() {
        must_repeat.store(true, Ordering::Relaxed);
    }
}

impl<K> Transaction<K> {
    pub(crate) fn new(begun: Begun, bound: Bound, must_repeat: Arc<AtomicBool>) -> Self {
        Self { inner: Inner { begun, must_repeat }, bound, kind: PhantomData }
    }

    /// A statement of the transaction. After one that failed, PostgreSQL refuses all others but the rollback.
    pub fn query(&mut self, sql: impl SqlSafeStr) -> Statement<'_> {
        self.bound.query(Target::Transaction(&mut self.inner), sql)
    }

    /// Makes it last.
    ///
    /// # Errors
    ///
    /// When the database fails. After [`QueryError::Unavailable`] nobody knows whether the commit was the last thing it did:
    /// it is not repeated, and callers who do should send what can be recognised, an id of their own making or a unique name.
    pub async fn commit(self) -> Result<(), QueryError> {
        let Inner { begun, must_repeat } = self.inner;
        begun.commit().await.map_err(|error| {
            let error = QueryError::from_sqlx(error, Verb::Other);
            note(&error, &must_repeat);
            error
        })
    }

    /// Takes it back, and waits until that is done.
    ///
    /// # Errors
    ///
    /// When the database fails; it takes back the transaction then by itself.
    pub async fn rollback(self) -> Result<(), QueryError> {
        self.inner.begun.rollback().await.map_err(|error| QueryError::from_sqlx(error, Verb::Other))
    }
}

impl<K> fmt::Debug for Transaction<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction").field("bound", &self.bound).finish_non_exhaustive()
    }
}
