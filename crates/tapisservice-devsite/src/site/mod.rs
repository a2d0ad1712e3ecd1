mod changes;
mod faults;
mod tokens;

use std::fmt;
use std::sync::Arc;

use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::DevSiteError;
use crate::builder::DevSiteBuilder;
use crate::dispatch::Dispatcher;
use crate::registry::TenantEntry;
use crate::serve::Tasks;
use crate::state::SiteState;
use crate::topology::check_id;

/// A running Tapis site. Dropping it closes its ports; [`stop`](Self::stop) lets requests in flight finish first.
pub struct DevSite {
    pub(crate) dispatcher: Dispatcher,
    pub(crate) tasks: Tasks,
}

/// Starting, addresses, stopping.
impl DevSite {
    /// Begins a site with the usual sites, tenants, users and systems.
    pub fn builder() -> DevSiteBuilder {
        DevSiteBuilder::new()
    }

    pub(crate) fn new(dispatcher: Dispatcher, tasks: Tasks) -> Self {
        Self { dispatcher, tasks }
    }

    pub(crate) fn state(&self) -> &Arc<SiteState> {
        &self.dispatcher.state
    }

    /// The site port: that of the first tenant. Every port answers on 127.0.0.1 and, where there is one, `::1`.
    pub fn port(&self) -> u16 {
        self.state().registry().site_port
    }

    /// `http://localhost:<site port>`, which is also the base URL of the first tenant unless that was given another.
    pub fn url(&self) -> String {
        format!("http://localhost:{}", self.port())
    }

    /// The base URL of a tenant; `None` when there is no such tenant.
    pub fn tenant_url(&self, tenant: &str) -> Option<String> {
        self.state().registry().tenant(tenant).filter(|entry| !entry.removed).map(TenantEntry::base_url)
    }

    /// The ids of the tenants, in the order of their ports.
    pub fn tenant_ids(&self) -> Vec<String> {
        let registry = self.state().registry();
        registry.tenants.iter().filter(|entry| !entry.removed).map(|entry| entry.tenant.id.clone()).collect()
    }

    /// What a service of the primary site is given as `primary_site_admin_tenant_base_url`.
    pub fn primary_site_admin_tenant_base_url(&self) -> String {
        let registry = self.state().registry();
        let admin = registry.primary_site().and_then(|site| registry.tenant(&site.admin_tenant));
        admin.map(TenantEntry::base_url).unwrap_or_default()
    }

    /// The public key of a tenant, in PEM; `None` when there is no such tenant.
    pub fn public_key(&self, tenant: &str) -> Option<String> {
        self.state().registry().tenant(tenant).map(|entry| entry.key.public_pem().to_owned())
    }

    /// The configuration with which a service of the primary site runs here: `service_name`, `service_password`,
    /// `service_site_id`, `service_tenant_id`, `tenants`, `primary_site_admin_tenant_base_url` and `server`.
    ///
    /// A service that was not known gets a password and is listed among the primary site's services.
    ///
    /// # Errors
    ///
    /// [`DevSiteError::InvalidId`] when the name is no id.
    pub fn config_json(&self, service: &str) -> Result<Value, DevSiteError> {
        check_id(service)?;
        self.state().registry_mut().add_primary_service(service);
        let site = self.state().registry().primary_site().map(|site| site.id.clone()).unwrap_or_default();
        self.config_json_at(service, &site)
    }

    /// As [`config_json`](Self::config_json), for a service that runs at `site`; the site's list of services stays.
    ///
    /// # Errors
    ///
    /// [`DevSiteError::InvalidId`] when the name is no id, [`DevSiteError::UnknownSite`] when there is no such site.
    pub fn config_json_at(&self, service: &str, site: &str) -> Result<Value, DevSiteError> {
        check_id(service)?;
        let registry = self.state().registry();
        let tenant = registry
            .site(site)
            .ok_or_else(|| DevSiteError::UnknownSite(site.to_owned()))?
            .admin_tenant
            .clone();
        drop(registry);
        Ok(json!({
            "service_name": service,
            "service_password": self.state().accounts.register_service(service).expose_secret(),
            "service_site_id": site,
            "service_tenant_id": tenant,
            "tenants": ["*"],
            "primary_site_admin_tenant_base_url": self.primary_site_admin_tenant_base_url(),
            "server": "dev",
        }))
    }

    /// Takes no more requests, waits up to two seconds for those in flight, and ends.
    pub async fn stop(self) {
        self.tasks.stop().await;
    }
}

/// The router in front of services.
impl DevSite {
    /// Passes requests for `/v3/<service>` and below, on every port, on to `http://host:port`, and lists the service
    /// at the primary site. A route replaces the site's own API of that name.
    ///
    /// # Errors
    ///
    /// [`DevSiteError::InvalidUpstream`] when the upstream is anything else, [`DevSiteError::InvalidId`] when the name is no id.
    pub fn route_to(&self, service: &str, upstream: &str) -> Result<(), DevSiteError> {
        check_id(service)?;
        self.state().proxy.route(service, upstream)?;
        self.state().registry_mut().add_primary_service(service);
        Ok(())
    }

    /// Takes a route away.
    pub fn remove_route(&self, service: &str) {
        self.state().proxy.remove_route(service);
    }
}

impl fmt::Debug for DevSite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DevSite")
            .field("url", &self.url())
            .field("tenants", &self.tenant_ids())
            .finish_non_exhaustive()
    }
}
