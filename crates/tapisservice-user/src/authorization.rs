//! Log-in in the browser, with an authorization code (RFC 6749 section 4.1).

use std::fmt;

use tapisservice_client::{ClientError, SetupError};
use url::Url;
use uuid::Uuid;

use super::connection::Connection;
use super::{UserClient, base_url};

/// A log-in for which the user's browser goes to the Authenticator and comes back with a code.
///
/// Send the browser to [`url`](Self::url); hand the address it comes back to, to [`exchange_code`](Self::exchange_code). The Authenticator
/// knows no PKCE, so the [`state`](Self::state) is what ties the answer to this log-in.
pub struct AuthorizationRequest {
    connection: Connection,
    redirect_uri: String,
    state: String,
    url: Url,
}

impl AuthorizationRequest {
    pub(crate) fn new(connection: Connection, redirect_uri: String) -> Result<Self, ClientError> {
        let client_id = connection.client_id("a log-in by authorization code")?;
        // 122 random bits from the system's generator.
        let state = Uuid::new_v4().simple().to_string();
        let endpoint = format!("{}/v3/oauth2/authorize", base_url::text(&connection.base_url));
        let url = Url::parse_with_params(
            &endpoint,
            [
                ("response_type", "code"),
                ("client_id", client_id),
                ("redirect_uri", &redirect_uri),
                ("state", &state),
            ],
        );
        let url = url.map_err(|_| SetupError::BaseUrl("and a path do not make a URL"))?;
        Ok(Self { connection, redirect_uri, state, url })
    }

    /// Where to send the user's browser.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// What the browser must bring back. A web application binds it to the user's browser session, as in a cookie, and
    /// compares it itself when another process handles the answer; then it continues with
    /// [`UserClientBuilder::authorization_code`](super::UserClientBuilder::authorization_code).
    pub fn state(&self) -> &str {
        &self.state
    }

    /// Exchanges the code in the address that the browser came back to.
    ///
    /// # Errors
    ///
    /// When the address belongs to another log-in, holds no code, or the Authenticator refuses it.
    pub async fn exchange_code(self, callback: &Url) -> Result<UserClient, ClientError> {
        let code = self.code(callback)?;
        self.connection.authorization_code(&code, &self.redirect_uri).await
    }

    fn code(&self, callback: &Url) -> Result<String, ClientError> {
        let fault = |reason: &str| ClientError::Credentials { reason: reason.to_owned(), temporary: false };
        let value = |name: &str| {
            let mut values = callback.query_pairs().filter(|(key, _)| key == name).map(|(_, value)| value);
            values.next().filter(|_| values.next().is_none()).map(std::borrow::Cow::into_owned)
        };
        if value("state").as_deref() != Some(&self.state) {
            return Err(fault("the answer in the browser belongs to another log-in: its state differs"));
        }
        if value("error").is_some() {
            return Err(fault("the user or the Authenticator refused the log-in"));
        }
        value("code")
            .filter(|code| !code.is_empty())
            .ok_or_else(|| fault("the answer in the browser holds no code"))
    }
}

impl fmt::Debug for AuthorizationRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationRequest")
            .field("redirect_uri", &self.redirect_uri)
            .finish_non_exhaustive()
    }
}
