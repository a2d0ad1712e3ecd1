//! The settings of outgoing calls.

use std::time::Duration;

use serde::Deserialize;
use url::Url;

/// The keys of the configuration that outgoing calls read.
#[derive(Debug, Clone, Deserialize)]
pub struct ClientSettings {
    /// Where the Tenants API of the primary site is.
    pub primary_site_admin_tenant_base_url: String,
    /// Seconds to connect.
    #[serde(default = "connect_timeout")]
    pub connect_timeout_seconds: f64,
    /// Seconds in which the registry must have answered as a whole.
    #[serde(default = "registry_timeout")]
    pub registry_timeout_seconds: f64,
    /// The most bytes of one answer of the registry, after decompression.
    #[serde(default = "registry_max_bytes")]
    pub registry_max_bytes: usize,
}

fn connect_timeout() -> f64 {
    2.0
}

fn registry_timeout() -> f64 {
    5.0
}

fn registry_max_bytes() -> usize {
    8 * 1024 * 1024
}

/// A setting that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// `primary_site_admin_tenant_base_url` is no http or https URL.
    #[error("primary_site_admin_tenant_base_url is not an http or https URL")]
    BaseUrl,
    /// The base URL of a [`Destination`](crate::Destination) is no http or https URL.
    #[error("the base URL to call is not an http or https URL")]
    Destination,
    /// A number of seconds is negative or too large.
    #[error("{0} is not a number of seconds")]
    Seconds(&'static str),
    /// The HTTP client cannot be set up.
    #[error("the HTTP client cannot be set up: {0}")]
    Client(String),
}

impl ClientSettings {
    /// Settings for a registry at `base_url`, everything else as by default.
    pub fn new(base_url: impl Into<String>) -> Self {
        Self {
            primary_site_admin_tenant_base_url: base_url.into(),
            connect_timeout_seconds: connect_timeout(),
            registry_timeout_seconds: registry_timeout(),
            registry_max_bytes: registry_max_bytes(),
        }
    }

    pub(crate) fn base_url(&self) -> Result<Url, SettingsError> {
        let trimmed = self.primary_site_admin_tenant_base_url.trim_end_matches('/');
        let url = Url::parse(trimmed).map_err(|_| SettingsError::BaseUrl)?;
        if matches!(url.scheme(), "http" | "https") { Ok(url) } else { Err(SettingsError::BaseUrl) }
    }

    pub(crate) fn connect_timeout(&self) -> Result<Duration, SettingsError> {
        seconds(self.connect_timeout_seconds, "connect_timeout_seconds")
    }

    pub(crate) fn registry_timeout(&self) -> Result<Duration, SettingsError> {
        seconds(self.registry_timeout_seconds, "registry_timeout_seconds")
    }
}

fn seconds(value: f64, name: &'static str) -> Result<Duration, SettingsError> {
    Duration::try_from_secs_f64(value).map_err(|_| SettingsError::Seconds(name))
}
