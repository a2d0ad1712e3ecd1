//! The settings of the framework: one struct per room, read from one configuration.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;
use tapisservice_auth::{AuthSettings, Server};
use tapisservice_client::transport::LocalhostResolver;
use tapisservice_client::{
    ClientSettings, ServiceClient, ServiceClientSettings, TenantsApi, Transport, TransportSettings,
};
use tapisservice_config::{Config, ConfigError, Secret};
use tapisservice_core::ServiceInfo;
use tapisservice_tenants::{FileSource, TenantCache, TenantCacheBuilder, TenantsSettings};

use crate::BuildError;
use crate::logs::LogSettings;
use crate::serve::Limits;

/// Everything the framework reads from a configuration. A service's own struct stands beside it: `config.parse::<Own>()`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Settings {
    /// Name, version, address and behaviour of the service itself.
    pub service: ServiceSettings,
    /// Authentication.
    pub auth: AuthSettings,
    /// The registry over HTTP.
    pub client: ClientSettings,
    /// The service's own tokens, for calls to other services.
    pub service_client: ServiceClientSettings,
    /// Connections to other services.
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
    /// Reads the framework's keys of a validated configuration.
    ///
    /// # Errors
    ///
    /// When a value passed the schema and still cannot be used, `listen` being no address for example; it is named.
    pub fn from_config(config: &Config) -> Result<Self, ConfigError> {
        Ok(Self {
            service: config.parse()?,
            auth: config.parse()?,
            client: config.parse()?,
            service_client: config.parse()?,
            transport: config.parse()?,
            tenants: config.parse()?,
            limits: config.parse()?,
            logs: config.parse()?,
        })
    }
}

impl Settings {
    /// A tenant cache over what the settings name: `tenants_file`, or else the Tenants API. For whatever needs the tenants beside
    /// the [`App`](crate::App), which then gets the cache too ([`AppBuilder::tenants`](crate::AppBuilder::tenants)).
    ///
    /// # Errors
    ///
    /// When a setting cannot be used.
    pub fn tenant_cache(&self) -> Result<TenantCacheBuilder, BuildError> {
        let builder = match &self.service.tenants_file {
            Some(path) => TenantCache::builder(FileSource::new(path)),
            None => TenantCache::builder(TenantsApi::new(&self.client)?),
        };
        Ok(builder.settings(self.tenants.clone()))
    }

    /// A client for calls to other services. The [`App`](crate::App) keeps its tokens fresh
    /// ([`AppBuilder::service_client`](crate::AppBuilder::service_client)).
    ///
    /// # Errors
    ///
    /// When a setting cannot be used.
    pub fn service_client(&self, tenants: TenantCache) -> Result<ServiceClient, BuildError> {
        let mut transport = Transport::builder(&self.transport);
        if self.auth.server == Server::Dev {
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
        Arc::new(ServiceInfo { name: self.service_name.clone(), version: self.version.clone() })
    }
}
