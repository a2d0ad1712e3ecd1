//! The OAuth client of a program, with HTTP Basic (RFC 7617).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use tapisservice_client::{BoxFuture, ClientError, Credentials, SetupError};
use tapisservice_core::Secret;

/// The id, and the key of a confidential client.
#[derive(Clone)]
pub(crate) struct OAuthClient {
    pub(crate) id: String,
    key: Option<Secret>,
}

impl OAuthClient {
    pub(crate) fn new(id: impl Into<String>, key: Option<String>) -> Self {
        Self { id: id.into(), key: key.map(Secret::from) }
    }

    pub(crate) fn key(&self) -> Option<&str> {
        self.key.as_ref().map(|key| key.expose().as_str())
    }

    fn header(&self) -> Result<Option<HeaderValue>, SetupError> {
        let Some(key) = self.key() else { return Ok(None) };
        if self.id.contains(':') {
            return Err(SetupError::OAuthClient(
                "its id contains a colon, which HTTP Basic cannot carry (RFC 7617)",
            ));
        }
        let pair = STANDARD.encode(format!("{}:{key}", self.id));
        let mut value = HeaderValue::try_from(format!("Basic {pair}"))
            .map_err(|_| SetupError::OAuthClient("its id or key cannot be sent in a header"))?;
        value.set_sensitive(true);
        Ok(Some(value))
    }
}

/// HTTP Basic is never combined with a token.
impl Credentials for OAuthClient {
    fn headers(&self) -> BoxFuture<'_, Result<HeaderMap, ClientError>> {
        Box::pin(async {
            let mut headers = HeaderMap::new();
            if let Some(value) = self.header()? {
                headers.insert(AUTHORIZATION, value);
            }
            Ok(headers)
        })
    }

    fn renew<'a>(&'a self, _: &'a HeaderMap) -> BoxFuture<'a, Result<bool, ClientError>> {
        Box::pin(async { Ok(false) })
    }
}

impl fmt::Debug for OAuthClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuthClient").field("id", &self.id).finish_non_exhaustive()
    }
}
