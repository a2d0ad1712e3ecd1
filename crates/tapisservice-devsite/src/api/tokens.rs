//! The Tokens API: service tokens for a password or another service token, and their refresh.

use std::sync::Arc;

use axum::extract::State;
use http::HeaderMap;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::body::Body;
use super::token_pair;
use crate::envelope::{ApiError, ApiResponse};
use crate::grant::{ACCESS_TTL, AccountType, Grant, REFRESH_TTL};
use crate::header::{Basic, TAPIS_TOKEN, single_value};
use crate::registry::{Registry, ResolvedHost};
use crate::state::SiteState;
use crate::{caller, claims};

#[derive(Deserialize)]
pub(crate) struct NewToken {
    account_type: String,
    token_tenant_id: String,
    token_username: String,
    target_site_id: Option<String>,
    #[serde(default)]
    delegation_token: bool,
    delegation_sub_tenant_id: Option<String>,
    delegation_sub_username: Option<String>,
    access_token_ttl: Option<i64>,
    #[serde(default)]
    generate_refresh_token: bool,
    refresh_token_ttl: Option<i64>,
    #[serde(default)]
    claims: Map<String, Value>,
}

/// `POST /v3/tokens`.
pub(crate) async fn create(
    State(site): State<Arc<SiteState>>,
    host: ResolvedHost,
    headers: HeaderMap,
    Body(wanted): Body<NewToken>,
) -> Result<ApiResponse, ApiError> {
    let service = authenticate(&site, &host, &headers)?;
    let registry = site.registry();
    let grant = wanted.into_grant(&registry)?;
    authorize(&registry, &service, &grant)?;
    Ok(ApiResponse::created("Token generation successful.", token_pair::issue(&registry, &grant)?))
}

#[derive(Deserialize)]
pub(crate) struct Renewal {
    refresh_token: String,
}

/// `PUT /v3/tokens`. Ignores all other credentials, such as an expired access token.
pub(crate) async fn refresh(
    State(site): State<Arc<SiteState>>,
    Body(renewal): Body<Renewal>,
) -> Result<ApiResponse, ApiError> {
    let registry = site.registry();
    let claims = caller::refresh_token(&registry, &renewal.refresh_token)
        .map_err(|_| ApiError::unauthorized("The refresh token is not valid."))?;
    let grant = Grant::from_refresh_claims(&claims)
        .ok_or_else(|| ApiError::unauthorized("The refresh token is not valid."))?;
    Ok(ApiResponse::created("Token generation successful.", token_pair::issue(&registry, &grant)?))
}

/// The caller: a service of a site-admin tenant.
struct ServiceAccount {
    name: String,
    /// Its tenant, if it authenticated with a token; a password does not identify a tenant.
    tenant: Option<String>,
}

fn authenticate(
    site: &SiteState,
    host: &ResolvedHost,
    headers: &HeaderMap,
) -> Result<ServiceAccount, ApiError> {
    let token = single_value(headers, TAPIS_TOKEN)?.filter(|token| !token.is_empty());
    match (Basic::from_headers(headers)?, token) {
        (Some(_), Some(_)) => Err(ApiError::bad_request("Invalid request: both a token and a password.")),
        (None, None) => Err(ApiError::unauthorized("Invalid request: neither a token nor a password.")),
        (Some(basic), None) if site.accounts.is_service(&basic.user, &basic.password) => {
            Ok(ServiceAccount { name: basic.user, tenant: None })
        }
        (Some(_), None) => Err(ApiError::unauthorized("Invalid service name or password.")),
        (None, Some(token)) => by_token(&site.registry(), host, token),
    }
}

fn by_token(registry: &Registry, host: &ResolvedHost, token: &str) -> Result<ServiceAccount, ApiError> {
    let claims = caller::access_token(registry, token)?;
    if claims.account_type.as_deref() != Some("service") {
        return Err(ApiError::forbidden("Only services may obtain tokens here."));
    }
    if claims.target_site.as_deref() != Some(host.site.as_str()) {
        return Err(ApiError::unauthorized("The service token is for another site."));
    }
    let name = claims.username.unwrap_or_default();
    Ok(ServiceAccount { name, tenant: Some(claims.tenant_id) })
}

/// A service may obtain tokens for itself; a tenant's `token_gen_services` may obtain tokens for its users.
fn authorize(registry: &Registry, service: &ServiceAccount, grant: &Grant) -> Result<(), ApiError> {
    let allowed = match grant.account {
        AccountType::Service => {
            let own_tenant = service.tenant.as_ref().is_none_or(|tenant| *tenant == grant.tenant);
            let admin = registry.sites.iter().any(|entry| entry.site.admin_tenant == grant.tenant);
            service.name == grant.username && own_tenant && admin
        }
        AccountType::User => {
            let record = registry.tenant_record(&grant.tenant).unwrap_or_default();
            record["token_gen_services"]
                .as_array()
                .is_some_and(|names| names.iter().any(|name| *name == service.name))
        }
    };
    let refusal = || {
        ApiError::forbidden(format!(
            "Service {} may not obtain tokens for {}.",
            service.name,
            grant.subject()
        ))
    };
    allowed.then_some(()).ok_or_else(refusal)
}

impl NewToken {
    fn into_grant(self, registry: &Registry) -> Result<Grant, ApiError> {
        let account = AccountType::parse(&self.account_type)
            .ok_or_else(|| invalid("account_type is neither user nor service"))?;
        registry
            .active_tenant(&self.token_tenant_id)
            .ok_or_else(|| invalid("token_tenant_id is not served by this Tokens API"))?;
        if self.token_username.is_empty() {
            return Err(invalid("token_username is empty"));
        }
        if self.claims.keys().any(|name| claims::is_standard(name)) {
            return Err(invalid("standard claims cannot be set through claims"));
        }
        let delegation_sub = self.delegation_sub()?;
        let target_site = match (account, self.target_site_id) {
            (AccountType::User, _) => None,
            (AccountType::Service, None) => {
                return Err(invalid("target_site_id is required for account_type service"));
            }
            (_, Some(site)) if registry.site(&site).is_none() => {
                return Err(invalid("target_site_id names an unknown site"));
            }
            (_, Some(site)) => Some(site),
        };
        Ok(Grant {
            account,
            username: self.token_username,
            tenant: self.token_tenant_id,
            target_site,
            delegation_sub,
            access_ttl: self.access_token_ttl.unwrap_or(ACCESS_TTL),
            refresh_ttl: self.generate_refresh_token.then(|| self.refresh_token_ttl.unwrap_or(REFRESH_TTL)),
            extra: self.claims,
        })
    }

    fn delegation_sub(&self) -> Result<Option<String>, ApiError> {
        match (self.delegation_token, &self.delegation_sub_username, &self.delegation_sub_tenant_id) {
            (false, _, _) => Ok(None),
            (true, Some(user), Some(tenant)) => Ok(Some(format!("{user}@{tenant}"))),
            (true, _, _) => Err(invalid("a delegation token needs its delegation subject")),
        }
    }
}

fn invalid(what: &str) -> ApiError {
    ApiError::bad_request(format!("Invalid POST data: {what}."))
}
