//! The settings of outgoing calls.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use tapisservice_core::Seconds;
use url::Url;

use crate::transport::TransportSettings;

/// The keys of the configuration that outgoing calls read.
///
/// ```
/// use tapisservice_client::ClientSettings;
/// use tapisservice_core::Seconds;
///
/// let mut settings = ClientSettings::new("https://admin.tapis.io");
/// settings.registry_timeout_seconds = Seconds::new(10);
/// assert!(settings.check().is_ok());
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct ClientSettings {
    /// Base URL of the admin tenant of the primary site; tenants, sites and the service's own tokens come from there.
    #[schemars(regex(pattern = r"^https?://[^\s/?#]+"))]
    pub primary_site_admin_tenant_base_url: String,
    /// Seconds to connect.
    #[serde(default = "connect_timeout")]
    #[schemars(skip)] // The transport states it.
    pub connect_timeout_seconds: Seconds,
    /// Seconds one fetch of tenants and sites may take in total.
    #[serde(default = "registry_timeout")]
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 300))]
    pub registry_timeout_seconds: Seconds,
    // After decompression.
    /// Largest response of the Tenants API that is read, in bytes.
    #[serde(default = "registry_max_bytes")]
    #[schemars(range(min = 1024, max = 1_073_741_824))]
    pub registry_max_bytes: usize,
}

fn connect_timeout() -> Seconds {
    TransportSettings::default().connect_timeout_seconds
}

fn registry_timeout() -> Seconds {
    Seconds::new(5)
}

fn registry_max_bytes() -> usize {
    8 * 1024 * 1024
}

/// A setting that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientSettingsError {
    /// `primary_site_admin_tenant_base_url` is no http or https URL.
    #[error("primary_site_admin_tenant_base_url is not an http or https URL")]
    BaseUrl,
    /// `primary_site_admin_tenant_base_url` has more than a scheme, a host and a port.
    #[error(
        "primary_site_admin_tenant_base_url has a {0}: expected scheme, host and port alone, as in \
         https://admin.tapis.io; /v3/tenants and /v3/sites are added to it"
    )]
    BaseUrlPart(&'static str),
    /// The base URL of a [`CallDestination`](crate::CallDestination) is none: see [`parse_base_url`](tapisservice_tenants::parse_base_url).
    #[error("the base URL to call is not an http or https URL without user, query and fragment")]
    DestinationUrl,
    /// A time limit of zero, which nothing could keep.
    #[error("{0} must be greater than zero")]
    Zero(&'static str),
    /// A name cannot be sent as it is; the key of the configuration and what is wrong with the name.
    #[error("{key} {reason}")]
    #[non_exhaustive]
    Name {
        /// The key.
        key: &'static str,
        /// What is wrong.
        reason: &'static str,
    },
    /// The HTTP client cannot be set up.
    #[error("the HTTP client cannot be set up: {0}")]
    Client(String),
}

impl ClientSettingsError {
    /// The key of the configuration that is at fault, if it is one alone.
    pub fn key(&self) -> Option<&'static str> {
        match self {
            Self::BaseUrl | Self::BaseUrlPart(_) => Some("primary_site_admin_tenant_base_url"),
            Self::Zero(key) | Self::Name { key, .. } => Some(key),
            Self::DestinationUrl | Self::Client(_) => None,
        }
    }
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

    pub(crate) fn base_url(&self) -> Result<Url, ClientSettingsError> {
        let trimmed = self.primary_site_admin_tenant_base_url.trim_end_matches('/');
        let url = Url::parse(trimmed).map_err(|_| ClientSettingsError::BaseUrl)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(ClientSettingsError::BaseUrl);
        }
        let parts = [
            ("user or password", !url.username().is_empty() || url.password().is_some()),
            ("path", url.path() != "/"),
            ("query", url.query().is_some()),
            ("fragment", url.fragment().is_some()),
        ];
        match parts.into_iter().find(|(_, has)| *has) {
            Some((part, _)) => Err(ClientSettingsError::BaseUrlPart(part)),
            None => Ok(url),
        }
    }

    /// Whether every setting can be used; nothing is opened or called.
    ///
    /// # Errors
    ///
    /// For each setting that cannot.
    pub fn check(&self) -> Result<(), Vec<ClientSettingsError>> {
        collect([
            self.base_url().err(),
            not_zero(self.connect_timeout_seconds, "connect_timeout_seconds").err(),
            not_zero(self.registry_timeout_seconds, "registry_timeout_seconds").err(),
        ])
    }
}

/// The errors there are, if any.
pub(crate) fn collect(
    errors: impl IntoIterator<Item = Option<ClientSettingsError>>,
) -> Result<(), Vec<ClientSettingsError>> {
    let errors: Vec<_> = errors.into_iter().flatten().collect();
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

/// A time limit that something can be done in.
pub(crate) fn not_zero(limit: Seconds, key: &'static str) -> Result<Duration, ClientSettingsError> {
    if limit.is_zero() { Err(ClientSettingsError::Zero(key)) } else { Ok(limit.duration()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_is_named_by_scheme_host_and_port_alone() {
        let checked = |url: &str| ClientSettings::new(url).check().map_err(|errors| errors[0].clone());
        for url in [
            "https://admin.tapis.test",
            "https://admin.tapis.test/",
            "http://[::1]:5081",
            "HTTP://localhost:5081//",
        ] {
            assert_eq!(checked(url), Ok(()), "{url}");
        }
        let cases = [
            ("https://h.test/v3", "path"),
            ("https://h.test/v3/tenants/", "path"),
            ("https://h.test?x=canary", "query"),
            ("https://h.test/#canary", "fragment"),
            ("https://h.test?", "query"),
            ("https://canary@h.test", "user or password"),
            ("https://u:canary@h.test", "user or password"),
        ];
        for (url, part) in cases {
            let error = checked(url).unwrap_err();
            assert_eq!(error, ClientSettingsError::BaseUrlPart(part), "{url}");
            assert!(!error.to_string().contains("canary"), "{error}");
        }
        for url in ["", "h.test", "ftp://h.test", "http://", "http://[::1"] {
            assert_eq!(checked(url), Err(ClientSettingsError::BaseUrl), "{url}");
        }
    }

    #[test]
    fn every_setting_at_fault_is_named_by_its_key() {
        let settings = ClientSettings {
            connect_timeout_seconds: Seconds::ZERO,
            registry_timeout_seconds: Seconds::ZERO,
            ..ClientSettings::new("https://h.test/v3")
        };
        let keys: Vec<_> =
            settings.check().unwrap_err().iter().filter_map(ClientSettingsError::key).collect();
        assert_eq!(
            keys,
            ["primary_site_admin_tenant_base_url", "connect_timeout_seconds", "registry_timeout_seconds"]
        );
    }
}
