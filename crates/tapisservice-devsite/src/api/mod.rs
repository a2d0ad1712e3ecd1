//! The HTTP API of the site: the same on every port.

mod body;
mod oauth2;
mod permission;
mod query;
mod security;
mod systems;
mod tenants;
mod token_pair;
mod tokens;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use http::Uri;
use serde_json::json;

use crate::envelope::{ApiError, ApiResponse};
use crate::state::SiteState;

pub(crate) fn router(state: Arc<SiteState>) -> Router {
    let mut router = Router::new()
        .route("/v3/tenants", get(tenants::list_tenants))
        .route("/v3/tenants/{tenant_id}", get(tenants::get_tenant))
        .route("/v3/sites", get(tenants::list_sites))
        .route("/v3/sites/{site_id}", get(tenants::get_site))
        .route("/v3/tokens", post(tokens::create).put(tokens::refresh))
        .route("/v3/oauth2/tokens", post(oauth2::create))
        .route("/v3/security/user/hasRole", post(security::has_role))
        .route("/v3/security/user/hasRoleAny", post(security::has_role_any))
        .route("/v3/security/user/hasRoleAll", post(security::has_role_all))
        .route("/v3/security/user/isAdmin", post(security::is_admin))
        .route("/v3/security/user/grantRole", post(security::grant_role))
        .route("/v3/security/user/revokeRole", post(security::revoke_role))
        .route("/v3/security/user/roles/{user}", get(security::roles_of_user))
        .route("/v3/security/user/withRole/{role}", get(security::users_with_role))
        .route("/v3/systems", get(systems::list))
        .route("/v3/systems/{system_id}", get(systems::get));
    for service in ["tenants", "sites", "tokens", "oauth2", "security", "systems"] {
        for check in ["hello", "healthcheck", "ready", "readycheck"] {
            router = router.route(&format!("/v3/{service}/{check}"), get(alive));
        }
    }
    router.fallback(unknown_path).with_state(state)
}

async fn alive() -> ApiResponse {
    ApiResponse::ok("The service is alive.", json!("Hello from the development site."))
}

async fn unknown_path(uri: Uri) -> ApiError {
    ApiError::not_found(format!("The development site does not serve {}.", uri.path()))
}
