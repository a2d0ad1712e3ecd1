//! The builder of a user client.

use std::fmt;
use std::sync::Arc;

use tapisservice_client::ResourceClient;
use tapisservice_client::spec::Catalog;
use tapisservice_client::transport::{Transport, TransportSettings};
use tapisservice_client::{ClientError, SetupError};
use tapisservice_core::TenantId;

use super::authenticator::{AuthenticatorApi, Grant};
use super::authorization::AuthorizationRequest;
use super::connection::{Connection, destination};
use super::device::DeviceAuthorization;
use super::oauth_client::OAuthClient;
use super::persistence::Persistence;
use super::{SessionStore, Tokens, UserClient, base_url, tenant};

/// Configures where to log in and with which OAuth client. One of its log-ins returns the [`UserClient`].
///
/// It can be used for any number of log-ins.
#[derive(Clone)]
#[must_use = "a builder does nothing until a log-in"]
pub struct UserClientBuilder {
    base_url: String,
    tenant: Option<String>,
    client: Option<OAuthClient>,
    transport: Option<Transport>,
    catalog: Option<Catalog>,
    persistence: Persistence,
}

impl UserClientBuilder {
    pub(crate) fn new(base_url: String) -> Self {
        Self {
            base_url,
            tenant: None,
            client: None,
            transport: None,
            catalog: None,
            persistence: Persistence::default(),
        }
    }

    /// Sets the tenant. Otherwise it is the tenant of a given access token, or the registry is searched for the base URL.
    pub fn tenant(mut self, tenant_id: impl Into<String>) -> Self {
        self.tenant = Some(tenant_id.into());
        self
    }

    /// Sets the OAuth client and its key. The real Authenticator issues refresh tokens only to OAuth clients, and requires both for each
    /// refresh.
    pub fn client(mut self, id: impl Into<String>, key: impl Into<String>) -> Self {
        self.client = Some(OAuthClient::new(id, Some(key.into())));
        self
    }

    /// Sets a public OAuth client, which has no key, for log-ins with a device code or an authorization code.
    pub fn client_id(mut self, id: impl Into<String>) -> Self {
        self.client = Some(OAuthClient::new(id, None));
        self
    }

    /// Uses an existing transport, to share its connections and settings.
    pub fn transport(mut self, transport: Transport) -> Self {
        self.transport = Some(transport);
        self
    }

    /// Uses this catalog of operations instead of the bundled one.
    pub fn catalog(mut self, catalog: Catalog) -> Self {
        self.catalog = Some(catalog);
        self
    }

    /// Saves log-ins and refreshed tokens in `store`. The next run can [restore](Self::restore) them.
    pub fn store(mut self, store: impl SessionStore) -> Self {
        self.persistence.store = Some(Arc::new(store));
        self
    }

    /// Calls `callback` with the new tokens after every refresh, before they are saved. It should be fast: calls wait for it.
    pub fn on_refresh(mut self, callback: impl Fn(&Tokens) + Send + Sync + 'static) -> Self {
        self.persistence.on_refresh = Some(Arc::new(callback));
        self
    }

    /// Logs in with user name and password.
    ///
    /// # Errors
    ///
    /// When the tenant cannot be found or the Authenticator rejects the log-in ([`ClientError::Status`]).
    pub async fn password(
        &self,
        username: impl AsRef<str>,
        password: impl AsRef<str>,
    ) -> Result<UserClient, ClientError> {
        let (username, password) = (username.as_ref(), password.as_ref());
        let connection = self.connect(None).await?;
        let tokens = connection.authenticator.tokens(&Grant::Password { username, password }).await?;
        connection.log_in(tokens, Some(username)).await
    }

    /// Logs in with a refresh token.
    ///
    /// # Errors
    ///
    /// As [`password`](Self::password).
    pub async fn refresh_token(&self, refresh_token: impl AsRef<str>) -> Result<UserClient, ClientError> {
        let refresh_token = refresh_token.as_ref().trim();
        let connection = self.connect(None).await?;
        let tokens = connection.authenticator.tokens(&Grant::RefreshToken { refresh_token }).await?;
        let tokens =
            if tokens.refresh_token().is_some() { tokens } else { tokens.with_refresh_token(refresh_token) };
        connection.log_in(tokens, None).await
    }

    /// Uses existing tokens: an access token as text, or [`Tokens`] with a refresh token. No request is sent if the token names its tenant. The
    /// session is not saved until it is refreshed.
    ///
    /// # Errors
    ///
    /// When the tenant cannot be found.
    pub async fn access_token(&self, tokens: impl Into<Tokens>) -> Result<UserClient, ClientError> {
        let tokens = tokens.into();
        let connection = self.connect(tokens.tenant_id()).await?;
        Ok(connection.with(tokens, None))
    }

    /// Starts a device authorization (RFC 8628): a log-in on another device.
    ///
    /// # Errors
    ///
    /// When no OAuth client is set, the tenant cannot be found, or the Authenticator rejects the request.
    pub async fn device_code(&self) -> Result<DeviceAuthorization, ClientError> {
        DeviceAuthorization::start(self.connect(None).await?).await
    }

    /// Starts a log-in in the browser, which is redirected to `redirect_uri`: the callback URL of the registered OAuth client.
    ///
    /// # Errors
    ///
    /// When no OAuth client is set or the tenant cannot be found.
    pub async fn authorize(
        &self,
        redirect_uri: impl Into<String>,
    ) -> Result<AuthorizationRequest, ClientError> {
        AuthorizationRequest::new(self.connect(None).await?, redirect_uri.into())
    }

    /// Logs in with the authorization code of a callback whose `state` has been compared.
    ///
    /// # Errors
    ///
    /// As [`device_code`](Self::device_code).
    pub async fn authorization_code(
        &self,
        code: impl AsRef<str>,
        redirect_uri: impl AsRef<str>,
    ) -> Result<UserClient, ClientError> {
        self.connect(None).await?.authorization_code(code.as_ref(), redirect_uri.as_ref()).await
    }

    /// Restores the session that an earlier run saved for this user, tenant, base URL and client. `None` if there is none, or it can no longer
    /// be used.
    ///
    /// # Errors
    ///
    /// When there is no store or it cannot be read, or the tenant cannot be found.
    pub async fn restore(&self, username: impl AsRef<str>) -> Result<Option<UserClient>, ClientError> {
        let connection = self.connect(None).await?;
        let tokens = connection.saved(username.as_ref()).await?;
        Ok(tokens.map(|tokens| connection.with(tokens, Some(username.as_ref()))))
    }

    async fn connect(&self, known_tenant: Option<&str>) -> Result<Connection, ClientError> {
        let base_url = base_url::normalize(&self.base_url)?;
        let transport = match &self.transport {
            Some(transport) => transport.clone(),
            None => Transport::new(&TransportSettings::default()).map_err(SetupError::from)?,
        };
        let authenticator =
            AuthenticatorApi::new(&transport, destination(&base_url, "authenticator"), self.client.clone());
        let tenant_id = match self.tenant.as_deref().or(known_tenant) {
            Some(id) => TenantId::new(id).map_err(SetupError::Tenant)?,
            None => {
                tenant::of_base_url(&ResourceClient::new(&transport, destination(&base_url, "tenants"), None))
                    .await?
            }
        };
        let catalog = self.catalog.clone().unwrap_or_else(Catalog::bundled);
        Ok(Connection {
            base_url,
            tenant_id,
            transport,
            catalog,
            authenticator,
            persistence: self.persistence.clone(),
        })
    }
}

impl fmt::Debug for UserClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserClientBuilder")
            .field("tenant", &self.tenant)
            .field("client", &self.client)
            .field("persistence", &self.persistence)
            .finish_non_exhaustive()
    }
}
