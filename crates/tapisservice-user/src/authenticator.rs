//! The Authenticator API, which exchanges grants for tokens.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tapisservice_client::transport::{CallDestination, Transport};
use tapisservice_client::{Call, ResourceClient};
use tapisservice_client::{ClientError, Credentials};

use super::Tokens;
use super::oauth_client::OAuthClient;

const TOKENS: &str = "/v3/oauth2/tokens";
const DEVICE_CODE: &str = "/v3/oauth2/device/code";

/// The timeout of a log-in or a refresh.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The operations of the log-in. They are called with the OAuth client and never wait for a refresh.
pub(crate) fn is_login_operation(resource: &str, operation_id: &str) -> bool {
    resource == "authenticator" && matches!(operation_id, "create_token" | "generate_device_code")
}

/// The body of `POST /v3/oauth2/tokens`.
#[derive(Serialize)]
#[serde(tag = "grant_type", rename_all = "snake_case")]
pub(crate) enum Grant<'a> {
    Password {
        username: &'a str,
        password: &'a str,
    },
    RefreshToken {
        refresh_token: &'a str,
    },
    DeviceCode {
        client_id: &'a str,
        device_code: &'a str,
    },
    AuthorizationCode {
        code: &'a str,
        redirect_uri: &'a str,
        /// For a client without a key. Other clients authenticate with HTTP Basic.
        #[serde(skip_serializing_if = "Option::is_none")]
        client_id: Option<&'a str>,
    },
}

/// The response of `POST /v3/oauth2/device/code`.
#[derive(Deserialize)]
pub(crate) struct DeviceCode {
    pub(crate) device_code: String,
    pub(crate) user_code: String,
    pub(crate) verification_uri: String,
    /// Seconds by the specification. The Authenticator sends the time of expiry as text.
    pub(crate) expires_in: Option<Value>,
    /// Seconds (RFC 8628 section 3.2); not sent by the Authenticator.
    pub(crate) interval: Option<u64>,
}

#[derive(Deserialize)]
struct TokenResponse {
    access_token: IssuedAccess,
    refresh_token: Option<IssuedRefresh>,
}

#[derive(Deserialize)]
struct IssuedAccess {
    access_token: String,
}

#[derive(Deserialize)]
struct IssuedRefresh {
    refresh_token: String,
}

/// The Authenticator of one tenant, called without a token, so that neither a log-in nor a refresh waits for a refresh.
#[derive(Debug, Clone)]
pub(crate) struct AuthenticatorApi {
    pub(crate) caller: ResourceClient,
    pub(crate) client: Option<OAuthClient>,
}

impl AuthenticatorApi {
    pub(crate) fn new(
        transport: &Transport,
        destination: CallDestination,
        client: Option<OAuthClient>,
    ) -> Self {
        let confidential = client.clone().filter(|client| client.key().is_some());
        let credentials = confidential.map(|client| Arc::new(client) as Arc<dyn Credentials>);
        Self { caller: ResourceClient::new(transport, destination, credentials), client }
    }

    /// The tokens for a grant. No error message contains secrets of the grant.
    pub(crate) async fn tokens(&self, grant: &Grant<'_>) -> Result<Tokens, ClientError> {
        let call = self.caller.post(TOKENS).body_json(grant);
        let response: TokenResponse = self.result_of(call, &grant.secrets()).await?;
        let tokens = Tokens::new(response.access_token.access_token);
        Ok(match response.refresh_token {
            Some(refresh) => tokens.with_refresh_token(refresh.refresh_token),
            None => tokens,
        })
    }

    pub(crate) async fn device_code(&self, client_id: &str) -> Result<DeviceCode, ClientError> {
        let call = self.caller.post(DEVICE_CODE).body_json(serde_json::json!({ "client_id": client_id }));
        self.result_of(call, &[]).await
    }

    async fn result_of<T: serde::de::DeserializeOwned>(
        &self,
        call: Call,
        secrets: &[&str],
    ) -> Result<T, ClientError> {
        let secrets = secrets.iter().copied().chain(self.client.as_ref().and_then(OAuthClient::key));
        match call.timeout(TIMEOUT).send().await {
            Ok(response) => response.deserialize().await,
            Err(error) => Err(without(error, secrets)),
        }
    }
}

impl<'a> Grant<'a> {
    fn secrets(&self) -> Vec<&'a str> {
        match self {
            Self::Password { password, .. } => vec![password],
            Self::RefreshToken { refresh_token } => vec![refresh_token],
            Self::DeviceCode { device_code, .. } => vec![device_code],
            Self::AuthorizationCode { code, .. } => vec![code],
        }
    }
}

/// Removes a message that quotes a secret: the Authenticator responds to a wrong client key with the key.
fn without<'a>(mut error: ClientError, mut secrets: impl Iterator<Item = &'a str>) -> ClientError {
    if let ClientError::Status(status) = &mut error
        && secrets.any(|secret| !secret.is_empty() && status.message.contains(secret))
    {
        "the credentials were rejected".clone_into(&mut status.message);
    }
    error
}
