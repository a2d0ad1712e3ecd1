//! Serializable transactions with retries.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tapisservice_core::framework::{Backoff, random_part};

use crate::{QueryError, Scope, Transaction};

const MAX_ATTEMPTS: u32 = 5;
const MIN_DELAY: Duration = Duration::from_millis(20);
const MAX_DELAY: Duration = Duration::from_millis(160);

impl<K> Scope<K> {
    /// Runs `work` in a `SERIALIZABLE` transaction, up to five times if the transaction conflicts with another one. `work`
    /// commits; a transaction that it drops is rolled back.
    ///
    /// It retries only what the database certainly rolled back: a serialization failure, a deadlock, a conflict on SQLite's write lock. It does
    /// not retry after a lost connection. `work` should do nothing but queries, because it may run more than once.
    ///
    /// ```
    /// # use tapisservice_db::{ByTenant, QueryError, Scope};
    /// async fn next_number(scope: &Scope<ByTenant>, label: &str) -> Result<i64, QueryError> {
    ///     scope
    ///         .transaction_with_retry(|mut transaction| async move {
    ///             let last = "SELECT COALESCE(MAX(number), 0) FROM runs WHERE tenant_id = $1";
    ///             let next: i64 = transaction.query(last).fetch_scalar::<i64>().await? + 1;
    ///             let insert = "INSERT INTO runs (tenant_id, number, label) VALUES ($1, $2, $3)";
    ///             transaction.query(insert).bind(next).bind(label).execute().await?;
    ///             transaction.commit().await?;
    ///             Ok(next)
    ///         })
    ///         .await
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// The error of `work`, or of the transaction itself: [`QueryError::SerializationFailure`] after the last attempt.
    pub async fn transaction_with_retry<T, E, F>(
        &self,
        mut work: impl FnMut(Transaction<K>) -> F,
    ) -> Result<T, E>
    where
        E: From<QueryError>,
        F: Future<Output = Result<T, E>>,
    {
        let mut attempt = 1;
        let mut backoff = Backoff::new(MIN_DELAY, MAX_DELAY);
        loop {
            let should_retry = Arc::new(AtomicBool::new(false));
            let done = match self.begin_at(true, Arc::clone(&should_retry)).await {
                Ok(transaction) => work(transaction).await,
                Err(error) => {
                    should_retry.store(error.is_retryable(), Ordering::Relaxed);
                    Err(error.into())
                }
            };
            if done.is_ok() || attempt == MAX_ATTEMPTS || !should_retry.load(Ordering::Relaxed) {
                return done;
            }
            // Those who met must not meet again.
            tokio::time::sleep(random_part(backoff.next_pause())).await;
            attempt += 1;
        }
    }
}
