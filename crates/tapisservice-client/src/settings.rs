//! The settings of outgoing calls.

use std::time::Duration;

use serde::Deserialize;
use url::Url;

/// The keys of the configuration that outgoing calls read.
///
/// ```
/// use tapisservice_client::ClientSettings;
///
/// let mut settings = ClientSettings::new("https://admin.tapis.io");
/// settings.registry_timeout_seconds = 10.0;
/// assert!(settings.check().is_ok());
/// ```
#[derive(Debug, Clone, Deserialize)]
#[non_exhaustive]
pub struct ClientSettings {
    /// Where the Tenants API of the primary site is.
    pub primary_site_admin_tenant_base_url: String,
    /// Seconds to connect.
    #[serde(default = "connect_timeout")]
    pub connect_timeout_seconds: f64,
    /// Seconds in which the registry must have answered as a whole.
    #[serde(default = "registry_timeout")]
    pub registry_timeout_seconds: f64,
    /// The most bytes of one response of the registry, after decompression.
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
    /// A number of seconds is negative or too large.
    #[error("{0} is not a number of seconds")]
    Seconds(&'static str),
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
            Self::Seconds(key) | Self::Name { key, .. } => Some(key),
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
        collect([self.base_url().err(), self.connect_timeout().err(), self.registry_timeout().err()])
    }

    pub(crate) fn connect_timeout(&self) -> Result<Duration, ClientSettingsError> {
        seconds(self.connect_timeout_seconds, "connect_timeout_seconds")
    }

    pub(crate) fn registry_timeout(&self) -> Result<Duration, ClientSettingsError> {
        seconds(self.registry_timeout_seconds, "registry_timeout_seconds")
    }
}

/// The errors there are, if any.
pub(crate) fn collect(
    errors: impl IntoIterator<Item = Option<ClientSettingsError>>,
) -> Result<(), Vec<ClientSettingsError>> {
    let errors: Vec<_> = errors.into_iter().flatten().collect();
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

fn seconds(value: f64, name: &'static str) -> Result<Duration, ClientSettingsError> {
    Duration::try_from_secs_f64(value).map_err(|_| ClientSettingsError::Seconds(name))
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
            connect_timeout_seconds: -1.0,
            registry_timeout_seconds: f64::NAN,
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
