//! Sources of the registry (rule T2).

use futures_util::future::BoxFuture;
use tapisservice_core::{Error, ServiceError};

use crate::RegistryRecord;

/// The records of a registry, as the Tenants API returns them: the `result` of `GET /v3/tenants` and of `GET /v3/sites`. At most
/// [`RegistryRecord::MAX_COUNT`] of each.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct RegistryData {
    /// Tenant records.
    pub tenants: Vec<RegistryRecord>,
    /// Site records.
    pub sites: Vec<RegistryRecord>,
}

impl RegistryData {
    /// The records of tenants and of sites.
    pub fn new(tenants: Vec<RegistryRecord>, sites: Vec<RegistryRecord>) -> Self {
        Self { tenants, sites }
    }
}

/// A source is unavailable, or did not return a registry. The text goes to the log.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct SourceError {
    message: String,
}

impl ServiceError for SourceError {
    fn to_error(&self) -> Error {
        Error::unavailable("The tenant registry is not available.")
    }
}

impl SourceError {
    /// An error with a text for the log, without secrets.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }
}

/// A source of all tenants and sites: the Tenants API, a file, the database of the Tenants service.
///
/// ```
/// use serde_json::json;
/// use tapisservice_tenants::{BoxFuture, RegistryData, SourceError, TenantSource};
///
/// struct OneTenant;
///
/// impl TenantSource for OneTenant {
///     fn fetch(&self) -> BoxFuture<'_, Result<RegistryData, SourceError>> {
///         Box::pin(async {
///             let tenant = json!({"tenant_id": "dev", "site_id": "here", "base_url": "https://dev.example.org"});
///             Ok(RegistryData::new(vec![tenant.into()], vec![json!({"site_id": "here", "primary": true}).into()]))
///         })
///     }
///
///     fn describe(&self) -> String {
///         "one tenant".to_owned()
///     }
/// }
/// ```
pub trait TenantSource: Send + Sync + 'static {
    /// Loads the complete registry.
    ///
    /// # Errors
    ///
    /// When the source is unreachable or does not return a registry. The cache keeps its snapshot (rule T4).
    fn fetch(&self) -> BoxFuture<'_, Result<RegistryData, SourceError>>;

    /// A description of the source for logs, without secrets.
    fn describe(&self) -> String;
}
