//! A small Security Kernel: roles, kept in memory.

use std::sync::Arc;

use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::body::Body;
use super::query::Query;
use crate::builder::TENANT_ADMIN;
use crate::caller::Caller;
use crate::envelope::{ApiError, ApiResponse};
use crate::grant::AccountType;
use crate::state::{Roles, SiteState};

type Site = State<Arc<SiteState>>;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OneRole {
    tenant: String,
    user: String,
    role_name: String,
    #[serde(default)]
    or_admin: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SeveralRoles {
    tenant: String,
    user: String,
    role_names: Vec<String>,
    #[serde(default)]
    or_admin: bool,
}

#[derive(Deserialize)]
pub(crate) struct UserRef {
    tenant: String,
    user: String,
}

pub(crate) async fn has_role(
    State(site): Site,
    caller: Caller,
    Body(ask): Body<OneRole>,
) -> Result<ApiResponse, ApiError> {
    may_ask_about(&site, &caller, &ask.tenant)?;
    let roles = site.roles();
    Ok(authorized(
        has(&roles, &ask.tenant, &ask.user, &ask.role_name)
            || admin(&roles, &ask.tenant, &ask.user, ask.or_admin),
    ))
}

pub(crate) async fn has_role_any(
    State(site): Site,
    caller: Caller,
    Body(ask): Body<SeveralRoles>,
) -> Result<ApiResponse, ApiError> {
    may_ask_about(&site, &caller, &ask.tenant)?;
    let roles = site.roles();
    let any = ask.role_names.iter().any(|role| has(&roles, &ask.tenant, &ask.user, role));
    Ok(authorized(any || admin(&roles, &ask.tenant, &ask.user, ask.or_admin)))
}

pub(crate) async fn has_role_all(
    State(site): Site,
    caller: Caller,
    Body(ask): Body<SeveralRoles>,
) -> Result<ApiResponse, ApiError> {
    may_ask_about(&site, &caller, &ask.tenant)?;
    let roles = site.roles();
    let all = ask.role_names.iter().all(|role| has(&roles, &ask.tenant, &ask.user, role));
    Ok(authorized(all || admin(&roles, &ask.tenant, &ask.user, ask.or_admin)))
}

pub(crate) async fn is_admin(
    State(site): Site,
    caller: Caller,
    Body(ask): Body<UserRef>,
) -> Result<ApiResponse, ApiError> {
    may_ask_about(&site, &caller, &ask.tenant)?;
    Ok(authorized(admin(&site.roles(), &ask.tenant, &ask.user, true)))
}

pub(crate) async fn grant_role(
    State(site): Site,
    caller: Caller,
    Body(ask): Body<OneRole>,
) -> Result<ApiResponse, ApiError> {
    may_change(&site, &caller, &ask.tenant)?;
    if ask.role_name.is_empty() || ask.role_name.chars().count() > 60 {
        return Err(ApiError::bad_request("A role name has 1 to 60 characters."));
    }
    let granted = site.roles().entry((ask.tenant, ask.user)).or_default().insert(ask.role_name);
    Ok(changes(granted))
}

pub(crate) async fn revoke_role(
    State(site): Site,
    caller: Caller,
    Body(ask): Body<OneRole>,
) -> Result<ApiResponse, ApiError> {
    may_change(&site, &caller, &ask.tenant)?;
    let mut roles = site.roles();
    Ok(changes(roles.get_mut(&(ask.tenant, ask.user)).is_some_and(|names| names.remove(&ask.role_name))))
}

pub(crate) async fn roles_of_user(
    State(site): Site,
    caller: Caller,
    Path(user): Path<String>,
    query: Query,
) -> Result<ApiResponse, ApiError> {
    let tenant = query.text("tenant").unwrap_or(&caller.tenant).to_owned();
    may_ask_about(&site, &caller, &tenant)?;
    let names = site.roles().get(&(tenant, user)).cloned().unwrap_or_default();
    Ok(name_list(&json!(names)))
}

pub(crate) async fn users_with_role(
    State(site): Site,
    caller: Caller,
    Path(role): Path<String>,
    query: Query,
) -> Result<ApiResponse, ApiError> {
    let tenant = query.text("tenant").unwrap_or(&caller.tenant).to_owned();
    may_ask_about(&site, &caller, &tenant)?;
    let roles = site.roles();
    let holders = roles.iter().filter(|((at, _), names)| *at == tenant && names.contains(&role));
    let mut users: Vec<_> = holders.map(|((_, user), _)| user.as_str()).collect();
    users.sort_unstable();
    Ok(name_list(&json!(users)))
}

fn has(roles: &Roles, tenant: &str, user: &str, role: &str) -> bool {
    roles.get(&(tenant.to_owned(), user.to_owned())).is_some_and(|names| names.contains(role))
}

fn admin(roles: &Roles, tenant: &str, user: &str, counts: bool) -> bool {
    counts && has(roles, tenant, user, TENANT_ADMIN)
}

/// Services ask about every tenant, users about their own.
fn may_ask_about(site: &SiteState, caller: &Caller, tenant: &str) -> Result<(), ApiError> {
    site.registry().active_tenant(tenant).ok_or_else(|| ApiError::bad_request("There is no such tenant."))?;
    let allowed = caller.account == AccountType::Service || caller.tenant == tenant;
    allowed.then_some(()).ok_or_else(|| ApiError::forbidden("Users may ask about their own tenant only."))
}

/// Services and tenant administrators grant and revoke.
fn may_change(site: &SiteState, caller: &Caller, tenant: &str) -> Result<(), ApiError> {
    may_ask_about(site, caller, tenant)?;
    let allowed = caller.account == AccountType::Service || admin(&site.roles(), tenant, &caller.user, true);
    allowed
        .then_some(())
        .ok_or_else(|| ApiError::forbidden("Only tenant administrators and services change roles."))
}

fn authorized(yes: bool) -> ApiResponse {
    ApiResponse::ok("Authorization checked.", json!({ "isAuthorized": yes }))
}

fn changes(changed: bool) -> ApiResponse {
    ApiResponse::ok("Roles changed.", json!({ "changes": i32::from(changed) }))
}

fn name_list(names: &Value) -> ApiResponse {
    ApiResponse::ok("Names retrieved.", json!({ "names": names }))
}
