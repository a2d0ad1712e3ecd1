//! One snapshot of all tenants and sites.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use foldhash::fast::RandomState;
use tapisservice_core::{SiteId, TenantId};

use crate::warnings::Warnings;
use crate::{Authority, RegistryData, RegistryRecord, Site, Tenant, parse_base_url};

/// All tenants and sites at one moment; lookups are O(1).
#[derive(Debug, Default)]
pub struct Registry {
    sites: Map<SiteId, Arc<Site>>,
    primary: Option<Arc<Site>>,
    tenants: Map<TenantId, Arc<Tenant>>,
    hosts: Map<Authority<'static>, HostOwner>,
    warnings: Warnings,
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
    #[error("the response has no tenants")]
    NoTenants,
    /// No sites in it.
    #[error("the response has no sites")]
    NoSites,
    /// More of either than [`RegistryRecord::MAX_COUNT`].
    #[error("the response has more than {} records", RegistryRecord::MAX_COUNT)]
    TooManyRecords,
    /// Not one of its tenants can be read. One that can, and is not active, is no fault.
    #[error("the response has no valid tenant")]
    NoReadableTenant,
    /// Not one of its sites can be read.
    #[error("the response has no valid site")]
    NoReadableSite,
}

impl Registry {
    /// Builds a snapshot. A bad record does not break the others: it keeps its version of `previous`, or is left out, and a
    /// [warning](Self::warnings) names it (rule T4). Tenants that are gone or not active are gone (rule T5), be it the last one.
    ///
    /// The work is proportional to the records, of which there may be megabytes: not for a worker of the runtime.
    ///
    /// # Errors
    ///
    /// When there are no tenants or no sites at all, or none that can be read: no Tapis installation is like that, so the answer is
    /// refused. Also when there are too many.
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

    /// The tenant a request with this Host is for (rule H2): by the authority of its `base_url`, or of the primary site's
    /// template.
    pub fn tenant_by_host(&self, host: &Authority<'_>) -> Option<&Arc<Tenant>> {
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

    /// What is wrong with the records, one sentence each; at most 100.
    pub fn warnings(&self) -> &[String] {
        self.warnings.kept()
    }

    /// How many more warnings there were.
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
                Listed::Unique(record) => {
                    let unusable = |url| {
                        self.warn(format!("site {site_id}: ignoring {url}, which is not a valid URL"));
                    };
                    Site::from_record(site_id.clone(), record, unusable)
                        .map(Arc::new)
                        .map_err(|e| e.to_string())
                }
                Listed::Duplicate => Err(LISTED_TWICE.to_owned()),
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

    /// One site is primary: where the answer says none or several, the last good one stays, else the first.
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

    /// The tenants that were added, in the order of the answer.
    fn add_tenants(
        &mut self,
        records: &[RegistryRecord],
        previous: Option<&Self>,
    ) -> Result<Vec<TenantId>, RegistryError> {
        let mut readable = false;
        let mut order = Vec::new();
        for (tenant_id, record) in self.identified(records, "tenant", Tenant::id_of) {
            let last_good = previous.and_then(|p| p.tenants.get(&tenant_id)).map(|t| self.relinked(t));
            let tenant = match record {
                Listed::Unique(record) => {
                    let site = |site: &str| self.sites.get(site).cloned();
                    Tenant::from_record(&tenant_id, record, last_good.as_ref(), site)
                        .map_err(|e| e.to_string())
                }
                Listed::Duplicate => Err(LISTED_TWICE.to_owned()),
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

    /// The records by their ids, each id once and in the order of the answer.
    fn identified<'r, I: Clone + Eq + Hash>(
        &mut self,
        records: &'r [RegistryRecord],
        kind: &str,
        id_of: impl Fn(&RegistryRecord) -> Option<I>,
    ) -> Vec<(I, Listed<'r>)> {
        let mut places: Map<I, usize> = Map::default();
        let mut listed: Vec<(I, Listed<'_>)> = Vec::with_capacity(records.len());
        for record in records {
            let Some(id) = id_of(record) else {
                self.warn(format!("skipping a {kind} record without a valid {kind}_id"));
                continue;
            };
            if let Some(place) = places.get(&id) {
                listed[*place].1 = Listed::Duplicate;
            } else {
                places.insert(id.clone(), listed.len());
                listed.push((id, Listed::Unique(record)));
            }
        }
        listed
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
            Authority::of_url(&parse_base_url(&url)?)
        };
        let by_base_url = order.iter().map(|id| (id, self.tenants[id].authority.clone()));
        let by_template = order.iter().filter_map(|id| Some((id, template(id)?)));
        let claims: Vec<_> = by_base_url.chain(by_template).map(|(id, a)| (id.clone(), a)).collect();
        // In the order of the answer, so that the same answer gives the same warnings.
        let mut places: HashMap<Authority<'static>, usize> = HashMap::new();
        let mut claimants: Vec<(Authority<'static>, Vec<HostOwner>)> = Vec::new();
        for (tenant_id, (authority, default_port)) in claims {
            let owner = HostOwner { tenant_id, default_port };
            if let Some(place) = places.get(&authority) {
                claimants[*place].1.push(owner);
            } else {
                places.insert(authority.clone(), claimants.len());
                claimants.push((authority, vec![owner]));
            }
        }
        for (authority, mut owners) in claimants {
            owners.dedup_by(|a, b| a.tenant_id == b.tenant_id);
            let last_good = previous.and_then(|p| p.hosts.get(&authority)).map(|o| &o.tenant_id);
            let kept = owners.iter().position(|o| Some(&o.tenant_id) == last_good).unwrap_or(0);
            let owner = owners.swap_remove(kept);
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

/// How an answer lists an id.
enum Listed<'r> {
    Unique(&'r RegistryRecord),
    /// Which of its records counts is anybody's guess, so none does.
    Duplicate,
}

const LISTED_TWICE: &str = "it is listed more than once";

fn fallback(has_last_good: bool) -> &'static str {
    if has_last_good { "keeping its last valid record" } else { "skipping it" }
}
