//! The client of a user.

use std::fmt;
use std::sync::Arc;

use http::HeaderMap;
use tapisservice_client::{BoxFuture, ClientError, Credentials, Operations, SdkConfiguration};
use tapisservice_client::{Call, ResourceClient};
use tapisservice_core::TenantId;
use url::Url;

use super::authenticator::is_login_operation;
use super::connection::Connection;
use super::session::UserSession;
use super::{Tokens, UserClientBuilder};

/// Calls Tapis as a user: every service at the base URL of the tenant, with the token of the user. Cheap to clone: all clones share the
/// tokens.
///
/// Tokens are refreshed before they expire, by one refresh for all calls, and once after a 401. If the refresh fails the old token is used
/// while it is valid. After that calls fail with [`ClientError::Credentials`], and nothing is sent.
#[derive(Clone)]
pub struct UserClient(Arc<Inner>);

struct Inner {
    connection: Connection,
    username: Option<Arc<str>>,
    session: UserSession,
}

impl UserClient {
    /// Starts a builder with the base URL of a tenant, such as `https://tacc.tapis.io`. Trailing slashes are ignored.
    pub fn builder(base_url: impl Into<String>) -> UserClientBuilder {
        UserClientBuilder::new(base_url.into())
    }

    pub(crate) fn new(connection: Connection, username: Option<Arc<str>>, session: UserSession) -> Self {
        Self(Arc::new(Inner { connection, username, session }))
    }

    pub(crate) fn session(&self) -> &UserSession {
        &self.0.session
    }

    /// The base URL of the tenant.
    pub fn base_url(&self) -> &Url {
        &self.0.connection.base_url
    }

    /// The tenant.
    pub fn tenant_id(&self) -> &TenantId {
        &self.0.connection.tenant_id
    }

    /// The user, if the token or the log-in names one.
    pub fn username(&self) -> Option<&str> {
        self.0.username.as_deref()
    }

    /// Prepares a call of an operation, such as `operation("systems", "getSystem")`, with the token of the user. Operations of the
    /// Authenticator that create tokens and device codes are called with the OAuth client instead.
    ///
    /// [`Call::send`] reports an unknown operation, with the nearest name.
    pub fn operation(&self, resource: &str, operation_id: &str) -> Call {
        let connection = &self.0.connection;
        let catalog = &connection.catalog;
        if is_login_operation(resource, operation_id) {
            return connection.authenticator.caller.operation(catalog, resource, operation_id);
        }
        self.resource_client(resource).operation(catalog, resource, operation_id)
    }

    /// A client for raw calls of a resource, for paths that are in no specification.
    pub fn resource_client(&self, resource: &str) -> ResourceClient {
        let connection = &self.0.connection;
        let credentials: Arc<dyn Credentials> = Arc::new(self.0.session.clone());
        ResourceClient::new(&connection.transport, connection.destination(resource), Some(credentials))
    }

    /// The configuration for the official SDK to call a resource as this user.
    pub fn sdk_configuration(&self, resource: &str) -> SdkConfiguration {
        SdkConfiguration::new(&self.resource_client(resource))
    }

    /// The tokens in use.
    pub fn tokens(&self) -> Tokens {
        self.0.session.tokens()
    }

    /// Replaces the tokens. A refresh in flight does not undo this. They are not saved.
    pub fn set_tokens(&self, tokens: impl Into<Tokens>) {
        self.0.session.replace(tokens.into());
    }

    /// Refreshes the tokens now. Calls do so automatically.
    ///
    /// # Errors
    ///
    /// [`ClientError::Credentials`] when there is no refresh token or the Authenticator rejects it.
    pub async fn refresh(&self) -> Result<Tokens, ClientError> {
        self.0.session.refresh().await
    }

    /// Removes the session from its store. The tokens stay valid until they expire or are revoked.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub async fn remove_session(&self) -> Result<(), ClientError> {
        self.0.session.persistence().remove().await.map_err(ClientError::SessionStore)
    }
}

impl Credentials for UserClient {
    fn headers(&self) -> BoxFuture<'_, Result<HeaderMap, ClientError>> {
        self.0.session.headers()
    }

    fn renew<'a>(&'a self, refused: &'a HeaderMap) -> BoxFuture<'a, Result<bool, ClientError>> {
        self.0.session.renew(refused)
    }
}

impl fmt::Debug for UserClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserClient")
            .field("base_url", &self.base_url().as_str())
            .field("tenant_id", self.tenant_id())
            .field("username", &self.username())
            .field("session", &self.0.session)
            .finish_non_exhaustive()
    }
}

impl Operations for UserClient {
    fn operation(&self, resource: &str, operation_id: &str) -> Call {
        self.operation(resource, operation_id)
    }
}
