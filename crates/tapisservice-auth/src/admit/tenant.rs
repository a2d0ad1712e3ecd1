//! The tenant of a request by its Host (rules H2, H4, H7 and H8).

use tapisservice_core::TenantId;
use tapisservice_tenants::{Authority, Registry, Tenant};

use crate::AuthSettings;
use crate::error::AuthError;

/// The tenant of a request without a token on a developer's machine (rule H4).
const DEV_TENANT: &str = "dev";

/// The tenant of a Host. `token_tenant` is the tenant of the token, for development hosts, which name none.
pub(crate) fn of_host<'r>(
    host: Option<&Authority<'_>>,
    token_tenant: Option<&TenantId>,
    registry: &'r Registry,
    settings: &AuthSettings,
) -> Result<&'r Tenant, AuthError> {
    let unknown = || AuthError::UnknownHost(host.cloned().map(Authority::into_owned));
    let host = host.ok_or_else(unknown)?;
    let of_developer = || {
        let id = token_tenant.map_or(DEV_TENANT, TenantId::as_str);
        settings.is_dev_host(host).then(|| registry.tenant(id)).flatten()
    };
    // A registered host takes precedence, even if it is a development host (rule H4).
    let tenant = registry.tenant_by_host(host).or_else(of_developer);
    Ok(tenant.ok_or_else(unknown)?)
}

/// Whether this service serves the tenant at this site (rules H7, H8 and O6).
pub(crate) fn check_served(
    tenant: &Tenant,
    registry: &Registry,
    settings: &AuthSettings,
) -> Result<(), AuthError> {
    let id = tenant.tenant_id();
    if !settings.serves_tenant(id) {
        Err(AuthError::TenantNotServed(id.clone()))
    } else if !registry.serves(settings.location(), tenant) {
        Err(AuthError::WrongSite(id.clone()))
    } else {
        Ok(())
    }
}
