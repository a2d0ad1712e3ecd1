//! The current sites and tenants, and their records in the Tenants API.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::Uri;
use http::uri::Authority;
use serde_json::{Value, json};

use crate::envelope::ApiError;
use crate::keys::SigningKey;
use crate::tenant::{SiteSpec, TenantSpec, TenantStatus};

/// The creation time in every record of a devsite.
pub(crate) const CREATED: &str = "2025-01-01T00:00:00Z";

/// Changes of a record by a test: values that replace fields, and removed fields.
pub(crate) type Patch = BTreeMap<String, Option<Value>>;

/// A site and the changes of its record.
#[derive(Debug)]
pub(crate) struct SiteEntry {
    pub(crate) site: SiteSpec,
    pub(crate) patch: Patch,
}

impl SiteEntry {
    fn runs(&self, service: &str) -> bool {
        match self.patch.get("services") {
            Some(patched) => patched
                .as_ref()
                .and_then(Value::as_array)
                .is_some_and(|list| list.iter().any(|name| name == service)),
            None => self.site.services.iter().any(|name| name == service),
        }
    }
}

/// A tenant with its port and key, and the changes of its record.
#[derive(Debug)]
pub(crate) struct TenantEntry {
    pub(crate) tenant: TenantSpec,
    pub(crate) port: u16,
    pub(crate) key: Arc<SigningKey>,
    pub(crate) generation: u32,
    pub(crate) patch: Patch,
    /// Not listed, but its key still signs, so that tests can have tokens of a removed tenant.
    pub(crate) removed: bool,
}

impl TenantEntry {
    pub(crate) fn base_url(&self) -> String {
        self.tenant.base_url.clone().unwrap_or_else(|| format!("http://localhost:{}", self.port))
    }

    pub(crate) fn token_service(&self) -> String {
        let patched = self.patch.get("token_service").and_then(Option::as_ref).and_then(Value::as_str);
        patched.map_or_else(|| format!("{}/v3/tokens", self.base_url().trim_end_matches('/')), str::to_owned)
    }

    fn is_usable(&self) -> bool {
        !self.removed && self.tenant.status == TenantStatus::Active
    }

    fn record(&self) -> Value {
        let url = self.base_url();
        let base = url.trim_end_matches('/');
        let mut record = json!({
            "tenant_id": self.tenant.id, "base_url": url, "site_id": self.tenant.site,
            "status": self.tenant.status.as_str(), "token_service": self.token_service(),
            "security_kernel": format!("{base}/v3/security"), "authenticator": format!("{base}/v3/oauth2"),
            "owner": "owner@example.org", "admin_user": "admin", "token_gen_services": ["authenticator"],
            "public_key": self.tenant.publishes_key.then(|| self.key.public_pem()),
            "description": format!("Tenant {} of a development site", self.tenant.id),
            "service_ldap_connection_id": null, "user_ldap_connection_id": null,
            "created_by": "tenants@admin", "last_updated_by": "tenants@admin",
            "create_time": CREATED, "last_update_time": CREATED,
        });
        apply(&mut record, &self.patch);
        record
    }
}

#[derive(Debug)]
pub(crate) struct Registry {
    pub(crate) site_port: u16,
    pub(crate) sites: Vec<SiteEntry>,
    pub(crate) tenants: Vec<TenantEntry>,
}

impl Registry {
    pub(crate) fn tenant_records(&self) -> Vec<Value> {
        self.tenants.iter().filter(|entry| !entry.removed).map(TenantEntry::record).collect()
    }

    pub(crate) fn tenant_record(&self, id: &str) -> Option<Value> {
        self.tenant(id).filter(|entry| !entry.removed).map(TenantEntry::record)
    }

    pub(crate) fn site_records(&self) -> Vec<Value> {
        self.sites.iter().map(|entry| self.record_of_site(entry)).collect()
    }

    pub(crate) fn site_record(&self, id: &str) -> Option<Value> {
        self.site_entry(id).map(|entry| self.record_of_site(entry))
    }

    fn record_of_site(&self, entry: &SiteEntry) -> Value {
        let site = &entry.site;
        let base_url = if site.primary {
            format!("http://localhost:{}", self.site_port)
        } else {
            self.tenant(&site.admin_tenant).map(TenantEntry::base_url).unwrap_or_default()
        };
        let mut record = json!({
            "site_id": site.id, "primary": site.primary, "base_url": base_url,
            "site_admin_tenant_id": site.admin_tenant, "services": site.services,
            "tenant_base_url_template": site.primary.then(|| format!("http://${{tenant_id}}.localhost:{}", self.site_port)),
            "created_by": "tenants@admin", "last_updated_by": "tenants@admin",
            "create_time": CREATED, "last_update_time": CREATED,
        });
        apply(&mut record, &entry.patch);
        record
    }

    /// The tenant with this id, even if removed.
    pub(crate) fn tenant(&self, id: &str) -> Option<&TenantEntry> {
        self.tenants.iter().find(|entry| entry.tenant.id == id)
    }

    pub(crate) fn tenant_mut(&mut self, id: &str) -> Option<&mut TenantEntry> {
        self.tenants.iter_mut().find(|entry| entry.tenant.id == id && !entry.removed)
    }

    /// The tenant with this id, if it is registered and active (rule A5).
    pub(crate) fn active_tenant(&self, id: &str) -> Option<&TenantEntry> {
        self.tenant(id).filter(|entry| entry.is_usable())
    }

    pub(crate) fn site(&self, id: &str) -> Option<&SiteSpec> {
        self.site_entry(id).map(|entry| &entry.site)
    }

    /// Whether the site runs this service, by its current record.
    pub(crate) fn site_runs(&self, id: &str, service: &str) -> bool {
        self.site_entry(id).is_some_and(|entry| entry.runs(service))
    }

    fn site_entry(&self, id: &str) -> Option<&SiteEntry> {
        self.sites.iter().find(|entry| entry.site.id == id)
    }

    pub(crate) fn primary_site(&self) -> Option<&SiteSpec> {
        self.sites.iter().map(|entry| &entry.site).find(|site| site.primary)
    }

    /// Adds a service to those of the primary site.
    pub(crate) fn add_primary_service(&mut self, service: &str) {
        if let Some(entry) = self.sites.iter_mut().find(|entry| entry.site.primary)
            && !entry.site.services.iter().any(|known| known == service)
        {
            entry.site.services.push(service.to_owned());
        }
    }

    /// Resolves the Host of a request on this port.
    pub(crate) fn resolve_host(&self, host: Option<&str>, port: u16) -> Result<ResolvedHost, ApiError> {
        let authority = host.and_then(|host| host.parse::<Authority>().ok());
        let unknown = || ApiError::bad_request("Invalid request: the Host header matches no tenant.");
        let authority = authority.ok_or_else(unknown)?;
        if let Some(entry) = self.tenant_of_base_url(&authority) {
            return Ok(ResolvedHost::at(entry, true));
        }
        if let Some(id) = self.tenant_id_from_template(&authority) {
            let site = self.primary_site().map(|site| site.id.clone()).unwrap_or_default();
            let tenant = self.active_tenant(id).ok_or_else(unknown)?.tenant.id.clone();
            return Ok(ResolvedHost { tenant, named: true, site });
        }
        let entry =
            self.tenants.iter().find(|entry| entry.port == port).filter(|_| is_loopback(authority.host()));
        entry.map(|entry| ResolvedHost::at(entry, false)).ok_or_else(unknown)
    }

    fn tenant_of_base_url(&self, authority: &Authority) -> Option<&TenantEntry> {
        let mut usable = self.tenants.iter().filter(|entry| entry.is_usable());
        usable.find(|entry| entry.base_url().parse::<Uri>().is_ok_and(|url| same_authority(&url, authority)))
    }

    /// The `<id>` of a host `<id>.localhost:<site port>`.
    fn tenant_id_from_template<'a>(&self, authority: &'a Authority) -> Option<&'a str> {
        let id = authority.host().strip_suffix(".localhost")?;
        (authority.port_u16() == Some(self.site_port)).then_some(id)
    }
}

/// The tenant and site of a request, by its Host.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ResolvedHost {
    /// The tenant of the Host, otherwise of the port.
    pub(crate) tenant: String,
    /// Whether the Host names this tenant (rule H2); `127.0.0.1` names none (rule H4).
    pub(crate) named: bool,
    /// The site that serves the request: the primary one for its URL template, otherwise the tenant's own.
    pub(crate) site: String,
}

impl ResolvedHost {
    fn at(entry: &TenantEntry, named: bool) -> Self {
        Self { tenant: entry.tenant.id.clone(), named, site: entry.tenant.site.clone() }
    }
}

fn same_authority(url: &Uri, authority: &Authority) -> bool {
    let default = if url.scheme_str() == Some("https") { 443 } else { 80 };
    let host = url.host().is_some_and(|host| host.eq_ignore_ascii_case(authority.host()));
    host && url.port_u16().unwrap_or(default) == authority.port_u16().unwrap_or(default)
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Applies the changes of a test to a record.
fn apply(record: &mut Value, patch: &Patch) {
    let Some(fields) = record.as_object_mut() else { return };
    for (name, value) in patch {
        match value {
            Some(value) => fields.insert(name.clone(), value.clone()),
            None => fields.remove(name),
        };
    }
}
