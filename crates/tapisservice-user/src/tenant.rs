//! Finds the tenant of a base URL.

use std::error::Error;
use std::time::Duration;

use tapisservice_client::ResourceClient;
use tapisservice_client::{ClientError, RoutingError};
use tapisservice_core::TenantId;
use tapisservice_tenants::{Authority, Registry, RegistryData, RegistryRecord};

use super::base_url;

/// The timeout of the registry (rule T8).
const TIMEOUT: Duration = Duration::from_secs(5);
/// The largest response of the registry (rule T8).
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// Looks up the tenant in the registry, which the base URL of every tenant serves without a token.
pub(crate) async fn of_base_url(caller: &ResourceClient) -> Result<TenantId, ClientError> {
    // One after the other, so that only one response is in memory.
    let sites = list(caller, "/v3/sites").await?;
    let tenants = list(caller, "/v3/tenants").await?;
    let build = move || Registry::build(&RegistryData::new(tenants, sites), None);
    let registry = blocking(build).await?.map_err(unusable)?;
    let authority = base_url::authority(caller.base_url());
    let host: Option<Authority> = authority.parse().ok();
    let tenant = host.and_then(|host| registry.tenant_by_host(&host));
    let unknown = || RoutingError::UnknownHost(authority.to_owned()).into();
    tenant.map(|tenant| tenant.tenant_id().clone()).ok_or_else(unknown)
}

async fn list(caller: &ResourceClient, path: &str) -> Result<Vec<RegistryRecord>, ClientError> {
    let response = caller.get(path).timeout(TIMEOUT).send().await?.json_bytes(MAX_BYTES).await?;
    blocking(move || RegistryRecord::list(response.into())).await?.map_err(unusable)
}

/// Parsing megabytes would block a worker of the runtime.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, ClientError> {
    tokio::task::spawn_blocking(work).await.map_err(unusable)
}

fn unusable(error: impl Error + Send + Sync + 'static) -> ClientError {
    RoutingError::Registry(Box::new(error)).into()
}
