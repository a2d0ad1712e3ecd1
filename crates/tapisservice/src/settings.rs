//! The settings of the framework: one struct per room, read from one configuration.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use tapisservice_auth::AuthSettings;
#[cfg(feature = "client")]
use tapisservice_auth::Environment;
#[cfg(feature = "client")]
use tapisservice_client::{
    ClientSettings, ClientSettingsError, ServiceClient, ServiceClientSettings, TenantsApi, Transport,
    TransportSettings, transport::LocalhostResolver,
};
use tapisservice_config::{Config, ConfigError, Loader, Violation};
use tapisservice_core::{Secret, ServiceInfo};
use tapisservice_logs::{LogError, LogSettings};
use tapisservice_serve::Limits;
use tapisservice_tenants::{FileSource, TenantCache, TenantCacheBuilder, TenantsSettings};

use crate::BuildError;

/// Everything the framework reads from a configuration. A service's own struct stands beside it: `config.parse::<Own>()`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Settings {
    /// Name, version, address and behaviour of the service itself.
    pub service: ServiceSettings,
    /// Authentication.
    pub auth: AuthSettings,
    /// The registry over HTTP.
    #[cfg(feature = "client")]
    pub client: ClientSettings,
    /// The service's own tokens, for calls to other services.
    #[cfg(feature = "client")]
    pub service_client: ServiceClientSettings,
    /// Connections to other services.
    #[cfg(feature = "client")]
    pub transport: TransportSettings,
    /// The tenant cache.
    pub tenants: TenantsSettings,
    /// Limits and timeouts of the server.
    pub limits: Limits,
    /// Logs.
    pub logs: LogSettings,
}

/// The keys that describe the service itself.
#[derive(Debug, Clone, Deserialize)]
#[non_exhaustive]
pub struct ServiceSettings {
    /// The service's name.
    pub service_name: String,
    /// Its password at the Tokens API; Tokens itself has none.
    #[serde(default)]
    pub service_password: Option<Secret>,
    /// The version in every envelope.
    pub version: String,
    /// The address it listens on.
    pub listen: SocketAddr,
    /// Where `GET /metrics` is answered; nowhere by default (rule D7).
    #[serde(default)]
    pub metrics_listen: Option<SocketAddr>,
    /// Where its routes lie; `/v3/<service_name>` unless a proxy strips that (rule D1).
    #[serde(default)]
    pub base_path: Option<String>,
    /// Whether a message of an unrecognized error tells its text.
    pub show_traceback: bool,
    /// Whether refusals are 400 as in the Python original.
    pub legacy_error_status: bool,
    /// A file that holds the registry, in place of the Tenants API.
    #[serde(default)]
    pub tenants_file: Option<PathBuf>,
}

impl Settings {
    /// A loader of the configuration of a service with this schema, which asks of it all that a start does: what
    /// `check-config` prints of a bad configuration is then what a start would say. A service adds what its own settings
    /// ask for with [`Loader::check`].
    ///
    /// ```
    /// use tapisservice::Settings;
    ///
    /// let loader = Settings::loader(r#"{"properties": {"page_size": {"type": "integer", "default": 10}}}"#);
    /// # let required = r#"{"service_name": "demo", "service_site_id": "tacc", "service_tenant_id": "admin", "tenants": ["*"],
    /// #     "primary_site_admin_tenant_base_url": "https://admin.tapis.test"}"#;
    /// # let loader = loader.default_config_path("").fallback_config("config.json", required);
    /// # let loader = loader.environment([("shutdown_seconds", "1"), ("drain_seconds", "5")]);
    /// let error = loader.load().unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "/shutdown_seconds: must not be shorter than drain_seconds (from the environment variable shutdown_seconds)"
    /// );
    /// ```
    pub fn loader(embedded_schema: &str) -> Loader {
        Config::loader().embedded_schema(embedded_schema).check(Self::check)
    }

    /// Reads the framework's keys of a validated configuration.
    ///
    /// # Errors
    ///
    /// When values passed the schema and still cannot be used, a `shutdown_seconds` below `drain_seconds` for example; all of
    /// them are named. With [`loader`](Self::loader) they are found when the configuration is loaded.
    pub fn from_config(config: &Config) -> Result<Self, ConfigError> {
        Self::check(config)?;
        Ok(Self {
            service: config.parse()?,
            auth: config.parse()?,
            #[cfg(feature = "client")]
            client: config.parse()?,
            #[cfg(feature = "client")]
            service_client: config.parse()?,
            #[cfg(feature = "client")]
            transport: config.parse()?,
            tenants: config.parse()?,
            limits: config.parse()?,
            logs: config.parse()?,
        })
    }

    fn check(config: &Config) -> Result<(), ConfigError> {
        ConfigError::all([
            check(config, check_service),
            check::<AuthSettings>(config, no_faults),
            #[cfg(feature = "client")]
            check(config, |config, client: &ClientSettings| client_faults(config, client.check())),
            #[cfg(feature = "client")]
            check(config, |config, client: &ServiceClientSettings| client_faults(config, client.check())),
            #[cfg(feature = "client")]
            check(config, |config, transport: &TransportSettings| client_faults(config, transport.check())),
            check::<TenantsSettings>(config, no_faults),
            check(config, check_limits),
            check_logs(config),
        ])
    }
}

/// Whether the keys of one struct fit it, and each other.
fn check<T: DeserializeOwned>(
    config: &Config,
    faults: impl FnOnce(&Config, &T) -> Vec<Violation>,
) -> Result<(), ConfigError> {
    let settings: T = config.parse()?;
    ConfigError::all(faults(config, &settings).into_iter().map(|fault| Err(fault.into())))
}

fn no_faults<T>(_: &Config, _: &T) -> Vec<Violation> {
    Vec::new()
}

fn check_service(config: &Config, service: &ServiceSettings) -> Vec<Violation> {
    let (listen, metrics) = (service.listen, service.metrics_listen);
    let taken = metrics.is_some_and(|metrics| {
        let one_family = listen.is_ipv4() == metrics.is_ipv4();
        let meet =
            listen.ip() == metrics.ip() || listen.ip().is_unspecified() || metrics.ip().is_unspecified();
        metrics.port() == listen.port() && metrics.port() != 0 && one_family && meet
    });
    let fault = || {
        config.violation("metrics_listen", "expected a port that `listen` does not take").depends_on("listen")
    };
    let mut faults: Vec<_> = taken.then(fault).into_iter().collect();
    if metrics.is_some() && cfg!(not(feature = "metrics")) {
        faults.push(config.violation(
            "metrics_listen",
            "expected nothing, as this program is built without the feature `metrics` of tapisservice",
        ));
    }
    faults
}

#[cfg(feature = "client")]
fn client_faults(config: &Config, checked: Result<(), Vec<ClientSettingsError>>) -> Vec<Violation> {
    let fault = |error: ClientSettingsError| {
        let text = error.to_string();
        let key = error.key()?;
        Some(config.violation(key, text.strip_prefix(key).map_or(text.as_str(), str::trim_start)))
    };
    checked.err().unwrap_or_default().into_iter().filter_map(fault).collect()
}

fn check_limits(config: &Config, limits: &Limits) -> Vec<Violation> {
    let fault = |(key, rule): (&str, &str)| match key {
        "shutdown_seconds" => config.violation(key, rule).depends_on("drain_seconds"),
        _ => config.violation(key, rule),
    };
    limits.violations().into_iter().map(fault).collect()
}

fn check_logs(config: &Config) -> Result<(), ConfigError> {
    LogSettings::from_map(&config.parse()?).map(drop).map_err(|error| match error {
        LogError::Setting { key, expected } => config.violation(&key, expected).into(),
        other => config.violation("log_file", other.to_string()).into(),
    })
}

impl Settings {
    /// A tenant cache over what the settings name: `tenants_file`, or else the Tenants API. For one with data of the service's own
    /// ([`App::builder_with_tenants`](crate::App::builder_with_tenants)); the [`App`](crate::App) makes its own otherwise.
    ///
    /// # Errors
    ///
    /// When a setting cannot be used.
    pub fn tenant_cache(&self) -> Result<TenantCacheBuilder, BuildError> {
        let builder = match &self.service.tenants_file {
            Some(path) => TenantCache::builder(FileSource::new(path)),
            #[cfg(feature = "client")]
            None => TenantCache::builder(TenantsApi::new(&self.client)?),
            #[cfg(not(feature = "client"))]
            None => return Err(BuildError::NoTenantSource),
        };
        Ok(builder.settings(self.tenants.clone()))
    }

    #[cfg(feature = "client")]
    pub(crate) fn service_client(&self, tenants: TenantCache) -> Result<ServiceClient, BuildError> {
        let mut transport = Transport::builder(&self.transport);
        if self.auth.server == Environment::Dev {
            // Names below localhost are this machine (RFC 6761 section 6.3), which not every resolver knows.
            transport = transport.http(|http| http.dns_resolver(LocalhostResolver));
        }
        let client =
            ServiceClient::builder(self.service_client.clone(), tenants).transport(transport.build()?);
        Ok(client.build()?)
    }
}

impl ServiceSettings {
    /// The path below which the public reaches the service: `/v3/<service_name>`.
    pub fn public_path(&self) -> String {
        format!("/v3/{}", self.service_name)
    }

    /// The path below which its routes lie: starts with a slash, ends without one; empty for the root.
    pub fn route_path(&self) -> String {
        let path = self.base_path.clone().unwrap_or_else(|| self.public_path());
        let trimmed = path.trim_matches('/');
        if trimmed.is_empty() { String::new() } else { format!("/{trimmed}") }
    }

    pub(crate) fn info(&self) -> Arc<ServiceInfo> {
        Arc::new(ServiceInfo::new(&*self.service_name, &*self.version))
    }
}
