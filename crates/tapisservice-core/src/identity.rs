//! The caller of a request, and the user and tenant it is for.

use std::sync::Arc;

use crate::{AccessToken, AccountType, SiteId, TenantId, Username};

/// The tenant a request is for, from the registry.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestTenant {
    /// Its id (`g.request_tenant_id`).
    pub tenant_id: TenantId,
    /// Its `base_url` without a trailing slash (`g.request_tenant_base_url`).
    pub base_url: Arc<str>,
    /// The site that owns it (`g.request_site_id`).
    pub site_id: SiteId,
}

impl RequestTenant {
    /// A tenant, its `base_url` without a trailing slash, and the site that owns it.
    pub fn new(tenant_id: TenantId, base_url: impl Into<Arc<str>>, site_id: SiteId) -> Self {
        Self { tenant_id, base_url: base_url.into(), site_id }
    }
}

/// The user a service acts for: the `X-Tapis-Tenant` and `X-Tapis-User` headers (rules O1 to O6).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OnBehalfOf {
    /// `X-Tapis-Tenant`.
    pub tenant_id: TenantId,
    /// `X-Tapis-User`.
    pub username: Username,
}

impl OnBehalfOf {
    /// A user of a tenant.
    pub fn new(tenant_id: TenantId, username: Username) -> Self {
        Self { tenant_id, username }
    }
}

/// An authenticated caller, with the user and tenant the request is for. Cheap to clone.
///
/// As an extractor it rejects a request without an identity with 401, so a function that takes
/// `&Identity` cannot be called unauthenticated. Services use the pair
/// [`username`](Self::username) and [`tenant_id`](Self::tenant_id): when another service calls, they are the user and tenant it acts
/// *for*. The caller's own token is [`token`](Self::token).
///
/// Only the framework creates one, from a verified token or from the result of an `authn` callback; tests use the feature
/// `testing`. Creating one by hand does not compile:
///
/// ```compile_fail
/// # use tapisservice_core::{AccountType, Identity, RequestTenant, SiteId, TenantId, Username};
/// # let tenant = RequestTenant::new(TenantId::new("tacc").unwrap(), "https://tacc.tapis.io", SiteId::new("tacc").unwrap());
/// let admin = Identity::without_token(tenant, Username::new("admin").unwrap(), AccountType::User);
/// ```
#[derive(Debug, Clone)]
pub struct Identity(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    tenant: Arc<RequestTenant>,
    username: Username,
    account_type: AccountType,
    on_behalf_of: Option<OnBehalfOf>,
    token: Option<AccessToken>,
}

impl Identity {
    /// The user of a user token, in the tenant of the token.
    pub(crate) fn user(tenant: impl Into<Arc<RequestTenant>>, token: AccessToken) -> Self {
        let tenant = tenant.into();
        let (username, account_type) = (token.claims().username.clone(), token.claims().account_type);
        Self(Arc::new(Inner { tenant, username, account_type, on_behalf_of: None, token: Some(token) }))
    }

    /// A service that acts for a user.
    pub(crate) fn service(
        tenant: impl Into<Arc<RequestTenant>>,
        token: AccessToken,
        on_behalf_of: OnBehalfOf,
    ) -> Self {
        let tenant = tenant.into();
        let (username, account_type) = (on_behalf_of.username.clone(), token.claims().account_type);
        Self(Arc::new(Inner {
            tenant,
            username,
            account_type,
            on_behalf_of: Some(on_behalf_of),
            token: Some(token),
        }))
    }

    /// A caller that an `authn` callback authenticated by other means than a Tapis token (rule A20).
    pub(crate) fn without_token(
        tenant: impl Into<Arc<RequestTenant>>,
        username: Username,
        account_type: AccountType,
    ) -> Self {
        let tenant = tenant.into();
        Self(Arc::new(Inner { tenant, username, account_type, on_behalf_of: None, token: None }))
    }

    /// The user the request is for (`g.request_username`).
    pub fn username(&self) -> &Username {
        &self.0.username
    }

    /// The tenant the request is for (`g.request_tenant_id`).
    pub fn tenant_id(&self) -> &TenantId {
        &self.0.tenant.tenant_id
    }

    /// The tenant the request is for, with its base URL and site.
    pub fn tenant(&self) -> &RequestTenant {
        &self.0.tenant
    }

    /// Whether the caller is a user or a service.
    pub fn account_type(&self) -> AccountType {
        self.0.account_type
    }

    /// The on-behalf-of headers of a service's request.
    pub fn on_behalf_of(&self) -> Option<&OnBehalfOf> {
        self.0.on_behalf_of.as_ref()
    }

    /// The caller's own token; `None` if an `authn` callback authenticated the caller.
    pub fn token(&self) -> Option<&AccessToken> {
        self.0.token.as_ref()
    }
}
