//! A tenant with everything that a log-in and the calls after it need.

use std::sync::Arc;

use tapisservice_client::spec::Catalog;
use tapisservice_client::transport::{CallDestination, Transport};
use tapisservice_client::{ClientError, SetupError};
use tapisservice_core::TenantId;
use url::Url;

use super::authenticator::{AuthenticatorApi, Grant};
use super::oauth_client::OAuthClient;
use super::persistence::Persistence;
use super::session::UserSession;
use super::{SessionKey, Tokens, UserClient, base_url};

#[derive(Debug, Clone)]
pub(crate) struct Connection {
    pub(crate) base_url: Url,
    pub(crate) tenant_id: TenantId,
    pub(crate) transport: Transport,
    pub(crate) catalog: Catalog,
    pub(crate) authenticator: AuthenticatorApi,
    pub(crate) persistence: Persistence,
}

impl Connection {
    /// Completes a log-in. `known` is the user name, if the token has none.
    pub(crate) async fn log_in(self, tokens: Tokens, known: Option<&str>) -> Result<UserClient, ClientError> {
        let client = self.with(tokens, known);
        client.session().persistence().save(&client.tokens()).await.map_err(ClientError::SessionStore)?;
        Ok(client)
    }

    /// The client with these tokens, which are not saved.
    pub(crate) fn with(self, tokens: Tokens, known: Option<&str>) -> UserClient {
        let username = tokens.username().or(known).map(Arc::from);
        let key = username.as_ref().map(|username| self.key(username));
        let persistence = Persistence { key, ..self.persistence.clone() };
        let session = UserSession::new(tokens, self.authenticator.clone(), persistence);
        UserClient::new(self, username, session)
    }

    pub(crate) async fn authorization_code(
        self,
        code: &str,
        redirect_uri: &str,
    ) -> Result<UserClient, ClientError> {
        let client = self.client("a log-in with an authorization code")?;
        let client_id = client.key().is_none().then_some(client.id.as_str());
        let grant = Grant::AuthorizationCode { code, redirect_uri, client_id };
        let tokens = self.authenticator.tokens(&grant).await?;
        self.log_in(tokens, None).await
    }

    pub(crate) async fn saved(&self, username: &str) -> Result<Option<Tokens>, ClientError> {
        let Some(store) = &self.persistence.store else {
            return Err(SetupError::NoSessionStore.into());
        };
        let key = self.key(username);
        let tokens = store.load(&key).await.map_err(ClientError::SessionStore)?;
        match tokens {
            Some(tokens) if tokens.is_expired() && !tokens.can_refresh() => {
                store.remove(&key).await.map_err(ClientError::SessionStore)?;
                Ok(None)
            }
            tokens => Ok(tokens),
        }
    }

    pub(crate) fn client_id(&self, log_in: &'static str) -> Result<&str, ClientError> {
        self.client(log_in).map(|client| client.id.as_str())
    }

    /// The destination of a service: for users always the base URL of the tenant.
    pub(crate) fn destination(&self, service: &str) -> CallDestination {
        destination(&self.base_url, service)
    }

    fn client(&self, log_in: &'static str) -> Result<&OAuthClient, ClientError> {
        Ok(self.authenticator.client.as_ref().ok_or(SetupError::NoOAuthClient { log_in })?)
    }

    fn key(&self, username: &str) -> SessionKey {
        SessionKey {
            base_url: base_url::text(&self.base_url).to_owned(),
            tenant_id: self.tenant_id.as_str().to_owned(),
            username: username.to_owned(),
            client_id: self.authenticator.client.as_ref().map(|client| client.id.clone()),
        }
    }
}

/// Users do not know sites, so the host identifies the site.
pub(crate) fn destination(base_url: &Url, service: &str) -> CallDestination {
    CallDestination::below(base_url.clone(), base_url::authority(base_url), service)
}
