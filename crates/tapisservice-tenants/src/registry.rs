//! A snapshot of all tenants and sites.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use foldhash::fast::RandomState;
use tapisservice_core::{SiteId, TenantId};

use crate::warnings::Warnings;
use crate::{Authority, RegistryData, RegistryRecord, Site, Tenant, parse_base_url};

/// All tenants and sites at one point in time; lookups are O(1).
#[derive(Debug, Default)]
pub struct Registry {
    sites: Map<SiteId, Arc<Site>>,
    primary: Option<Arc<Site>>,
    tenants: Map<TenantId, Arc<Tenant>>,
    hosts: Map<Authority<'static>, HostOwner>,
    warnings: Warnings,
}

/// A map with a fast hash, which saves 2 % of a request with a known token. Hash flooding is not possible: only the registry adds entries.
type Map<K, V> = HashMap<K, V, RandomState>;

#[derive(Debug, Clone)]
struct HostOwner {
    tenant_id: TenantId,
    default_port: u16,
}

/// Why a response is not a registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// It has no tenants.
    #[error("the response has no tenants")]
    NoTenants,
    /// It has no sites.
    #[error("the response has no sites")]
    NoSites,
    /// It has more of either than [`RegistryRecord::MAX_COUNT`].
    #[error("the response has more than {} records", RegistryRecord::MAX_COUNT)]
    TooManyRecords,
    /// None of its tenants is valid. Inactive tenants count as valid.
    #[error("the response has no valid tenant")]
    NoReadableTenant,
    /// None of its sites is valid.
    #[error("the response has no valid site")]
    NoReadableSite,
}

impl Registry {
    /// Builds a snapshot. An invalid record does not affect the others: the version of `previous` stays, or it is skipped, and a
    /// [warning](Self::warnings) names it (rule T4). Removed and inactive tenants disappear (rule T5), even the last one.
    ///
    /// The work is proportional to the records, which may be megabytes: do not run it on a worker thread of the runtime.
    ///
    /// # Errors
    ///
    /// When there are no tenants or no sites at all, or none that are valid: no Tapis installation looks like that, so the
    /// response is rejected. Also when there are too many.
    pub fn build(data: &RegistryData, previous: Option<&Self>) -> Result<Self, RegistryError> {
        if data.tenants.is_empty() {
            return Err(RegistryError::NoTenants);
        }
        if data.sites.is_empty() {
            return Err(RegistryError::NoSites);
        }
        if data.tenants.len().max(data.sites.len()) > RegistryRecord::MAX_COUNT {
            return Err(RegistryError::TooManyRecords);
        }
        let mut registry = Self::default();
        registry.add_sites(&data.sites, previous)?;
        registry.choose_primary(previous);
        let order = registry.add_tenants(&data.tenants, previous)?;
        registry.add_hosts(&order, previous);
        Ok(registry)
    }

    /// The tenant with this id.
    pub fn tenant(&self, tenant_id: &str) -> Option<&Arc<Tenant>> {
        self.tenants.get(tenant_id)
    }

    /// The tenant of a Host (rule H2), by the authority of its `base_url` or of the primary site's
    /// template.
    pub fn tenant_by_host(&self, host: &Authority<'_>) -> Option<&Arc<Tenant>> {
        let owner = self.host_owner(host).or_else(|| {
            let owner = self.host_owner(&host.without_port())?;
            (host.port() == Some(owner.default_port)).then_some(owner)
        })?;
        self.tenants.get(&owner.tenant_id)
    }

    fn host_owner<'a>(&'a self, host: &Authority<'a>) -> Option<&'a HostOwner> {
        // Covariance: a map of owned names is also a map of borrowed names.
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

    /// What is wrong with the records, at most 100 sentences.
    pub fn warnings(&self) -> &[String] {
        self.warnings.as_slice()
    }

    /// The number of warnings beyond those.
    pub fn omitted_warnings(&self) -> usize {
        self.warnings.omitted()
    }

    pub(crate) fn replace_tenant(&mut self, tenant: Arc<Tenant>) {
        self.tenants.insert(tenant.tenant_id().clone(), tenant);
    }

    pub(crate) fn drop_tenant(&mut self, tenant_id: &TenantId) {
        self.tenants.remove(tenant_id);
        self.hosts.retain(|_, owner| owner.tenant_id != *tenant_id);
    }

    pub(crate) fn warn(&mut self, warning: String) {
        self.warnings.add(warning);
    }

    fn add_sites(
        &mut self,
        records: &[RegistryRecord],
        previous: Option<&Self>,
    ) -> Result<(), RegistryError> {
        let mut readable = false;
        for (site_id, record) in self.identified(records, "site", Site::id_of) {
            let last_good = previous.and_then(|p| p.sites.get(&site_id)).cloned();
            let site = match record {
                Occurrence::Unique(record) => {
                    let unusable = |url| {
                        self.warn(format!("site {site_id}: ignoring {url}, which is not a valid URL"));
                    };
                    Site::from_record(site_id.clone(), record, unusable)
                        .map(Arc::new)
                        .map_err(|e| e.to_string())
                }
                Occurrence::Duplicate => Err(DUPLICATE_ID.to_owned()),
            };
            readable |= site.is_ok();
            let site = site.map_or_else(
                |fault| {
                    self.warn(format!("site {site_id}: {fault}; {}", fallback(last_good.is_some())));
                    last_good
                },
                Some,
            );
            self.sites.extend(site.map(|site| (site_id, site)));
        }
        if readable { Ok(()) } else { Err(RegistryError::NoReadableSite) }
    }

    /// Exactly one site is primary. If the response has none or several, the last valid one stays, otherwise the first is used.
    fn choose_primary(&mut self, previous: Option<&Self>) {
        let mut primaries: Vec<_> = self.sites.values().filter(|s| s.primary).cloned().collect();
        primaries.sort_by(|a, b| a.site_id.cmp(&b.site_id));
        if primaries.len() != 1 {
            self.warn(format!("expected one primary site, found {}", primaries.len()));
        }
        let last_good = previous.and_then(Self::primary).and_then(|p| self.sites.get(&p.site_id)).cloned();
        self.primary = match primaries.len() {
            1 => primaries.pop(),
            _ => last_good.or_else(|| primaries.into_iter().next()),
        };
    }

    /// Adds the tenants and returns their ids in the order of the response.
    fn add_tenants(
        &mut self,
        records: &[RegistryRecord],
        previous: Option<&Self>,
    ) -> Result<Vec<TenantId>, RegistryError> {
        let mut readable = false;
        let mut order = Vec::new();
        for (tenant_id, record) in self.identified(records, "tenant", Tenant::id_of) {
            let last_good =
                previous.and_then(|p| p.tenants.get(&tenant_id)).map(|t| self.with_current_site(t));
            let tenant = match record {
                Occurrence::Unique(record) => {
                    let site = |site: &str| self.sites.get(site).cloned();
                    Tenant::from_record(&tenant_id, record, last_good.as_ref(), site)
                        .map_err(|e| e.to_string())
                }
                Occurrence::Duplicate => Err(DUPLICATE_ID.to_owned()),
            };
            readable |= tenant.is_ok();
            let tenant = tenant.unwrap_or_else(|fault| {
                self.warn(format!("tenant {tenant_id}: {fault}; {}", fallback(last_good.is_some())));
                last_good
            });
            if let Some(tenant) = tenant {
                order.push(tenant_id.clone());
                self.tenants.insert(tenant_id, Arc::new(tenant));
            }
        }
        if readable { Ok(order) } else { Err(RegistryError::NoReadableTenant) }
    }

    /// The records by id, each id once and in the order of the response.
    fn identified<'r, I: Clone + Eq + Hash>(
        &mut self,
        records: &'r [RegistryRecord],
        kind: &str,
        id_of: impl Fn(&RegistryRecord) -> Option<I>,
    ) -> Vec<(I, Occurrence<'r>)> {
        let mut indices: Map<I, usize> = Map::default();
        let mut listed: Vec<(I, Occurrence<'_>)> = Vec::with_capacity(records.len());
        for record in records {
            let Some(id) = id_of(record) else {
                self.warn(format!("skipping a {kind} record without a valid {kind}_id"));
                continue;
            };
            if let Some(index) = indices.get(&id) {
                listed[*index].1 = Occurrence::Duplicate;
            } else {
                indices.insert(id.clone(), listed.len());
                listed.push((id, Occurrence::Unique(record)));
            }
        }
        listed
    }

    /// A tenant of the previous snapshot, with the current record of its site.
    fn with_current_site(&self, tenant: &Tenant) -> Tenant {
        let site = self.sites.get(&tenant.site.site_id).unwrap_or(&tenant.site).clone();
        Tenant { site, ..tenant.clone() }
    }

    /// Base URLs first, then the primary site's template. An authority has one owner: the last valid one, otherwise the first.
    fn add_hosts(&mut self, order: &[TenantId], previous: Option<&Self>) {
        let template = |id: &TenantId| {
            let url = self.primary.as_ref()?.tenant_base_url(id)?;
            Authority::of_url(&parse_base_url(&url)?)
        };
        let by_base_url = order.iter().map(|id| (id, self.tenants[id].authority.clone()));
        let by_template = order.iter().filter_map(|id| Some((id, template(id)?)));
        let claims: Vec<_> = by_base_url.chain(by_template).map(|(id, a)| (id.clone(), a)).collect();
        // In the order of the response, so that the same response gives the same warnings.
        let mut indices: HashMap<Authority<'static>, usize> = HashMap::new();
        let mut claimants: Vec<(Authority<'static>, Vec<HostOwner>)> = Vec::new();
        for (tenant_id, (authority, default_port)) in claims {
            let owner = HostOwner { tenant_id, default_port };
            if let Some(index) = indices.get(&authority) {
                claimants[*index].1.push(owner);
            } else {
                indices.insert(authority.clone(), claimants.len());
                claimants.push((authority, vec![owner]));
            }
        }
        for (authority, mut owners) in claimants {
            owners.dedup_by(|a, b| a.tenant_id == b.tenant_id);
            let last_good = previous.and_then(|p| p.hosts.get(&authority)).map(|o| &o.tenant_id);
            let position = owners.iter().position(|o| Some(&o.tenant_id) == last_good).unwrap_or(0);
            let owner = owners.swap_remove(position);
            for other in owners.iter().filter(|o| o.tenant_id != owner.tenant_id) {
                self.warnings.add(format!(
                    "tenants {} and {} have the same host {authority}: using {}",
                    owner.tenant_id, other.tenant_id, owner.tenant_id
                ));
            }
            self.hosts.insert(authority, owner);
        }
    }
}

/// How often a response lists an id.
enum Occurrence<'r> {
    Unique(&'r RegistryRecord),
    /// It is unknown which of the records is right, so none is used.
    Duplicate,
}

const DUPLICATE_ID: &str = "it is listed more than once";

fn fallback(has_last_good: bool) -> &'static str {
    if has_last_good { "keeping its last valid record" } else { "skipping it" }
}
