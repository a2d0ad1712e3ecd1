//! The device authorization grant (RFC 8628): log-in on another device.

use std::fmt;
use std::time::Duration;

use http::Method;
use tapisservice_client::ClientError;
use tapisservice_core::Secret;
use tokio::time::{Instant, sleep};
use url::Url;

use super::authenticator::{DeviceCode, Grant};
use super::connection::Connection;
use super::{UserClient, base_url};

/// The default polling interval (RFC 8628 section 3.2).
const INTERVAL: Duration = Duration::from_secs(5);
/// The increase of the interval after `slow_down` (RFC 8628 section 3.5).
const SLOW_DOWN: Duration = Duration::from_secs(5);
/// The lifetime of a device code of the Authenticator, which sends it as a time without a time zone.
const DEFAULT_LIFETIME: Duration = Duration::from_mins(10);

/// A log-in that waits until the user enters a code in a browser, on any device.
///
/// Show [`user_code`](Self::user_code) and [`verification_uri`](Self::verification_uri), then [`wait`](Self::wait).
pub struct DeviceAuthorization {
    connection: Connection,
    client_id: String,
    device_code: Secret,
    user_code: String,
    verification_uri: Url,
    interval: Duration,
    deadline: Instant,
}

/// The meaning of a response without tokens.
#[derive(Debug, PartialEq)]
enum PollOutcome {
    Pending,
    SlowDown,
    Failed,
}

impl DeviceAuthorization {
    pub(crate) async fn start(connection: Connection) -> Result<Self, ClientError> {
        let client_id = connection.client_id("a log-in with a device code")?.to_owned();
        let code = connection.authenticator.device_code(&client_id).await?;
        Self::new(connection, client_id, code)
    }

    fn new(connection: Connection, client_id: String, code: DeviceCode) -> Result<Self, ClientError> {
        let fault = |what: &str| ClientError::InvalidResponse {
            method: Method::POST,
            url: format!("{}/v3/oauth2/device/code", base_url::text(&connection.base_url)),
            reason: what.to_owned(),
        };
        // Both are shown to users, often on a terminal.
        let shown = |c: char| c.is_ascii_graphic();
        if code.user_code.is_empty() || !code.user_code.chars().all(shown) {
            return Err(fault("user_code contains characters that cannot be shown"));
        }
        let uri = Url::parse(&code.verification_uri).ok();
        let uri = uri.filter(|uri| matches!(uri.scheme(), "http" | "https"));
        let verification_uri = uri.ok_or_else(|| fault("verification_uri is not an http or https URL"))?;
        Ok(Self {
            connection,
            client_id,
            deadline: Instant::now() + lifetime(&code),
            interval: code.interval.map_or(INTERVAL, |seconds| Duration::from_secs(seconds.clamp(1, 60))),
            device_code: Secret::from(code.device_code),
            user_code: code.user_code,
            verification_uri,
        })
    }

    /// The code for the user to enter.
    pub fn user_code(&self) -> &str {
        &self.user_code
    }

    /// Where the user enters the code.
    pub fn verification_uri(&self) -> &Url {
        &self.verification_uri
    }

    /// How long the code is still valid.
    pub fn expires_in(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Polls, at the interval of the Authenticator, until the user has entered the code.
    ///
    /// # Errors
    ///
    /// When the user denies access, the code expires, or the Authenticator responds with a permanent error. After transient errors (no
    /// connection, 429, 502 to 504) polling continues.
    pub async fn wait(mut self) -> Result<UserClient, ClientError> {
        let mut last = "the user did not enter the code in time".to_owned();
        while Instant::now() + self.interval < self.deadline {
            sleep(self.interval).await;
            let code = self.device_code.expose();
            let grant = Grant::DeviceCode { client_id: &self.client_id, device_code: code };
            let error = match self.connection.authenticator.tokens(&grant).await {
                Ok(tokens) => return self.connection.log_in(tokens, None).await,
                Err(error) => error,
            };
            match poll_outcome(&error) {
                PollOutcome::Pending => {}
                PollOutcome::SlowDown => self.interval += SLOW_DOWN,
                PollOutcome::Failed => return Err(error),
            }
            if !matches!(error, ClientError::Status(_)) {
                last = error.to_string();
            }
        }
        Err(ClientError::Credentials {
            reason: format!("the device code has expired: {last}"),
            temporary: false,
        })
    }
}

/// A number of seconds, as in RFC 8628, also as text.
fn lifetime(code: &DeviceCode) -> Duration {
    let seconds = code.expires_in.as_ref().and_then(|value| {
        value.as_u64().or_else(|| value.as_str().and_then(|text| text.trim().parse().ok()))
    });
    seconds.map_or(DEFAULT_LIFETIME, |seconds| Duration::from_secs(seconds.min(24 * 3600)))
}

/// The Authenticator responds with status 400 and "device code not ready."; others use the error codes of RFC 8628 section 3.5.
fn poll_outcome(error: &ClientError) -> PollOutcome {
    let message = match error {
        ClientError::Status(status) => status.message.to_ascii_lowercase(),
        _ => String::new(),
    };
    if message.contains("slow_down") {
        PollOutcome::SlowDown
    } else if message.contains("not ready") || message.contains("authorization_pending") {
        PollOutcome::Pending
    } else if error.is_retryable() || matches!(error, ClientError::Connection { .. }) {
        // Polling again is safe: a code is exchanged only once.
        PollOutcome::Pending
    } else {
        PollOutcome::Failed
    }
}

impl fmt::Debug for DeviceAuthorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceAuthorization")
            .field("verification_uri", &self.verification_uri.as_str())
            .field("expires_in", &self.expires_in())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use serde_json::{Value, json};
    use tapisservice_client::StatusError;

    use super::*;

    fn refusal(status: StatusCode, message: &str) -> ClientError {
        ClientError::Status(Box::new(StatusError::new(status, message)))
    }

    #[test]
    fn waiting_goes_on_only_where_it_can_help() {
        let cases = [
            (400, "device code not ready.", PollOutcome::Pending),
            (400, "authorization_pending", PollOutcome::Pending),
            (400, "slow_down", PollOutcome::SlowDown),
            (503, "", PollOutcome::Pending),
            (429, "", PollOutcome::Pending),
            (400, "device code not valid.", PollOutcome::Failed),
            (400, "device code has expired and is now deleted.", PollOutcome::Failed),
            (400, "access_denied", PollOutcome::Failed),
            (500, "", PollOutcome::Failed),
        ];
        for (status, message, expected) in cases {
            let error = refusal(StatusCode::from_u16(status).unwrap(), message);
            assert_eq!(poll_outcome(&error), expected, "{status} {message}");
        }
    }

    #[test]
    fn the_life_of_a_code_is_understood_or_assumed() {
        let cases = [
            (json!(30), 30),
            (json!("30"), 30),
            (json!("2030-01-01 00:00:00.123"), 600),
            (json!(-1), 600),
            (Value::Null, 600),
            (json!(u64::MAX), 86400),
        ];
        for (expires_in, seconds) in cases {
            let code = DeviceCode {
                device_code: String::new(),
                user_code: String::new(),
                verification_uri: String::new(),
                expires_in: Some(expires_in.clone()),
                interval: None,
            };
            assert_eq!(lifetime(&code).as_secs(), seconds, "{expires_in}");
        }
    }
}
