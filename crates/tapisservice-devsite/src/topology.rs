//! Consistency of sites and tenants.

use std::collections::BTreeSet;

use crate::DevSiteError;
use crate::tenant::{SiteSpec, TenantSpec};

/// Requires one primary site, a site for every tenant, a site-admin tenant for every site, and a first tenant for users.
pub(crate) fn check(sites: &[SiteSpec], tenants: &[TenantSpec]) -> Result<(), DevSiteError> {
    let site_ids = unique(sites.iter().map(|site| site.id.as_str()))?;
    unique(tenants.iter().map(|tenant| tenant.id.as_str()))?;
    let primary = sites.iter().filter(|site| site.primary).count();
    if primary != 1 {
        return Err(DevSiteError::PrimarySites(primary));
    }
    if let Some(orphan) = tenants.iter().find(|tenant| !site_ids.contains(tenant.site.as_str())) {
        return Err(DevSiteError::UnknownSite(orphan.site.clone()));
    }
    let has_admin_tenant = |site: &SiteSpec| {
        tenants.iter().any(|tenant| tenant.id == site.admin_tenant && tenant.site == site.id)
    };
    if let Some(orphan) = sites.iter().find(|site| !has_admin_tenant(site)) {
        return Err(DevSiteError::UnknownTenant(orphan.admin_tenant.clone()));
    }
    let for_users = |tenant: &TenantSpec| sites.iter().all(|site| site.admin_tenant != tenant.id);
    if tenants.first().is_some_and(for_users) { Ok(()) } else { Err(DevSiteError::FirstTenant) }
}

/// Ids are used as file names, host names and path segments.
pub(crate) fn check_id(id: &str) -> Result<(), DevSiteError> {
    let plain = (1..=63).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if plain { Ok(()) } else { Err(DevSiteError::InvalidId(id.to_owned())) }
}

fn unique<'a>(ids: impl Iterator<Item = &'a str>) -> Result<BTreeSet<&'a str>, DevSiteError> {
    let mut seen = BTreeSet::new();
    for id in ids {
        check_id(id)?;
        if !seen.insert(id) {
            return Err(DevSiteError::DuplicateId(id.to_owned()));
        }
    }
    Ok(seen)
}
