//! The settings of the transport.

use std::time::Duration;

use serde::Deserialize;

use crate::ClientSettingsError;
use crate::settings::collect;

/// The keys of the configuration that the transport reads; all have defaults.
///
/// ```
/// use tapisservice_client::transport::TransportSettings;
///
/// let settings: TransportSettings = serde_json::from_str(r#"{"client_retries": 2}"#)?;
/// assert_eq!((settings.client_retries, settings.client_timeout_seconds), (2, 60.0));
///
/// let mut settings = TransportSettings::default();
/// settings.client_breaker_failures = 0;
/// assert!(settings.check().is_ok());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct TransportSettings {
    /// Seconds to connect.
    pub connect_timeout_seconds: f64,
    /// Seconds a call may take in total, retries and the reading of its response included. A response that is streamed or
    /// saved counts to its head, a body that is streamed from its last piece on.
    pub client_timeout_seconds: f64,
    /// Seconds a response that is streamed or saved may make no progress.
    pub client_idle_timeout_seconds: f64,
    /// How often a call is repeated at most.
    pub client_retries: u32,
    /// The most bytes of a response that is read into memory, after decompression.
    pub client_max_answer_bytes: usize,
    /// After how many failed calls in a row a service at a site is left alone; 0 for never.
    pub client_breaker_failures: u32,
    /// Seconds it is left alone before one call tries again.
    pub client_breaker_seconds: f64,
    /// Takes any certificate for good. Only for development: whoever sits in between reads the tokens.
    pub client_danger_accept_invalid_certs: bool,
}

impl Default for TransportSettings {
    fn default() -> Self {
        Self {
            connect_timeout_seconds: 2.0,
            client_timeout_seconds: 60.0,
            client_idle_timeout_seconds: 30.0,
            client_retries: 5,
            client_max_answer_bytes: 32 * 1024 * 1024,
            client_breaker_failures: 5,
            client_breaker_seconds: 10.0,
            client_danger_accept_invalid_certs: false,
        }
    }
}

impl TransportSettings {
    /// Whether every setting can be used; nothing is opened.
    ///
    /// # Errors
    ///
    /// For each setting that cannot.
    pub fn check(&self) -> Result<(), Vec<ClientSettingsError>> {
        collect([
            seconds(self.connect_timeout_seconds, "connect_timeout_seconds").err(),
            seconds(self.client_timeout_seconds, "client_timeout_seconds").err(),
            seconds(self.client_idle_timeout_seconds, "client_idle_timeout_seconds").err(),
            seconds(self.client_breaker_seconds, "client_breaker_seconds").err(),
        ])
    }
}

/// The longest time anything is given, whoever asks for more: `Instant` does not add up for ever.
pub(super) const LONGEST: Duration = Duration::from_hours(24);

pub(super) fn seconds(value: f64, name: &'static str) -> Result<Duration, ClientSettingsError> {
    if value > 0.0 && value <= LONGEST.as_secs_f64() {
        Duration::try_from_secs_f64(value).map_err(|_| ClientSettingsError::Seconds(name))
    } else {
        Err(ClientSettingsError::Seconds(name))
    }
}
