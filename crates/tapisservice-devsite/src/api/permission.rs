//! Who may query roles and who may change them, as extractors.

use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::{IntoResponse as _, Response};
use http::request::Parts;
use serde::de::DeserializeOwned;

use super::body::Body;
use super::query::Query;
use crate::builder::TENANT_ADMIN;
use crate::caller::Caller;
use crate::envelope::ApiError;
use crate::grant::AccountType;
use crate::state::{Roles, SiteState};

/// A body that names a tenant.
pub(crate) trait HasTenant: DeserializeOwned {
    fn tenant(&self) -> &str;
}

/// A query, from a caller who may query the roles of its tenant.
pub(crate) struct RoleQuery<T>(pub(crate) T);

/// A change, from a caller who may grant and revoke the roles of its tenant.
pub(crate) struct RoleChange<T>(pub(crate) T);

/// The tenant of a query without a body: the parameter `tenant`, otherwise the tenant of the request.
pub(crate) struct QueriedTenant(pub(crate) String);

impl<T: HasTenant> FromRequest<Arc<SiteState>> for RoleQuery<T> {
    type Rejection = Response;

    async fn from_request(request: Request, site: &Arc<SiteState>) -> Result<Self, Response> {
        authorized_body(request, site, authorize_query).await.map(Self)
    }
}

impl<T: HasTenant> FromRequest<Arc<SiteState>> for RoleChange<T> {
    type Rejection = Response;

    async fn from_request(request: Request, site: &Arc<SiteState>) -> Result<Self, Response> {
        authorized_body(request, site, authorize_change).await.map(Self)
    }
}

impl FromRequestParts<Arc<SiteState>> for QueriedTenant {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<SiteState>) -> Result<Self, ApiError> {
        let caller = Caller::from_request_parts(parts, site).await?;
        let Ok(query) = Query::from_request_parts(parts, site).await;
        let tenant = query.text("tenant").unwrap_or(&caller.tenant).to_owned();
        authorize_query(site, &caller, &tenant)?;
        Ok(Self(tenant))
    }
}

/// The body, if the caller is verified and has the permission for its tenant.
async fn authorized_body<T: HasTenant>(
    request: Request,
    site: &Arc<SiteState>,
    check: fn(&SiteState, &Caller, &str) -> Result<(), ApiError>,
) -> Result<T, Response> {
    let (mut parts, body) = request.into_parts();
    let caller = Caller::from_request_parts(&mut parts, site).await.map_err(ApiError::into_response)?;
    let Body(content) = Body::<T>::from_request(Request::from_parts(parts, body), site).await?;
    check(site, &caller, content.tenant()).map_err(ApiError::into_response)?;
    Ok(content)
}

/// Services may query every tenant, users only their own.
fn authorize_query(site: &SiteState, caller: &Caller, tenant: &str) -> Result<(), ApiError> {
    site.registry()
        .active_tenant(tenant)
        .ok_or_else(|| ApiError::bad_request("The tenant does not exist."))?;
    let allowed = caller.account == AccountType::Service || caller.tenant == tenant;
    allowed.then_some(()).ok_or_else(|| ApiError::forbidden("Users may query only their own tenant."))
}

/// Services and tenant administrators may grant and revoke roles.
fn authorize_change(site: &SiteState, caller: &Caller, tenant: &str) -> Result<(), ApiError> {
    authorize_query(site, caller, tenant)?;
    let allowed = caller.account == AccountType::Service || is_admin(&site.roles(), tenant, &caller.user);
    allowed
        .then_some(())
        .ok_or_else(|| ApiError::forbidden("Only tenant administrators and services change roles."))
}

/// Whether the user has this role.
pub(crate) fn has_role(roles: &Roles, tenant: &str, user: &str, role: &str) -> bool {
    roles.get(&(tenant.to_owned(), user.to_owned())).is_some_and(|names| names.contains(role))
}

/// Whether the user administers the tenant.
pub(crate) fn is_admin(roles: &Roles, tenant: &str, user: &str) -> bool {
    has_role(roles, tenant, user, TENANT_ADMIN)
}
