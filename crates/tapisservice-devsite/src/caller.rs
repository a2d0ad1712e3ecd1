//! The caller of the Security Kernel or Systems, from the verified token and the on-behalf-of headers.

use http::HeaderMap;

use crate::claims::{self, TokenClaims};
use crate::envelope::ApiError;
use crate::grant::AccountType;
use crate::header::{TAPIS_TENANT, TAPIS_TOKEN, TAPIS_USER, single_value};
use crate::jws::Unverified;
use crate::registry::{Registry, ResolvedHost};

/// A verified caller.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) account: AccountType,
    /// The user that the request is for: the on-behalf-of user if a service calls.
    pub(crate) user: String,
    /// The tenant that the request is for.
    pub(crate) tenant: String,
}

impl Caller {
    /// Verifies the caller of a request to `host`, by rules A1 to A11, H3 and O1 to O5.
    pub(crate) fn verify(
        registry: &Registry,
        headers: &HeaderMap,
        host: &ResolvedHost,
    ) -> Result<Self, ApiError> {
        let token = single_value(headers, TAPIS_TOKEN)?.map(str::trim).filter(|token| !token.is_empty());
        let token =
            token.ok_or_else(|| ApiError::unauthorized("No Tapis access token found in the request."))?;
        let claims = access_token(registry, token)?;
        match claims.account_type.as_deref().and_then(AccountType::parse) {
            Some(AccountType::User) => user(claims, headers, host),
            Some(AccountType::Service) => service(registry, &claims, headers, host),
            None => Err(invalid()),
        }
    }
}

/// The claims of a valid access token.
pub(crate) fn access_token(registry: &Registry, token: &str) -> Result<TokenClaims, ApiError> {
    let claims = verified(registry, token)?;
    let username = claims.username.as_deref().filter(|name| !name.is_empty()).ok_or_else(invalid)?;
    let consistent = claims.sub == format!("{username}@{}", claims.tenant_id);
    if claims.token_type == "access" && consistent { Ok(claims) } else { Err(invalid()) }
}

/// The claims of a valid refresh token.
pub(crate) fn refresh_token(registry: &Registry, token: &str) -> Result<TokenClaims, ApiError> {
    verified(registry, token)
        .and_then(|claims| if claims.token_type == "refresh" { Ok(claims) } else { Err(invalid()) })
}

/// Verifies the signature with the key of the token's tenant, the issuer and the expiry.
fn verified(registry: &Registry, token: &str) -> Result<TokenClaims, ApiError> {
    let token = Unverified::parse(token).ok_or_else(invalid)?;
    let tenant = registry.active_tenant(&token.claims.tenant_id).ok_or_else(invalid)?;
    let key = Some(&tenant.key).filter(|_| tenant.tenant.publishes_key).ok_or_else(invalid)?;
    let valid = token.is_signed_by(key)
        && token.claims.iss.trim_end_matches('/') == tenant.token_service().trim_end_matches('/')
        && claims::now() < token.claims.exp;
    if valid { Ok(token.claims) } else { Err(invalid()) }
}

fn invalid() -> ApiError {
    ApiError::unauthorized("Invalid Tapis token.")
}

fn user(claims: TokenClaims, headers: &HeaderMap, host: &ResolvedHost) -> Result<Caller, ApiError> {
    if headers.contains_key(TAPIS_TENANT) || headers.contains_key(TAPIS_USER) {
        return Err(ApiError::unauthorized("Invalid request; cannot set OBO headers with a user token."));
    }
    if host.named && host.tenant != claims.tenant_id {
        return Err(ApiError::forbidden(format!(
            "The tenant_id claim in the token, {} does not match the URL tenant, {}.",
            claims.tenant_id, host.tenant
        )));
    }
    let user = claims.username.ok_or_else(invalid)?;
    Ok(Caller { account: AccountType::User, user, tenant: claims.tenant_id })
}

fn service(
    registry: &Registry,
    claims: &TokenClaims,
    headers: &HeaderMap,
    host: &ResolvedHost,
) -> Result<Caller, ApiError> {
    if claims.target_site.as_deref() != Some(host.site.as_str()) {
        return Err(ApiError::unauthorized("The service token is for another site."));
    }
    let obo = |name| {
        single_value(headers, name).map(|value| value.filter(|text| !text.is_empty()).map(str::to_owned))
    };
    let (Ok(Some(tenant)), Ok(Some(user))) = (obo(TAPIS_TENANT), obo(TAPIS_USER)) else {
        return Err(ApiError::unauthorized(
            "A service token needs one X-Tapis-Tenant and one X-Tapis-User header.",
        ));
    };
    let unknown = || ApiError::bad_request("The tenant in X-Tapis-Tenant is not registered.");
    let site = &registry.active_tenant(&tenant).ok_or_else(unknown)?.tenant.site;
    let admins = [registry.site(site), registry.primary_site()];
    let allowed = claims.tenant_id == tenant
        || admins.into_iter().flatten().any(|site| site.admin_tenant == claims.tenant_id);
    if !allowed {
        return Err(ApiError::forbidden(format!(
            "A service of {} cannot act for {tenant}.",
            claims.tenant_id
        )));
    }
    Ok(Caller { account: AccountType::Service, user, tenant })
}
