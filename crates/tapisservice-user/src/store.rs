//! Session stores.

use std::fmt;

use tapisservice_client::{BoxFuture, SessionStoreError};

use super::Tokens;

/// Stores the tokens of log-ins, so that the next run of a program need not log in again.
///
/// [`FileStore`](super::FileStore) uses files. Implement the trait for other places: a keyring, a database.
pub trait SessionStore: fmt::Debug + Send + Sync + 'static {
    /// Loads the tokens of `key`.
    fn load<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<Option<Tokens>, SessionStoreError>>;

    /// Saves the tokens of `key`, and replaces older ones.
    fn save<'a>(
        &'a self,
        key: &'a SessionKey,
        tokens: &'a Tokens,
    ) -> BoxFuture<'a, Result<(), SessionStoreError>>;

    /// Removes the tokens of `key`. It is not an error if there are none.
    fn remove<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<(), SessionStoreError>>;
}

/// Identifies a session. It includes the base URL, so that no token is ever restored for another site.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct SessionKey {
    /// The base URL of the tenant, without a trailing slash.
    pub base_url: String,
    /// The tenant.
    pub tenant_id: String,
    /// The user.
    pub username: String,
    /// The OAuth client of the tokens, if there is one.
    pub client_id: Option<String>,
}

impl SessionKey {
    /// The key of a session without an OAuth client: for tests of a store.
    pub fn new(
        base_url: impl Into<String>,
        tenant_id: impl Into<String>,
        username: impl Into<String>,
    ) -> Self {
        let (base_url, tenant_id, username) = (base_url.into(), tenant_id.into(), username.into());
        Self { base_url, tenant_id, username, client_id: None }
    }
}
