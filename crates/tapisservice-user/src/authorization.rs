//! The authorization code grant (RFC 6749 section 4.1): log-in in the browser.

use std::fmt;

use tapisservice_client::{ClientError, SetupError};
use url::Url;
use uuid::Uuid;

use super::connection::Connection;
use super::{UserClient, base_url};

/// A log-in in the browser of the user. The Authenticator redirects it back with an authorization code.
///
/// Send the browser to [`url`](Self::url), and pass the callback URL to [`exchange_code`](Self::exchange_code). The Authenticator does not
/// support PKCE, so only [`state`](Self::state) ties the callback to this log-in.
pub struct AuthorizationRequest {
    connection: Connection,
    redirect_uri: String,
    state: String,
    url: Url,
}

impl AuthorizationRequest {
    pub(crate) fn new(connection: Connection, redirect_uri: String) -> Result<Self, ClientError> {
        let client_id = connection.client_id("a log-in with an authorization code")?;
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
        let url = url.map_err(|_| SetupError::BaseUrl("cannot be joined with a path"))?;
        Ok(Self { connection, redirect_uri, state, url })
    }

    /// The URL for the browser of the user.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The `state` parameter, which the callback must repeat. A web application binds it to the browser session, in a cookie for example. If
    /// another process handles the callback, it compares the state itself and continues with
    /// [`UserClientBuilder::authorization_code`](super::UserClientBuilder::authorization_code).
    pub fn state(&self) -> &str {
        &self.state
    }

    /// Exchanges the code in the callback URL for tokens.
    ///
    /// # Errors
    ///
    /// When the callback belongs to another log-in or has no code, or the Authenticator rejects the code.
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
            return Err(fault("the callback belongs to another log-in: its state differs"));
        }
        if value("error").is_some() {
            return Err(fault("the user or the Authenticator denied the log-in"));
        }
        value("code").filter(|code| !code.is_empty()).ok_or_else(|| fault("the callback has no code"))
    }
}

impl fmt::Debug for AuthorizationRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationRequest")
            .field("redirect_uri", &self.redirect_uri)
            .finish_non_exhaustive()
    }
}
