//! Services that act for users (rules O2 to O6).

use tapisservice_core::{Claims, OnBehalfOf, TenantId, Username};
use tapisservice_tenants::{Registry, Tenant};

use crate::AuthSettings;
use crate::headers::IdentityHeaders;
use crate::refusal::{Refusal, TokenFault};

/// The tenant and the user that the bearer of a verified service token acts for.
pub(crate) fn check<'r>(
    claims: &Claims,
    headers: &IdentityHeaders<'_>,
    registry: &'r Registry,
    settings: &AuthSettings,
) -> Result<(&'r Tenant, OnBehalfOf), Refusal> {
    if claims.target_site.as_ref() != Some(&settings.service_site_id) {
        return Err(TokenFault::TargetSite.into());
    }
    let on_behalf_of = read(headers).ok_or(Refusal::OnBehalfOfHeaders)?;
    let id = &on_behalf_of.tenant_id;
    let Some(tenant) = registry.tenant(id.as_str()) else {
        return Err(Refusal::UnknownOnBehalfOfTenant(id.clone()));
    };
    if !registry.may_act_for(&claims.tenant_id, tenant) {
        return Err(Refusal::NotAllowableTenant(id.clone()));
    }
    Ok((tenant, on_behalf_of))
}

fn read(headers: &IdentityHeaders<'_>) -> Option<OnBehalfOf> {
    Some(OnBehalfOf {
        tenant_id: TenantId::new(headers.tenant.name()?).ok()?,
        username: Username::new(headers.user.name()?).ok()?,
    })
}
