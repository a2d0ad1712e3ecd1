//! The settings of the framework: one struct per concern, read from one configuration.

mod development;
mod devsite;
mod ignored;
mod limits;
mod service;
pub(crate) mod table;

use serde::de::DeserializeOwned;
use serde_json::Value;
use tapisservice_auth::AuthSettings;
#[cfg(feature = "client")]
use tapisservice_auth::Environment;
#[cfg(feature = "client")]
use tapisservice_client::{
    ClientSettings, ClientSettingsError, ServiceClient, ServiceClientSettings, TenantsApi, Transport,
    TransportSettings, transport::LocalhostResolver,
};
use tapisservice_config::{Config, ConfigError, Loader, Violation, schema_of};
use tapisservice_logs::{LogError, LogSettings};
use tapisservice_serve::Limits;
use tapisservice_tenants::{FileSource, TenantCache, TenantCacheBuilder, TenantsSettings};

use crate::BuildError;

pub use self::development::DevelopmentSettings;
use self::development::OneTenant;
pub use self::devsite::DevsiteSettings;
use self::ignored::IgnoredSettings;
use self::limits::LimitSettings;
pub use self::service::ServiceSettings;

/// Everything the framework reads from a configuration. A service's own settings are separate: `config.settings()`.
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
    /// The tenant of a development machine without a Tenants API.
    pub development: DevelopmentSettings,
    /// The embedded Tapis site of a development machine.
    pub devsite: DevsiteSettings,
    /// Limits and timeouts of the server.
    pub limits: Limits,
    /// Logs.
    pub logs: LogSettings,
}

impl Settings {
    /// A configuration loader that knows the framework's keys and makes every check that a start makes, so that `check-config` reports
    /// what a start would. A service adds the type of its own settings, and with [`Loader::check`] the rules that a type cannot express.
    ///
    /// ```
    /// use schemars::JsonSchema;
    /// use tapisservice::Settings;
    ///
    /// #[derive(serde::Deserialize, JsonSchema)]
    /// struct ShelfSettings {
    ///     /// Books on one page.
    ///     #[serde(default = "page_size")]
    ///     page_size: u16,
    /// }
    ///
    /// fn page_size() -> u16 {
    ///     100
    /// }
    ///
    /// let loader = Settings::loader().settings::<ShelfSettings>();
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
    pub fn loader() -> Loader {
        let loader = Config::loader()
            .base::<ServiceSettings>()
            .base_check(check(service::check))
            .base::<AuthSettings>()
            .base::<TenantsSettings>()
            .base::<DevelopmentSettings>()
            .base_check(check(development::check))
            .base::<DevsiteSettings>()
            .base::<LimitSettings>()
            .base_check(check(limits::check))
            .base::<LogSettings>()
            .base_check(check_logs)
            .base::<IgnoredSettings>()
            .derive(service::derive_base_path)
            .derive(service::normalize_levels)
            .advice(development::advice);
        #[cfg(feature = "devsite")]
        let loader = loader.base_check(crate::program::check_devsite);
        #[cfg(not(feature = "devsite"))]
        let loader = loader.base_check(check(devsite::check));
        #[cfg(feature = "client")]
        let loader = loader
            .base::<ClientSettings>()
            .base_check(check(|config, client: &ClientSettings| client_violations(config, client.check())))
            .base::<ServiceClientSettings>()
            .base_check(check(|config, client: &ServiceClientSettings| {
                client_violations(config, client.check())
            }))
            .base::<TransportSettings>()
            .base_check(check(|config, transport: &TransportSettings| {
                client_violations(config, transport.check())
            }));
        loader
    }

    /// The framework's keys in groups: a title, and the schema of the keys.
    ///
    /// ```
    /// let groups = tapisservice::Settings::schemas();
    /// let keys = groups.iter().filter_map(|(_, schema)| schema["properties"].as_object()).flatten();
    /// assert!(keys.map(|(key, _)| key).any(|key| key == "log_level"));
    /// ```
    pub fn schemas() -> Vec<(&'static str, Value)> {
        vec![
            ("The service", schema_of::<ServiceSettings>()),
            ("Logs", schema_of::<LogSettings>()),
            ("Authentication", schema_of::<AuthSettings>()),
            ("Tenants and sites", schema_of::<TenantsSettings>()),
            #[cfg(feature = "client")]
            ("The registry over HTTP", schema_of::<ClientSettings>()),
            #[cfg(feature = "client")]
            ("The service's own tokens", schema_of::<ServiceClientSettings>()),
            #[cfg(feature = "client")]
            ("Calls to other services", schema_of::<TransportSettings>()),
            ("Limits and timeouts", schema_of::<LimitSettings>()),
            ("Development without a Tenants API", schema_of::<DevelopmentSettings>()),
            ("The embedded Tapis site", schema_of::<DevsiteSettings>()),
            ("Kept for Python configurations", schema_of::<IgnoredSettings>()),
        ]
    }

    /// The framework's keys as tables for people, in Markdown.
    pub fn tables() -> String {
        let tables: Vec<_> =
            Self::schemas().iter().map(|(title, schema)| table::table(title, schema)).collect();
        tables.join("\n")
    }

    /// Reads the framework's keys of a validated configuration.
    ///
    /// # Errors
    ///
    /// When a value is invalid. A configuration from [`loader`](Self::loader) has been checked already.
    pub fn from_config<S>(config: &Config<S>) -> Result<Self, ConfigError> {
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
            development: config.parse()?,
            devsite: config.parse()?,
            limits: config.parse::<LimitSettings>()?.into(),
            logs: config.parse()?,
        })
    }
}

/// Whether the keys of one struct are consistent.
fn check<T: DeserializeOwned>(
    violations: fn(&Config, &T) -> Vec<Violation>,
) -> impl Fn(&Config) -> Result<(), ConfigError> {
    move |config| {
        // That they fit the struct is checked before.
        let Ok(settings) = config.parse::<T>() else { return Ok(()) };
        ConfigError::all(violations(config, &settings).into_iter().map(|violation| Err(violation.into())))
    }
}

#[cfg(feature = "client")]
fn client_violations(config: &Config, checked: Result<(), Vec<ClientSettingsError>>) -> Vec<Violation> {
    let violation = |error: ClientSettingsError| {
        let text = error.to_string();
        let key = error.key()?;
        Some(config.violation(key, text.strip_prefix(key).map_or(text.as_str(), str::trim_start)))
    };
    checked.err().unwrap_or_default().into_iter().filter_map(violation).collect()
}

fn check_logs(config: &Config) -> Result<(), ConfigError> {
    LogSettings::from_map(&config.parse()?).map(drop).map_err(|error| match error {
        LogError::Setting { key, expected } => config.violation(&key, expected).into(),
        other => config.violation("log_file", other.to_string()).into(),
    })
}

impl Settings {
    /// A tenant cache with the source that the settings choose: the tenant of the `dev_` keys where `use_tenants` is false, `tenants_file`,
    /// or else the Tenants API. Only a cache with data of the service's own needs it
    /// ([`App::builder_with_tenants`](crate::App::builder_with_tenants)); otherwise the [`App`](crate::App) makes one.
    ///
    /// # Errors
    ///
    /// When a setting is invalid.
    pub fn tenant_cache(&self) -> Result<TenantCacheBuilder, BuildError> {
        let builder = match &self.service.tenants_file {
            _ if !self.development.use_tenants => {
                TenantCache::builder(OneTenant::new(&self.development, &self.auth))
            }
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
