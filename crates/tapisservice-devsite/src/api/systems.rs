//! A small, read-only Systems API.

use std::sync::Arc;

use axum::extract::{Path, State};
use serde_json::json;

use super::query::Query;
use crate::caller::Caller;
use crate::envelope::{ApiError, ApiResponse};
use crate::grant::AccountType;
use crate::registry::ResolvedHost;
use crate::state::SiteState;
use crate::system::System;

/// `GET /v3/systems`, with `listType` (`OWNED`, `SHARED_PUBLIC` or `ALL`), `skip` and `limit` (-1: all), ordered by id.
/// Other parameters are ignored.
pub(crate) async fn list(
    State(site): State<Arc<SiteState>>,
    host: ResolvedHost,
    caller: Caller,
    query: Query,
) -> Result<ApiResponse, ApiError> {
    check_site(&site, &host, &caller)?;
    let matches: fn(&System, &str) -> bool = match query.text("listType").unwrap_or("OWNED") {
        "OWNED" => |system, user| system.owner == user,
        "SHARED_PUBLIC" => |system, _| system.public,
        "ALL" => System::is_visible_to,
        _ => return Err(ApiError::bad_request("listType must be OWNED, SHARED_PUBLIC or ALL.")),
    };
    let mut found: Vec<_> = visible(&site, &caller).filter(|system| matches(system, &caller.user)).collect();
    found.sort_by(|one, other| one.id.cmp(&other.id));
    let (skip, limit) = (query.number("skip").unwrap_or(0), query.number("limit").unwrap_or(100));
    let page = found
        .iter()
        .skip(usize::try_from(skip).unwrap_or(0))
        .take(usize::try_from(limit).unwrap_or(usize::MAX));
    let records: Vec<_> = page.map(|system| system.record(&caller.tenant, &caller.user)).collect();
    let total = if query.text("computeTotal").is_some_and(|text| text.eq_ignore_ascii_case("true")) {
        json!(found.len())
    } else {
        json!(-1)
    };
    let metadata = json!({
        "recordCount": records.len(), "recordLimit": limit, "recordsSkipped": skip, "orderBy": null,
        "startAfter": null, "totalCount": total,
    });
    Ok(ApiResponse::ok("Systems found.", json!(records)).with_metadata(metadata))
}

/// `GET /v3/systems/{systemId}`: a system that is not visible is not found.
pub(crate) async fn get(
    State(site): State<Arc<SiteState>>,
    host: ResolvedHost,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<ApiResponse, ApiError> {
    check_site(&site, &host, &caller)?;
    let system = visible(&site, &caller).find(|system| system.id == id);
    let system = system.ok_or_else(|| {
        ApiError::not_found(format!("There is no system {id} in tenant {}.", caller.tenant))
    })?;
    Ok(ApiResponse::ok("System found.", system.record(&caller.tenant, &caller.user)))
}

fn visible<'a>(site: &'a SiteState, caller: &'a Caller) -> impl Iterator<Item = &'a System> {
    site.systems.iter().filter(|system| system.is_in(&caller.tenant) && system.is_visible_to(&caller.user))
}

/// Rule O6: only the primary site serves tenants of another site, and only if that site does not run
/// Systems. The Security Kernel is exempt (rule R2).
fn check_site(site: &SiteState, host: &ResolvedHost, caller: &Caller) -> Result<(), ApiError> {
    let registry = site.registry();
    let owner = registry.active_tenant(&caller.tenant).map(|entry| entry.tenant.site.as_str());
    let primary = registry.primary_site().is_some_and(|site| site.id == host.site);
    let allowed =
        owner.is_some_and(|owner| owner == host.site || (primary && !registry.site_runs(owner, "systems")));
    let kind = if caller.account == AccountType::Service { "service" } else { "user" };
    allowed
        .then_some(())
        .ok_or_else(|| ApiError::forbidden(format!("This {kind} request belongs to another site.")))
}
