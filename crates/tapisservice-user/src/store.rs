//! Sessions that outlive the program.

use std::fmt;

use tapisservice_client::{BoxFuture, SessionStoreError};

use super::Tokens;

/// Keeps the tokens of log-ins, so that the next run of a program needs none.
///
/// [`FileStore`](super::FileStore) keeps them in files; other places (a keyring, a database) implement this.
pub trait SessionStore: fmt::Debug + Send + Sync + 'static {
    /// The tokens that were saved last for `key`.
    fn load<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<Option<Tokens>, SessionStoreError>>;

    /// Saves tokens in place of those saved before.
    fn save<'a>(
        &'a self,
        key: &'a SessionKey,
        tokens: &'a Tokens,
    ) -> BoxFuture<'a, Result<(), SessionStoreError>>;

    /// Forgets the tokens; that there are none is no error.
    fn remove<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<(), SessionStoreError>>;
}

/// Whose session it is. The base URL belongs to it, so that no token is ever restored for another site.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct SessionKey {
    /// The base URL of the tenant, without a slash at its end.
    pub base_url: String,
    /// The tenant.
    pub tenant_id: String,
    /// The user.
    pub username: String,
    /// The OAuth client that the tokens were made for, if one was named.
    pub client_id: Option<String>,
}

impl SessionKey {
    /// The key of a session that names no OAuth client: for tests of a store.
    pub fn new(
        base_url: impl Into<String>,
        tenant_id: impl Into<String>,
        username: impl Into<String>,
    ) -> Self {
        let (base_url, tenant_id, username) = (base_url.into(), tenant_id.into(), username.into());
        Self { base_url, tenant_id, username, client_id: None }
    }
}
