//! Which site serves which tenants, and which services may act for them (rules O5, O6 and H8).

use tapisservice_core::{SiteId, TenantId};

use crate::{Registry, Tenant};

/// The name and site of this service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServiceLocation<'a> {
    /// `service_name`.
    pub name: &'a str,
    /// `service_site_id`.
    pub site_id: &'a SiteId,
}

impl<'a> ServiceLocation<'a> {
    /// A service of this name at a site.
    pub fn new(name: &'a str, site_id: &'a SiteId) -> Self {
        Self { name, site_id }
    }
}

impl Registry {
    /// Whether a service with a token of `token_tenant` may act for users of `tenant` (rule O5): `token_tenant` is the
    /// site-admin tenant of that tenant's site or of the primary site, or the tenant itself.
    pub fn may_act_for(&self, token_tenant: &TenantId, tenant: &Tenant) -> bool {
        let is_admin_of = |site: &crate::Site| site.site_admin_tenant_id.as_ref() == Some(token_tenant);
        token_tenant == tenant.tenant_id()
            || is_admin_of(tenant.site())
            || self.primary().is_some_and(|s| is_admin_of(s))
    }

    /// Whether `service` serves `tenant` (rules O6 and H8): it runs at the tenant's own site, or at the primary
    /// site if the tenant's site does not run that service itself.
    pub fn serves(&self, service: ServiceLocation<'_>, tenant: &Tenant) -> bool {
        let own = tenant.site().site_id == *service.site_id;
        let at_primary = self.primary().is_some_and(|site| site.site_id == *service.site_id);
        own || (at_primary && !tenant.site().services.iter().any(|name| name == service.name))
    }
}
