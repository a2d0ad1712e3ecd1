//! The Authenticator API: user tokens for the password and refresh token grants.

use std::sync::Arc;

use axum::extract::State;
use http::HeaderMap;
use serde::Deserialize;
use serde_json::json;

use super::body::Body;
use super::token_pair;
use crate::caller;
use crate::envelope::{ApiError, ApiResponse};
use crate::grant::{AccountType, Grant, REFRESH_TTL};
use crate::header::Basic;
use crate::registry::ResolvedHost;
use crate::state::SiteState;

#[derive(Deserialize)]
pub(crate) struct TokenRequest {
    grant_type: String,
    username: Option<String>,
    password: Option<String>,
    refresh_token: Option<String>,
}

/// `POST /v3/oauth2/tokens`. Ignores `X-Tapis-Token`: tapipy sends the old token when it refreshes.
pub(crate) async fn create(
    State(site): State<Arc<SiteState>>,
    host: ResolvedHost,
    headers: HeaderMap,
    Body(request): Body<TokenRequest>,
) -> Result<ApiResponse, ApiError> {
    let client = client(&site, &headers)?;
    let mut grant = match request.grant_type.as_str() {
        "password" => password(&site, &host, &request)?,
        "refresh_token" => renewal(&site, &host, &request)?,
        _ => {
            return Err(ApiError::bad_request(
                "This grant_type is not supported: password or refresh_token.",
            ));
        }
    };
    if let Some(client) = client {
        grant.extra.insert("tapis/client_id".into(), json!(client));
    }
    grant.extra.insert("tapis/grant_type".into(), json!(request.grant_type));
    Ok(ApiResponse::created("Token created successfully.", token_pair::issue(&site.registry(), &grant)?))
}

/// The OAuth client: optional, but verified if given.
fn client(site: &SiteState, headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    match Basic::from_headers(headers)? {
        None => Ok(None),
        Some(basic) if site.accounts.is_client(&basic.user, &basic.password) => Ok(Some(basic.user)),
        Some(_) => Err(ApiError::unauthorized("Invalid client id or key.")),
    }
}

fn password(site: &SiteState, host: &ResolvedHost, request: &TokenRequest) -> Result<Grant, ApiError> {
    let (Some(username), Some(password)) = (&request.username, &request.password) else {
        return Err(ApiError::bad_request("The password grant needs a username and a password."));
    };
    if !site.accounts.is_user(username, password) {
        return Err(ApiError::unauthorized("Invalid username/password combination."));
    }
    Ok(Grant { refresh_ttl: Some(REFRESH_TTL), ..Grant::user(username, &host.tenant) })
}

fn renewal(site: &SiteState, host: &ResolvedHost, request: &TokenRequest) -> Result<Grant, ApiError> {
    let missing = || ApiError::bad_request("The refresh_token grant needs a refresh_token.");
    let token = request.refresh_token.as_deref().ok_or_else(missing)?;
    let claims = caller::refresh_token(&site.registry(), token).ok();
    let grant = claims.as_ref().and_then(Grant::from_refresh_claims);
    let grant = grant.filter(|grant| grant.account == AccountType::User && grant.tenant == host.tenant);
    grant.ok_or_else(|| ApiError::unauthorized("The refresh token is not valid in this tenant."))
}
