//! Saves new tokens.

use std::fmt;
use std::sync::Arc;

use super::{SessionKey, SessionStore, SessionStoreError, Tokens};

type OnRefresh = dyn Fn(&Tokens) + Send + Sync;

/// Reports new tokens to the program and saves them.
#[derive(Clone, Default)]
pub(crate) struct Persistence {
    pub(crate) on_refresh: Option<Arc<OnRefresh>>,
    pub(crate) store: Option<Arc<dyn SessionStore>>,
    /// `None` if the user of the tokens is unknown. Then they are not saved.
    pub(crate) key: Option<SessionKey>,
}

impl Persistence {
    /// After a refresh. A call that has tokens does not fail because they cannot be saved.
    pub(crate) async fn save_refreshed(&self, tokens: &Tokens) {
        if let Some(callback) = &self.on_refresh {
            callback(tokens);
        }
        if let Err(error) = self.save(tokens).await {
            tracing::warn!(%error, "refreshed tokens could not be saved; the next run has to log in again");
        }
    }

    /// After a log-in.
    pub(crate) async fn save(&self, tokens: &Tokens) -> Result<(), SessionStoreError> {
        match (&self.store, &self.key) {
            (Some(store), Some(key)) => store.save(key, tokens).await,
            _ => Ok(()),
        }
    }

    pub(crate) async fn remove(&self) -> Result<(), SessionStoreError> {
        match (&self.store, &self.key) {
            (Some(store), Some(key)) => store.remove(key).await,
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Persistence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Persistence")
            .field("store", &self.store)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}
