//! The decision: a pure function of token, headers, keys, sites, configuration and clock.

use std::sync::Arc;

use tapisservice_core::{AccessToken, AccountType, Claims, Identity, RequestTenant, TenantId};
use tapisservice_tenants::{Authority, RecordId, Registry, Tenant};

use crate::claims::Times;
use crate::headers::{IdentityHeaders, TokenHeader};
use crate::jws::Said;
use crate::refusal::{Refusal, TokenFault};
use crate::{AuthSettings, ParsedToken, UnixTime, claims, on_behalf_of, tenant};

/// What the headers of a request amount to.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// There is no token: the route's policy and the `authn` callback decide (rule A20). The tenant is the Host's, if the Host
    /// is known and this service serves it; on-behalf-of headers are ignored (rule H5).
    Anonymous {
        /// The tenant of the Host, or why there is none.
        tenant: Result<Arc<RequestTenant>, Refusal>,
    },
    /// The token is valid, and its bearer may be served here.
    Identified(Identity),
}

/// Decides. `token` is what [`IdentityHeaders::token`] holds, taken apart.
///
/// # Errors
///
/// The first rule that the request breaks, in the order of the rule book.
pub fn decide(
    token: Option<&ParsedToken<'_>>,
    headers: &IdentityHeaders<'_>,
    registry: Option<&Registry>,
    settings: &AuthSettings,
    now: UnixTime,
) -> Result<Outcome, Refusal> {
    match token {
        Some(token) => {
            let registry = registry.ok_or(Refusal::NoRegistry)?;
            let said = token.said().map_err(TokenFault::Jws)?;
            let verified = verify(said, registry, settings, now)?;
            let access = AccessToken::new(token.compact(), verified.claims);
            admit(access, headers, registry, settings).map(Outcome::Identified)
        }
        None if headers.token() == TokenHeader::Absent => {
            Ok(Outcome::Anonymous { tenant: anonymous_tenant(headers.host.as_ref(), registry, settings) })
        }
        None => Err(Refusal::NoToken),
    }
}

/// What a token proves, and for how long.
#[derive(Debug, Clone)]
pub(crate) struct Verified {
    /// The record that held the key and the issuer.
    pub(crate) record: RecordId,
    pub(crate) times: Times,
    pub(crate) claims: Arc<Claims>,
}

/// A5 to A12: the tenant in the payload selects the key, the key proves the payload.
pub(crate) fn verify(
    said: Said<'_>,
    registry: &Registry,
    settings: &AuthSettings,
    now: UnixTime,
) -> Result<Verified, TokenFault> {
    let id = said.claims.tenant_id().ok_or(TokenFault::TenantId)?;
    let tenant = registry.tenant(id).ok_or_else(|| unknown_tenant(id))?;
    let id = tenant.tenant_id();
    let key = tenant.key().ok_or_else(|| TokenFault::NoKey(id.clone()))?;
    if !said.is_signed_by(key) {
        return Err(TokenFault::Signature(id.clone()));
    }
    let (claims, times) = claims::check(&said.claims, said.payload, tenant, settings, now)?;
    Ok(Verified { record: tenant.record_id(), times, claims: Arc::new(claims) })
}

fn unknown_tenant(id: &str) -> TokenFault {
    TenantId::new(id).map_or(TokenFault::TenantId, TokenFault::UnknownTenant)
}

/// What depends on the request beside its token, or on the sites: O1 to O6, H2 to H4, H7 and H8.
pub(crate) fn admit(
    token: AccessToken,
    headers: &IdentityHeaders<'_>,
    registry: &Registry,
    settings: &AuthSettings,
) -> Result<Identity, Refusal> {
    let claims = token.claims();
    check_delegation(claims, registry)?;
    match claims.account_type {
        AccountType::User => {
            let tenant = user_tenant(claims, headers, registry, settings)?;
            Ok(Identity::user(tenant.request_tenant().clone(), token))
        }
        AccountType::Service => {
            let (tenant, on_behalf_of) = on_behalf_of::check(claims, headers, registry, settings)?;
            tenant::check_served(tenant, registry, settings)?;
            Ok(Identity::service(tenant.request_tenant().clone(), token, on_behalf_of))
        }
    }
}

/// A12: a tenant delegates only where it may act. Asked for every request, as it depends on the sites.
fn check_delegation(claims: &Claims, registry: &Registry) -> Result<(), Refusal> {
    let Some(party) = &claims.delegation else { return Ok(()) };
    let tenant = registry.tenant(claims.tenant_id.as_str());
    if tenant.is_some_and(|tenant| registry.may_act_for(&party.tenant_id, tenant)) {
        Ok(())
    } else {
        Err(TokenFault::Claim("tapis/delegation_sub", "names a tenant that may not act for the token's")
            .into())
    }
}

/// O1, H2 to H4, H7 and H8.
fn user_tenant<'r>(
    claims: &Claims,
    headers: &IdentityHeaders<'_>,
    registry: &'r Registry,
    settings: &AuthSettings,
) -> Result<&'r Tenant, Refusal> {
    if headers.has_on_behalf_of() {
        return Err(Refusal::OnBehalfOfByUser);
    }
    let tenant = tenant::of_host(headers.host.as_ref(), Some(&claims.tenant_id), registry, settings)?;
    if *tenant.tenant_id() != claims.tenant_id {
        return Err(Refusal::OtherTenant {
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
) -> Result<Arc<RequestTenant>, Refusal> {
    let registry = registry.ok_or(Refusal::NoRegistry)?;
    let tenant = tenant::of_host(host, None, registry, settings)?;
    tenant::check_served(tenant, registry, settings)?;
    Ok(tenant.request_tenant().clone())
}
