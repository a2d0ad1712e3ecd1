//! Services that act for users (rules O2 to O6).

use tapisservice_core::{Claims, OnBehalfOf, TenantId, Username};
use tapisservice_tenants::{Registry, Tenant};

use crate::AuthSettings;
use crate::error::{AuthError, TokenError};
use crate::headers::IdentityHeaders;

/// The tenant and user that a service with a verified token acts for.
pub(crate) fn check<'r>(
    claims: &Claims,
    headers: &IdentityHeaders<'_>,
    registry: &'r Registry,
    settings: &AuthSettings,
) -> Result<(&'r Tenant, OnBehalfOf), AuthError> {
    if claims.target_site.as_ref() != Some(&settings.service_site_id) {
        return Err(TokenError::TargetSite.into());
    }
    let on_behalf_of = read(headers).ok_or(AuthError::OnBehalfOfHeaders)?;
    let id = &on_behalf_of.tenant_id;
    let Some(tenant) = registry.tenant(id.as_str()) else {
        return Err(AuthError::UnknownOnBehalfOfTenant(id.clone()));
    };
    if !registry.may_act_for(&claims.tenant_id, tenant) {
        return Err(AuthError::NotAllowableTenant(id.clone()));
    }
    Ok((tenant, on_behalf_of))
}

fn read(headers: &IdentityHeaders<'_>) -> Option<OnBehalfOf> {
    let tenant_id = TenantId::new(headers.tenant_name()?).ok()?;
    let username = Username::new(headers.user_name()?).ok()?;
    Some(OnBehalfOf::new(tenant_id, username))
}
