//! What happens with new tokens beside using them.

use std::fmt;
use std::sync::Arc;

use super::{SessionKey, SessionStore, SessionStoreError, Tokens};

type OnRefresh = dyn Fn(&Tokens) + Send + Sync;

/// Tells the program of new tokens and saves them.
#[derive(Clone, Default)]
pub(crate) struct Persistence {
    pub(crate) on_refresh: Option<Arc<OnRefresh>>,
    pub(crate) store: Option<Arc<dyn SessionStore>>,
    /// `None` when nobody knows whose tokens these are: then they are not saved.
    pub(crate) key: Option<SessionKey>,
}

impl Persistence {
    /// After a refresh. That tokens are not saved is no reason to fail a call that has them.
    pub(crate) async fn keep(&self, tokens: &Tokens) {
        if let Some(callback) = &self.on_refresh {
            callback(tokens);
        }
        if let Err(error) = self.save(tokens).await {
            tracing::warn!(%error, "renewed tokens are not saved: the next run needs a log-in");
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
