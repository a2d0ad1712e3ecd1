//! The Tenants API. It is public: a client must know the tenants before it can verify any token.

use std::sync::Arc;

use axum::extract::{Path, State};
use serde_json::json;

use crate::envelope::{ApiError, ApiResponse};
use crate::state::SiteState;

pub(crate) async fn list_tenants(State(site): State<Arc<SiteState>>) -> ApiResponse {
    ApiResponse::ok("Tenants retrieved successfully.", json!(site.registry().tenant_records()))
}

pub(crate) async fn get_tenant(
    State(site): State<Arc<SiteState>>,
    Path(id): Path<String>,
) -> Result<ApiResponse, ApiError> {
    let record = site.registry().tenant_record(&id);
    let record = record.ok_or_else(|| ApiError::not_found("No tenant found with this tenant_id."))?;
    Ok(ApiResponse::ok("Tenant retrieved successfully.", record))
}

pub(crate) async fn list_sites(State(site): State<Arc<SiteState>>) -> ApiResponse {
    ApiResponse::ok("Sites retrieved successfully.", json!(site.registry().site_records()))
}

pub(crate) async fn get_site(
    State(site): State<Arc<SiteState>>,
    Path(id): Path<String>,
) -> Result<ApiResponse, ApiError> {
    let record = site.registry().site_record(&id);
    let record = record.ok_or_else(|| ApiError::not_found("No site found with this site_id."))?;
    Ok(ApiResponse::ok("Site retrieved successfully.", record))
}
