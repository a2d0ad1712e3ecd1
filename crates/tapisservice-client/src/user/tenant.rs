//! Which tenant a base URL belongs to.

use std::time::Duration;

use serde_json::Value;
use tapisservice_core::TenantId;
use tapisservice_tenants::{Authority, Registry, RegistryData};

use super::base_url;
use crate::ClientError;
use crate::call::Caller;

/// Rule T8: the registry has answered by then.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Looks the tenant up in the registry, which every tenant's base URL answers for without a token. `caller` is not signed in.
pub(crate) async fn of_base_url(caller: &Caller) -> Result<TenantId, ClientError> {
    let (tenants, sites) = tokio::try_join!(list(caller, "/v3/tenants"), list(caller, "/v3/sites"))?;
    let registry = Registry::build(&RegistryData { tenants, sites }, None)
        .map_err(|error| ClientError::Route(format!("the registry cannot be used: {error}")))?;
    let authority = base_url::authority(caller.base_url());
    let host: Option<Authority> = authority.parse().ok();
    let tenant = host.and_then(|host| registry.tenant_of_host(&host));
    tenant.map(|tenant| tenant.tenant_id().clone()).ok_or_else(|| {
        let what = "no tenant has the base URL of";
        ClientError::Route(format!("{what} {authority}; name the tenant if it has another"))
    })
}

async fn list(caller: &Caller, path: &str) -> Result<Vec<Value>, ClientError> {
    caller.get(path).timeout(TIMEOUT).send().await?.deserialize().await
}
