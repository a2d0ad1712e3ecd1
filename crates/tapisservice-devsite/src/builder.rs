use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use secrecy::SecretString;

use crate::account::{Accounts, SERVICE_PASSWORD};
use crate::api;
use crate::dispatch::Dispatcher;
use crate::fault::Faults;
use crate::keys::KeySource;
use crate::listener::Listener;
use crate::proxy::Proxy;
use crate::registry::{Patch, Registry, SiteEntry, TenantEntry};
use crate::request_counts::RequestCounts;
use crate::serve::Tasks;
use crate::state::{Roles, SiteState};
use crate::system::System;
use crate::tenant::{SiteSpec, TenantSpec};
use crate::topology;
use crate::{DevSite, DevSiteError};

/// The role of a tenant's administrators in the Security Kernel.
pub(crate) const TENANT_ADMIN: &str = "$!tenant_admin";

/// Builds a [`DevSite`]; from [`DevSite::builder`].
///
/// By default it has the primary site `tacc` (tenants `tacc`, `admin`, `dev`) and the associate site `uh`
/// (tenants `uh`, `adminuh`); the users `alice`, `bob` and `admin`, all with the password `secret`, where `admin` is
/// tenant administrator of every tenant; the OAuth client `devsite-client` with the key `devsite-client-key`; the systems
/// `workstation` (for everybody) and `alice-private` (for `alice`) in every tenant; free ports, and keys in memory.
/// Services listed by the sites have the password `devsite-service`.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `start`"]
pub struct DevSiteBuilder {
    server: Option<String>,
    first_port: u16,
    keys: KeySource,
    sites: Vec<SiteSpec>,
    tenants: Vec<TenantSpec>,
    users: HashMap<String, SecretString>,
    clients: HashMap<String, SecretString>,
    services: HashMap<String, SecretString>,
    roles: Vec<(String, String, String)>,
    systems: Vec<System>,
}

impl DevSiteBuilder {
    pub(crate) fn new() -> Self {
        let secret = || SecretString::from("secret");
        let tenant = |(id, site)| TenantSpec::new(id, site);
        let tenants = [("tacc", "tacc"), ("admin", "tacc"), ("dev", "tacc"), ("uh", "uh"), ("adminuh", "uh")];
        Self {
            server: None,
            first_port: 0,
            keys: KeySource::Shared,
            sites: vec![SiteSpec::primary("tacc", "admin"), SiteSpec::associate("uh", "adminuh")],
            tenants: tenants.map(tenant).to_vec(),
            users: ["alice", "bob", "admin"].map(|name| (name.to_owned(), secret())).into(),
            clients: [("devsite-client".to_owned(), "devsite-client-key".into())].into(),
            services: HashMap::new(),
            roles: Vec::new(),
            systems: vec![
                System::new("workstation", "admin").public(),
                System::new("alice-private", "alice"),
            ],
        }
    }

    /// Sets the `server` setting of the service that uses the site. Required: the site starts only for `dev`,
    /// so that a production configuration can never enable well-known passwords.
    pub fn server(mut self, server: impl Into<String>) -> Self {
        self.server = Some(server.into());
        self
    }

    /// Sets the site port; the other tenants get the following ports. With 0, the default, all ports are free ones.
    pub fn first_port(mut self, port: u16) -> Self {
        self.first_port = port;
        self
    }

    /// Stores the keys in this folder (mode 0700, files 0600, created if missing), so that tokens stay valid after a restart.
    pub fn key_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.keys = KeySource::Folder(folder.into());
        self
    }

    /// Generates new keys for this site only, instead of the set that all sites of the process share.
    pub fn fresh_keys(mut self) -> Self {
        self.keys = KeySource::Fresh;
        self
    }

    /// Replaces the sites. Exactly one is primary; name their tenants with [`tenants`](Self::tenants).
    pub fn sites(mut self, sites: impl IntoIterator<Item = SiteSpec>) -> Self {
        self.sites = sites.into_iter().collect();
        self
    }

    /// Replaces the tenants. The first one gets the site port, and must not be a site-admin tenant.
    pub fn tenants(mut self, tenants: impl IntoIterator<Item = TenantSpec>) -> Self {
        self.tenants = tenants.into_iter().collect();
        self
    }

    /// Adds a tenant.
    pub fn tenant(mut self, tenant: TenantSpec) -> Self {
        self.tenants.push(tenant);
        self
    }

    /// Adds a user to all tenants, or changes a user's password.
    pub fn user(mut self, name: impl Into<String>, password: impl Into<String>) -> Self {
        self.users.insert(name.into(), SecretString::from(password.into()));
        self
    }

    /// Adds an OAuth client to all tenants, or changes a client's key.
    pub fn client(mut self, id: impl Into<String>, key: impl Into<String>) -> Self {
        self.clients.insert(id.into(), SecretString::from(key.into()));
        self
    }

    /// Adds a service with its password, and lists it at the primary site.
    pub fn service(mut self, name: impl Into<String>, password: impl Into<String>) -> Self {
        self.services.insert(name.into(), SecretString::from(password.into()));
        self
    }

    /// Grants a role to a user in a tenant.
    pub fn role(
        mut self,
        tenant: impl Into<String>,
        user: impl Into<String>,
        role: impl Into<String>,
    ) -> Self {
        self.roles.push((tenant.into(), user.into(), role.into()));
        self
    }

    /// Adds a system.
    pub fn system(mut self, system: System) -> Self {
        self.systems.push(system);
        self
    }

    /// Opens the ports and starts to serve.
    ///
    /// # Errors
    ///
    /// [`DevSiteError::ServerNotStated`] or [`DevSiteError::NotDevelopment`] unless [`server`](Self::server) said `dev`;
    /// [`DevSiteError::PortTaken`] when a fixed port is in use; others when sites and tenants are inconsistent or the
    /// keys cannot be stored.
    pub async fn start(self) -> Result<DevSite, DevSiteError> {
        self.check()?;
        let listeners = self.bind_ports().await?;
        let registry = self.registry(&listeners).await?;
        let state = Arc::new(self.into_state(registry));
        let dispatcher = Dispatcher { api: api::router(Arc::clone(&state)), state };
        let tasks = Tasks::new();
        for listener in listeners {
            tasks.serve(listener, &dispatcher);
        }
        Ok(DevSite::new(dispatcher, tasks))
    }

    /// Checks that the settings are consistent, without opening a port or reading a file.
    ///
    /// # Errors
    ///
    /// Those of [`start`](Self::start) that do not depend on the machine.
    pub fn check(&self) -> Result<(), DevSiteError> {
        self.check_server()?;
        self.check_topology()?;
        self.last_port().map(drop).ok_or(DevSiteError::PortRange(self.first_port))
    }

    /// Whether a listener at this address would conflict with one of the site, which listens on both
    /// loopback addresses. Port 0 never conflicts.
    ///
    /// ```
    /// use tapisservice_devsite::DevSite;
    ///
    /// let site = DevSite::builder().first_port(5080);
    /// let clashes = |address: &str| site.conflicts_with(address.parse().unwrap());
    /// assert!(clashes("127.0.0.1:5080") && clashes("0.0.0.0:5084") && clashes("[::1]:5082"));
    /// assert!(!clashes("127.0.0.1:5085") && !clashes("192.0.2.1:5080") && !clashes("127.0.0.1:0"));
    /// ```
    pub fn conflicts_with(&self, address: SocketAddr) -> bool {
        let ip = address.ip().to_canonical();
        let meets_loopback = ip.is_unspecified()
            || ip == IpAddr::from(Ipv4Addr::LOCALHOST)
            || ip == IpAddr::from(Ipv6Addr::LOCALHOST);
        let ports = self.first_port..=self.last_port().unwrap_or(u16::MAX);
        self.first_port != 0 && address.port() != 0 && meets_loopback && ports.contains(&address.port())
    }

    fn last_port(&self) -> Option<u16> {
        let ports = u16::try_from(self.tenants.len()).ok()?;
        self.first_port.checked_add(ports.saturating_sub(1))
    }

    fn check_server(&self) -> Result<(), DevSiteError> {
        match self.server.as_deref() {
            Some("dev") => Ok(()),
            Some(other) => Err(DevSiteError::NotDevelopment(other.to_owned())),
            None => Err(DevSiteError::ServerNotStated),
        }
    }

    fn check_topology(&self) -> Result<(), DevSiteError> {
        topology::check(&self.sites, &self.tenants)?;
        self.services.keys().try_for_each(|name| topology::check_id(name))?;
        let known = |id: &str| self.tenants.iter().any(|tenant| tenant.id == id);
        let orphan = self.roles.iter().find(|(tenant, _, _)| !known(tenant));
        orphan.map_or(Ok(()), |(tenant, _, _)| Err(DevSiteError::UnknownTenant(tenant.clone())))
    }

    async fn bind_ports(&self) -> Result<Vec<Listener>, DevSiteError> {
        let mut listeners = Vec::with_capacity(self.tenants.len());
        for (tenant, offset) in self.tenants.iter().zip(0_u16..) {
            listeners.push(match self.first_port {
                0 => Listener::open_any().await.map_err(DevSiteError::Bind)?,
                first => open_fixed(first, offset, &tenant.id).await?,
            });
        }
        Ok(listeners)
    }

    async fn registry(&self, listeners: &[Listener]) -> Result<Registry, DevSiteError> {
        let ids: Vec<_> = self.tenants.iter().map(|tenant| tenant.id.as_str()).collect();
        let keys = self.keys.first(&ids).await?;
        let entry = |((tenant, listener), key): ((&TenantSpec, &Listener), _)| TenantEntry {
            tenant: tenant.clone(),
            port: listener.port,
            key,
            generation: 0,
            patch: Patch::new(),
            removed: false,
        };
        let tenants = self.tenants.iter().zip(listeners).zip(keys).map(entry).collect();
        let sites =
            self.sites.iter().map(|site| SiteEntry { site: site.clone(), patch: Patch::new() }).collect();
        let site_port = listeners.first().map(|listener| listener.port).unwrap_or_default();
        let mut registry = Registry { site_port, sites, tenants };
        let mut services: Vec<_> = self.services.keys().collect();
        services.sort();
        for service in services {
            registry.add_primary_service(service);
        }
        Ok(registry)
    }

    fn into_state(self, registry: Registry) -> SiteState {
        let administrators =
            self.tenants.iter().map(|t| (t.id.clone(), "admin".to_owned(), TENANT_ADMIN.to_owned()));
        let mut roles = Roles::new();
        for (tenant, user, role) in administrators.chain(self.roles) {
            roles.entry((tenant, user)).or_default().insert(role);
        }
        let listed = self.sites.iter().flat_map(|site| &site.services);
        let listed = listed.map(|name| (name.clone(), SecretString::from(SERVICE_PASSWORD)));
        let services = listed.chain(self.services).collect();
        SiteState {
            registry: RwLock::new(registry),
            roles: Mutex::new(roles),
            accounts: Accounts { users: self.users, clients: self.clients, services: RwLock::new(services) },
            systems: self.systems,
            keys: self.keys,
            faults: Faults::default(),
            counts: RequestCounts::default(),
            proxy: Proxy::new(),
        }
    }
}

async fn open_fixed(first: u16, offset: u16, tenant: &str) -> Result<Listener, DevSiteError> {
    let port = first.checked_add(offset).ok_or(DevSiteError::PortRange(first))?;
    Listener::open(port).await.map_err(|source| DevSiteError::PortTaken {
        port,
        tenant: tenant.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(builder: &DevSiteBuilder) -> String {
        builder.check_server().and_then(|()| builder.check_topology()).unwrap_err().to_string()
    }

    #[test]
    fn a_site_starts_for_development_only() {
        assert!(refusal(&DevSiteBuilder::new()).contains("not stated"));
        assert!(refusal(&DevSiteBuilder::new().server("prod")).contains("not \"prod\""));
        assert!(DevSiteBuilder::new().server("dev").check_server().is_ok());
    }

    #[test]
    fn sites_and_tenants_must_fit_together() {
        let dev = || DevSiteBuilder::new().server("dev");
        let cases = [
            (dev().tenant(TenantSpec::new("tacc", "tacc")), "used twice"),
            (dev().tenant(TenantSpec::new("x", "nowhere")), "no site nowhere"),
            (dev().tenant(TenantSpec::new("../x", "tacc")), "invalid id"),
            (dev().sites([]), "expected one primary site, found 0"),
            (dev().tenants([]), "tenant admin does not exist"),
            (
                dev().tenants([TenantSpec::new("admin", "tacc"), TenantSpec::new("adminuh", "uh")]),
                "must be one for users",
            ),
            (dev().role("nowhere", "alice", "reader"), "tenant nowhere does not exist"),
            (dev().service("a/b", "password"), "invalid id"),
        ];
        for (builder, expected) in cases {
            let text = refusal(&builder);
            assert!(text.contains(expected), "{text}");
        }
    }

    #[test]
    fn no_password_is_printed() {
        let text = format!(
            "{:?}",
            DevSiteBuilder::new().user("carol", "open-sesame").service("jobs", "open-sesame")
        );
        assert!(
            !text.contains("open-sesame") && !text.contains("\"secret\"") && text.contains("[REDACTED]"),
            "{text}"
        );
    }
}
