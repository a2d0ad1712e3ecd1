//! A small Systems API, to read from.

use std::sync::Arc;

use axum::extract::{Path, State};
use serde_json::json;

use super::query::Query;
use crate::caller::Caller;
use crate::envelope::{Answer, Refusal};
use crate::grant::AccountType;
use crate::registry::Place;
use crate::state::SiteState;
use crate::system::System;

/// `GET /v3/systems`, with `listType` (`OWNED`, `SHARED_PUBLIC` or `ALL`), `skip` and `limit` (-1: all), ordered by id.
/// Other parameters are not looked at.
pub(crate) async fn list(
    State(site): State<Arc<SiteState>>,
    place: Place,
    caller: Caller,
    query: Query,
) -> Result<Answer, Refusal> {
    check_site(&site, &place, &caller)?;
    let fits: fn(&System, &str) -> bool = match query.text("listType").unwrap_or("OWNED") {
        "OWNED" => |system, user| system.owner == user,
        "SHARED_PUBLIC" => |system, _| system.public,
        "ALL" => System::is_visible_to,
        _ => return Err(Refusal::bad_request("listType is one of OWNED, SHARED_PUBLIC, ALL.")),
    };
    let mut found: Vec<_> = visible(&site, &caller).filter(|system| fits(system, &caller.user)).collect();
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
    Ok(Answer::ok("Systems found.", json!(records)).with_metadata(metadata))
}

/// `GET /v3/systems/{systemId}`: a system that is not visible is not there.
pub(crate) async fn get(
    State(site): State<Arc<SiteState>>,
    place: Place,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Answer, Refusal> {
    check_site(&site, &place, &caller)?;
    let system = visible(&site, &caller).find(|system| system.id == id);
    let system = system
        .ok_or_else(|| Refusal::not_found(format!("There is no system {id} in tenant {}.", caller.tenant)))?;
    Ok(Answer::ok("System found.", system.record(&caller.tenant, &caller.user)))
}

fn visible<'a>(site: &'a SiteState, caller: &'a Caller) -> impl Iterator<Item = &'a System> {
    site.systems.iter().filter(|system| system.is_in(&caller.tenant) && system.is_visible_to(&caller.user))
}

/// Rule O6: a tenant of another site is served by the primary site alone, and only if its own site does not run
/// Systems. The Security Kernel is exempt (rule R2).
fn check_site(site: &SiteState, place: &Place, caller: &Caller) -> Result<(), Refusal> {
    let registry = site.registry();
    let owner = registry.active_tenant(&caller.tenant).map(|entry| entry.tenant.site.as_str());
    let primary = registry.primary_site().is_some_and(|site| site.id == place.site);
    let allowed =
        owner.is_some_and(|owner| owner == place.site || (primary && !registry.site_runs(owner, "systems")));
    let kind = if caller.account == AccountType::Service { "service" } else { "user" };
    allowed
        .then_some(())
        .ok_or_else(|| Refusal::forbidden(format!("This {kind} request belongs to another site.")))
}
