//! A small Security Kernel with roles in memory.

use std::sync::Arc;

use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::permission::{self, HasTenant, QueriedTenant, RoleChange, RoleQuery};
use crate::envelope::{ApiError, ApiResponse};
use crate::state::SiteState;

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

impl HasTenant for OneRole {
    fn tenant(&self) -> &str {
        &self.tenant
    }
}

impl HasTenant for SeveralRoles {
    fn tenant(&self) -> &str {
        &self.tenant
    }
}

impl HasTenant for UserRef {
    fn tenant(&self) -> &str {
        &self.tenant
    }
}

pub(crate) async fn has_role(State(site): Site, RoleQuery(query): RoleQuery<OneRole>) -> ApiResponse {
    let OneRole { tenant, user, role_name, or_admin } = query;
    let roles = site.roles();
    let has = permission::has_role(&roles, &tenant, &user, &role_name);
    authorized(has || (or_admin && permission::is_admin(&roles, &tenant, &user)))
}

pub(crate) async fn has_role_any(
    State(site): Site,
    RoleQuery(query): RoleQuery<SeveralRoles>,
) -> ApiResponse {
    let SeveralRoles { tenant, user, role_names, or_admin } = query;
    let roles = site.roles();
    let any = role_names.iter().any(|role| permission::has_role(&roles, &tenant, &user, role));
    authorized(any || (or_admin && permission::is_admin(&roles, &tenant, &user)))
}

pub(crate) async fn has_role_all(
    State(site): Site,
    RoleQuery(query): RoleQuery<SeveralRoles>,
) -> ApiResponse {
    let SeveralRoles { tenant, user, role_names, or_admin } = query;
    let roles = site.roles();
    let all = role_names.iter().all(|role| permission::has_role(&roles, &tenant, &user, role));
    authorized(all || (or_admin && permission::is_admin(&roles, &tenant, &user)))
}

pub(crate) async fn is_admin(State(site): Site, RoleQuery(query): RoleQuery<UserRef>) -> ApiResponse {
    authorized(permission::is_admin(&site.roles(), &query.tenant, &query.user))
}

pub(crate) async fn grant_role(
    State(site): Site,
    RoleChange(change): RoleChange<OneRole>,
) -> Result<ApiResponse, ApiError> {
    if change.role_name.is_empty() || change.role_name.chars().count() > 60 {
        return Err(ApiError::bad_request("A role name has 1 to 60 characters."));
    }
    let granted = site.roles().entry((change.tenant, change.user)).or_default().insert(change.role_name);
    Ok(changes(granted))
}

pub(crate) async fn revoke_role(State(site): Site, RoleChange(change): RoleChange<OneRole>) -> ApiResponse {
    let mut roles = site.roles();
    let names = roles.get_mut(&(change.tenant, change.user));
    changes(names.is_some_and(|names| names.remove(&change.role_name)))
}

pub(crate) async fn roles_of_user(
    State(site): Site,
    QueriedTenant(tenant): QueriedTenant,
    Path(user): Path<String>,
) -> ApiResponse {
    let names = site.roles().get(&(tenant, user)).cloned().unwrap_or_default();
    name_list(&json!(names))
}

pub(crate) async fn users_with_role(
    State(site): Site,
    QueriedTenant(tenant): QueriedTenant,
    Path(role): Path<String>,
) -> ApiResponse {
    let roles = site.roles();
    let holders = roles.iter().filter(|((at, _), names)| *at == tenant && names.contains(&role));
    let mut users: Vec<_> = holders.map(|((_, user), _)| user.as_str()).collect();
    users.sort_unstable();
    name_list(&json!(users))
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
