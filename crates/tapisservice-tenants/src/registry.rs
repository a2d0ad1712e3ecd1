//! One snapshot of all tenants and sites.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use foldhash::fast::RandomState;
use serde_json::Value;
use tapisservice_core::{SiteId, TenantId};
use url::Url;

use crate::{Authority, RegistryData, Site, Tenant};

/// All tenants and sites at one moment; lookups are O(1).
#[derive(Debug, Default)]
pub struct Registry {
    sites: Map<SiteId, Arc<Site>>,
    primary: Option<Arc<Site>>,
    tenants: Map<TenantId, Arc<Tenant>>,
    hosts: Map<Authority<'static>, HostOwner>,
    warnings: Vec<String>,
}

/// A map with a fast hash. A caller who knew of names with one hash could not use them: only the registry adds any.
type Map<K, V> = HashMap<K, V, RandomState>;

#[derive(Debug, Clone)]
struct HostOwner {
    tenant_id: TenantId,
    default_port: u16,
}

/// An answer that is no registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// No tenants in it.
    #[error("the answer holds no tenants")]
    NoTenants,
    /// No sites in it.
    #[error("the answer holds no sites")]
    NoSites,
    /// Not one of its tenants can be used.
    #[error("the answer holds no usable tenant")]
    NoUsableTenant,
}

impl Registry {
    /// Builds a snapshot. A bad record does not break the others: it keeps its version of `previous`, or is left out, and a
    /// [warning](Self::warnings) names it (rule T4). Tenants that are gone or not active are gone (rule T5).
    ///
    /// # Errors
    ///
    /// When there are no tenants or no sites at all: no Tapis installation is like that, so the answer is refused.
    pub fn build(data: &RegistryData, previous: Option<&Self>) -> Result<Self, RegistryError> {
        let mut registry = Self::default();
        if data.tenants.is_empty() {
            return Err(RegistryError::NoTenants);
        }
        if data.sites.is_empty() {
            return Err(RegistryError::NoSites);
        }
        registry.add_sites(&data.sites, previous);
        registry.choose_primary(previous);
        let order = registry.add_tenants(&data.tenants, previous);
        registry.add_hosts(&order, previous);
        if registry.tenants.is_empty() {
            return Err(RegistryError::NoUsableTenant);
        }
        Ok(registry)
    }

    /// The tenant with this id.
    pub fn tenant(&self, tenant_id: &str) -> Option<&Arc<Tenant>> {
        self.tenants.get(tenant_id)
    }

    /// The tenant a request with this Host is for (rule H2): by the authority of its `base_url`, or of the primary site's
    /// template.
    pub fn tenant_of_host(&self, host: &Authority<'_>) -> Option<&Arc<Tenant>> {
        let owner = self.host_owner(host).or_else(|| {
            let owner = self.host_owner(&host.without_port())?;
            (host.port() == Some(owner.default_port)).then_some(owner)
        })?;
        self.tenants.get(&owner.tenant_id)
    }

    fn host_owner<'a>(&'a self, host: &Authority<'a>) -> Option<&'a HostOwner> {
        // A map of owned names is one of borrowed names too.
        let hosts: &Map<Authority<'a>, HostOwner> = &self.hosts;
        hosts.get(host)
    }

    /// The site with this id.
    pub fn site(&self, site_id: &str) -> Option<&Arc<Site>> {
        self.sites.get(site_id)
    }

    /// The primary site.
    pub fn primary(&self) -> Option<&Arc<Site>> {
        self.primary.as_ref()
    }

    /// All tenants, in no particular order.
    pub fn tenants(&self) -> impl ExactSizeIterator<Item = &Arc<Tenant>> {
        self.tenants.values()
    }

    /// What is wrong with the records, one sentence each.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    pub(crate) fn replace_tenant(&mut self, tenant: Arc<Tenant>) {
        self.tenants.insert(tenant.tenant_id().clone(), tenant);
    }

    pub(crate) fn drop_tenant(&mut self, tenant_id: &TenantId) {
        self.tenants.remove(tenant_id);
        self.hosts.retain(|_, owner| owner.tenant_id != *tenant_id);
    }

    pub(crate) fn warn(&mut self, warning: String) {
        self.warnings.push(warning);
    }

    fn add_sites(&mut self, records: &[Value], previous: Option<&Self>) {
        let duplicates = duplicates(records, "site_id");
        for record in records {
            let Ok(site_id) = Site::id_of(record) else {
                self.warn("a site record has no usable site_id and is left out".to_owned());
                continue;
            };
            let last_good = || previous.and_then(|p| p.sites.get(&site_id)).cloned();
            let site = if duplicates.contains(site_id.as_str()) {
                self.warn(format!(
                    "site {site_id} is listed more than once: keeping its last good record, else the first"
                ));
                last_good().or_else(|| Site::from_record(record).ok().map(Arc::new))
            } else {
                Site::from_record(record).map(Arc::new).map_or_else(
                    |e| {
                        self.warn(format!("site {site_id}: {e}"));
                        last_good()
                    },
                    Some,
                )
            };
            if let Some(site) = site {
                self.sites.entry(site_id).or_insert(site);
            }
        }
    }

    /// One site is primary: where the answer says none or several, the last good one stays, else the first.
    fn choose_primary(&mut self, previous: Option<&Self>) {
        let mut primaries: Vec<_> = self.sites.values().filter(|s| s.primary).cloned().collect();
        primaries.sort_by(|a, b| a.site_id.cmp(&b.site_id));
        if primaries.len() != 1 {
            self.warn(format!("{} sites say that they are the primary site", primaries.len()));
        }
        let last_good = previous.and_then(Self::primary).and_then(|p| self.sites.get(&p.site_id)).cloned();
        self.primary = match primaries.len() {
            1 => primaries.pop(),
            _ => last_good.or_else(|| primaries.into_iter().next()),
        };
    }

    fn add_tenants(&mut self, records: &[Value], previous: Option<&Self>) -> Vec<TenantId> {
        let duplicates = duplicates(records, "tenant_id");
        let mut order = Vec::with_capacity(records.len());
        for record in records {
            let Ok(tenant_id) = Tenant::id_of(record) else {
                self.warn("a tenant record has no usable tenant_id and is left out".to_owned());
                continue;
            };
            if self.tenants.contains_key(&tenant_id) {
                continue;
            }
            let duplicate = duplicates.contains(tenant_id.as_str());
            if let Some(tenant) = self.tenant_of(&tenant_id, record, duplicate, previous) {
                order.push(tenant_id.clone());
                self.tenants.insert(tenant_id, Arc::new(tenant));
            }
        }
        order
    }

    fn tenant_of(
        &mut self,
        id: &TenantId,
        record: &Value,
        duplicate: bool,
        previous: Option<&Self>,
    ) -> Option<Tenant> {
        let last_good = previous.and_then(|p| p.tenants.get(id)).map(|t| self.relinked(t));
        if duplicate {
            self.warn(format!(
                "tenant {id} is listed more than once: keeping its last good record, else the first"
            ));
            if last_good.is_some() {
                return last_good;
            }
        }
        let read = match Tenant::is_active(record) {
            Ok(false) => return None,
            Ok(true) => Tenant::from_record(record, last_good.as_ref(), |site| self.sites.get(site).cloned()),
            Err(error) => Err(error),
        };
        read.map_or_else(
            |error| {
                let kept =
                    if last_good.is_some() { "its last good record stays in use" } else { "it is left out" };
                self.warn(format!("tenant {id}: {error}; {kept}"));
                last_good
            },
            Some,
        )
    }

    /// A tenant of an earlier snapshot, with what is known of its site now.
    fn relinked(&self, tenant: &Tenant) -> Tenant {
        let site = self.sites.get(&tenant.site.site_id).unwrap_or(&tenant.site).clone();
        Tenant { site, ..tenant.clone() }
    }

    /// Base URLs first, then the primary site's template; an authority has one owner: the last good one, else the first.
    fn add_hosts(&mut self, order: &[TenantId], previous: Option<&Self>) {
        let template = |id: &TenantId| {
            let url = self.primary.as_ref()?.tenant_base_url(id)?;
            Authority::of_url(&Url::parse(&url).ok()?)
        };
        let by_base_url = order.iter().map(|id| (id, self.tenants[id].authority.clone()));
        let by_template = order.iter().filter_map(|id| Some((id, template(id)?)));
        let claims: Vec<_> = by_base_url.chain(by_template).map(|(id, a)| (id.clone(), a)).collect();
        let mut claimants: HashMap<Authority<'static>, Vec<HostOwner>> = HashMap::new();
        for (tenant_id, (authority, default_port)) in claims {
            claimants.entry(authority).or_default().push(HostOwner { tenant_id, default_port });
        }
        for (authority, mut owners) in claimants {
            owners.dedup_by(|a, b| a.tenant_id == b.tenant_id);
            let last_good = previous.and_then(|p| p.hosts.get(&authority)).map(|o| &o.tenant_id);
            let kept = owners.iter().position(|o| Some(&o.tenant_id) == last_good).unwrap_or(0);
            let owner = owners.swap_remove(kept);
            for other in owners.iter().filter(|o| o.tenant_id != owner.tenant_id) {
                self.warnings.push(format!(
                    "tenants {} and {} share the host {authority}: it belongs to {}",
                    owner.tenant_id, other.tenant_id, owner.tenant_id
                ));
            }
            self.hosts.insert(authority, owner);
        }
    }
}

fn duplicates<'a>(records: &'a [Value], id: &str) -> HashSet<&'a str> {
    let mut seen = HashSet::new();
    records.iter().filter_map(|r| r.get(id)?.as_str()).filter(|id| !seen.insert(*id)).collect()
}
