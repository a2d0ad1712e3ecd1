//! The settings of the transport.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use tapisservice_core::Seconds;

use crate::ClientSettingsError;
use crate::settings::{collect, not_zero};

/// The keys of the configuration that the transport reads; all have defaults.
///
/// ```
/// use tapisservice_client::transport::TransportSettings;
/// use tapisservice_core::Seconds;
///
/// let settings: TransportSettings = serde_json::from_str(r#"{"client_retries": 2}"#)?;
/// assert_eq!((settings.client_retries, settings.client_timeout_seconds), (2, Seconds::new(60)));
///
/// let mut settings = TransportSettings::default();
/// settings.client_breaker_failures = 0;
/// assert!(settings.check().is_ok());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
#[non_exhaustive]
pub struct TransportSettings {
    /// Seconds the opening of an outgoing connection may take.
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 300))]
    pub connect_timeout_seconds: Seconds,
    // To the end of a response that is read into memory, to the head of one that is streamed or saved; a body that is streamed counts
    // from its last piece on.
    /// Seconds a call to another service may take in total, retries included.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub client_timeout_seconds: Seconds,
    /// Seconds a response of another service that is streamed or saved may make no progress.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub client_idle_timeout_seconds: Seconds,
    /// Maximum number of retries of a call to another service.
    #[schemars(range(max = 100))]
    pub client_retries: u32,
    // After decompression.
    /// Largest response of another service that is read into memory, in bytes.
    #[schemars(range(min = 1024, max = 1_073_741_824))]
    pub client_max_response_bytes: usize,
    /// Consecutive failed calls that open the circuit breaker of a service at a site. 0 disables it.
    #[schemars(range(max = 1_000_000))]
    pub client_breaker_failures: u32,
    /// Seconds a circuit breaker stays open before one call is let through.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub client_breaker_seconds: Seconds,
    // Whoever sits in between reads the tokens.
    /// Accepts any certificate of another service; for development only.
    pub client_danger_accept_invalid_certs: bool,
}

impl Default for TransportSettings {
    fn default() -> Self {
        Self {
            connect_timeout_seconds: Seconds::new(2),
            client_timeout_seconds: Seconds::new(60),
            client_idle_timeout_seconds: Seconds::new(30),
            client_retries: 5,
            client_max_response_bytes: 32 * 1024 * 1024,
            client_breaker_failures: 5,
            client_breaker_seconds: Seconds::new(10),
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
            not_zero(self.connect_timeout_seconds, "connect_timeout_seconds").err(),
            not_zero(self.client_timeout_seconds, "client_timeout_seconds").err(),
            not_zero(self.client_idle_timeout_seconds, "client_idle_timeout_seconds").err(),
            not_zero(self.client_breaker_seconds, "client_breaker_seconds").err(),
        ])
    }
}

/// The longest time anything is given, whoever asks for more: `Instant` does not add up for ever.
pub(super) const LONGEST: Duration = Seconds::MAX.duration();
