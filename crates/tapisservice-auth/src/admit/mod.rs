//! Admission: the checks that depend on the rest of the request or on the sites (O1 to O6, H2 to H5, H7 and H8).

mod on_behalf_of;
mod tenant;

use std::sync::Arc;

use tapisservice_core::{AccessToken, AccountType, Claims, Identity, RequestTenant, framework};
use tapisservice_tenants::{Authority, Registry, Tenant};

use crate::error::{AuthError, TokenError};
use crate::headers::IdentityHeaders;
use crate::{AuthSettings, ClaimError};

/// The identity of a request with a verified token, if this service may serve it.
pub(crate) fn admit(
    token: AccessToken,
    headers: &IdentityHeaders<'_>,
    registry: &Registry,
    settings: &AuthSettings,
) -> Result<Identity, AuthError> {
    let claims = token.claims();
    check_delegation(claims, registry)?;
    match claims.account_type {
        AccountType::User => {
            let tenant = user_tenant(claims, headers, registry, settings)?;
            Ok(framework::user_identity(tenant.request_tenant().clone(), token))
        }
        AccountType::Service => {
            let (tenant, on_behalf_of) = on_behalf_of::check(claims, headers, registry, settings)?;
            tenant::check_served(tenant, registry, settings)?;
            Ok(framework::service_identity(tenant.request_tenant().clone(), token, on_behalf_of))
        }
    }
}

/// A12: a tenant delegates only where it may act. Checked on every request, because it depends on the sites.
fn check_delegation(claims: &Claims, registry: &Registry) -> Result<(), AuthError> {
    let Some(party) = &claims.delegation else { return Ok(()) };
    let tenant = registry.tenant(claims.tenant_id.as_str());
    if tenant.is_some_and(|tenant| registry.may_act_for(&party.tenant_id, tenant)) {
        Ok(())
    } else {
        Err(TokenError::Claim(ClaimError::DelegationTenant).into())
    }
}

/// O1, H2 to H4, H7 and H8.
fn user_tenant<'r>(
    claims: &Claims,
    headers: &IdentityHeaders<'_>,
    registry: &'r Registry,
    settings: &AuthSettings,
) -> Result<&'r Tenant, AuthError> {
    if headers.has_on_behalf_of() {
        return Err(AuthError::OnBehalfOfByUser);
    }
    let tenant = tenant::of_host(headers.host.as_ref(), Some(&claims.tenant_id), registry, settings)?;
    if *tenant.tenant_id() != claims.tenant_id {
        return Err(AuthError::TenantMismatch {
            claim: claims.tenant_id.clone(),
            url: tenant.tenant_id().clone(),
        });
    }
    tenant::check_served(tenant, registry, settings)?;
    Ok(tenant)
}

/// H5: without a token the tenant comes from the Host.
pub(crate) fn anonymous_tenant(
    host: Option<&Authority<'_>>,
    registry: Option<&Registry>,
    settings: &AuthSettings,
) -> Result<Arc<RequestTenant>, AuthError> {
    let registry = registry.ok_or(AuthError::NoRegistry)?;
    let tenant = tenant::of_host(host, None, registry, settings)?;
    tenant::check_served(tenant, registry, settings)?;
    Ok(tenant.request_tenant().clone())
}
