//! Routing of a service's requests, and the token for each (rules R1 to R5). Pure functions over the registry.

use std::collections::BTreeSet;

use tapisservice_core::{SiteId, TenantId};
use tapisservice_tenants::{Registry, Site, Tenant, parse_base_url};
use url::Url;

use crate::RoutingError;

/// The route of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Route {
    /// The site that serves the request.
    pub site: SiteId,
    /// The base URL for the paths of operations.
    pub base_url: Url,
    /// The site that the service token is for (`tapis/target_site`).
    pub target_site: SiteId,
}

/// The route of a service at `own_site` to `service` for `tenant`.
///
/// `service` is a resource or its service: `sk` and `security` are the same.
///
/// # Errors
///
/// When the registry has no such tenant, or no primary site.
pub fn route(
    registry: &Registry,
    own_site: &SiteId,
    tenant: &TenantId,
    service: &str,
) -> Result<Route, RoutingError> {
    if service == "tenants" {
        return at_primary_admin_tenant(registry);
    }
    let tenant = registry.tenant(tenant.as_str()).ok_or_else(|| unknown_tenant(tenant))?;
    let owner = tenant.site();
    let stays = match service_name(service) {
        "security" | "tokens" => owner.site_id == *own_site,
        other => owner.services.iter().any(|name| name == other),
    };
    if stays { at_owning_site(tenant) } else { at_primary_site(registry, tenant) }
}

/// The sites for which a service at `own_site` has tokens, its own first (rule R5). At the primary site these are all sites, elsewhere the
/// own and the primary site. A site without an active tenant is never called and not listed.
pub fn token_sites(registry: &Registry, own_site: &SiteId) -> Vec<SiteId> {
    let primary = registry.primary().map(|site| &site.site_id);
    let mut others: BTreeSet<&SiteId> = primary.into_iter().collect();
    if primary == Some(own_site) {
        others.extend(registry.tenants().map(|tenant| &tenant.site().site_id));
    }
    others.remove(own_site);
    std::iter::once(own_site).chain(others).cloned().collect()
}

/// The name by which sites list the service of a resource.
pub(crate) fn service_name(resource: &str) -> &str {
    if resource == "sk" { "security" } else { resource }
}

fn unknown_tenant(tenant: &TenantId) -> RoutingError {
    RoutingError::UnknownTenant(tenant.clone())
}

fn at_primary_admin_tenant(registry: &Registry) -> Result<Route, RoutingError> {
    let primary = primary(registry)?;
    let admin = primary.site_admin_tenant_id.as_ref();
    let admin = admin.ok_or_else(|| RoutingError::NoAdminTenant(primary.site_id.clone()))?;
    let tenant = registry.tenant(admin.as_str()).ok_or_else(|| unknown_tenant(admin))?;
    new(primary, tenant.base_url())
}

fn at_owning_site(tenant: &Tenant) -> Result<Route, RoutingError> {
    new(tenant.site(), tenant.base_url())
}

fn at_primary_site(registry: &Registry, tenant: &Tenant) -> Result<Route, RoutingError> {
    let primary = primary(registry)?;
    let url = primary.tenant_base_url(tenant.tenant_id());
    let url = url.ok_or_else(|| RoutingError::NoUrlTemplate(primary.site_id.clone()))?;
    new(primary, &url)
}

fn primary(registry: &Registry) -> Result<&Site, RoutingError> {
    registry.primary().map(AsRef::as_ref).ok_or(RoutingError::NoPrimarySite)
}

/// In every rule the token is for the site that serves the request.
fn new(site: &Site, base_url: &str) -> Result<Route, RoutingError> {
    let url = parse_base_url(base_url);
    let base_url = url.ok_or_else(|| RoutingError::BaseUrl(base_url.to_owned()))?;
    Ok(Route { site: site.site_id.clone(), base_url, target_site: site.site_id.clone() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tapisservice_tenants::RegistryData;

    use super::*;

    fn registry(template: Option<&str>, admin: &str) -> Registry {
        let data = RegistryData::new(
            vec![json!({"tenant_id": "a", "site_id": "one", "base_url": "https://a.example/"}).into()],
            vec![
                json!({"site_id": "one", "primary": true, "site_admin_tenant_id": admin,
                               "tenant_base_url_template": template, "services": ["files"]})
                .into(),
            ],
        );
        Registry::build(&data, None).unwrap()
    }

    fn refusal(registry: &Registry, tenant: &str, service: &str) -> String {
        let (site, tenant) = (SiteId::new("two").unwrap(), TenantId::new(tenant).unwrap());
        route(registry, &site, &tenant, service).unwrap_err().to_string()
    }

    #[test]
    fn what_the_registry_lacks_is_named() {
        let bare = registry(None, "gone");
        assert_eq!(refusal(&bare, "a", "tenants"), "no route: there is no active tenant gone");
        assert_eq!(refusal(&bare, "b", "files"), "no route: there is no active tenant b");
        assert!(refusal(&bare, "a", "sk").contains("tenant_base_url_template"));
        assert!(
            refusal(&registry(Some("${tenant_id}"), "a"), "a", "jobs")
                .contains("no usable tenant_base_url_template")
        );
    }

    #[test]
    fn a_registry_without_other_sites_needs_one_token() {
        let one = SiteId::new("one").unwrap();
        assert_eq!(token_sites(&registry(None, "a"), &one), [one]);
    }
}
