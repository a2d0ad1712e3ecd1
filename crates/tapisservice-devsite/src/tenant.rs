/// A site of the family: where services run and whose tenants they serve (docs/PROTOCOL.md, section 1).
#[derive(Clone, Debug)]
pub struct SiteSpec {
    pub(crate) id: String,
    pub(crate) primary: bool,
    pub(crate) admin_tenant: String,
    pub(crate) services: Vec<String>,
}

impl SiteSpec {
    /// The primary site. It runs the usual services; [`SiteSpec::services`] says otherwise.
    pub fn primary(id: impl Into<String>, admin_tenant: impl Into<String>) -> Self {
        let services = [
            "tenants",
            "tokens",
            "security",
            "authenticator",
            "systems",
            "apps",
            "files",
            "jobs",
            "streams",
            "meta",
            "actors",
        ];
        Self { id: id.into(), primary: true, admin_tenant: admin_tenant.into(), services: Vec::new() }
            .services(services)
    }

    /// An associate site, which runs a few services itself and leaves the others to the primary one.
    pub fn associate(id: impl Into<String>, admin_tenant: impl Into<String>) -> Self {
        let services = ["files", "systems", "security", "tokens", "authenticator"];
        Self { id: id.into(), primary: false, admin_tenant: admin_tenant.into(), services: Vec::new() }
            .services(services)
    }

    /// Replaces the list of services that the site runs itself (rules O6, R3).
    #[must_use]
    pub fn services(mut self, services: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.services = services.into_iter().map(Into::into).collect();
        self
    }
}

/// A tenant to be. A port, a base URL and a key are added when the site starts.
#[derive(Clone, Debug)]
pub struct TenantSpec {
    pub(crate) id: String,
    pub(crate) site: String,
    pub(crate) status: TenantStatus,
    pub(crate) base_url: Option<String>,
    pub(crate) publishes_key: bool,
}

impl TenantSpec {
    /// An active tenant of the site `site`.
    pub fn new(id: impl Into<String>, site: impl Into<String>) -> Self {
        let (id, site) = (id.into(), site.into());
        Self { id, site, status: TenantStatus::Active, base_url: None, publishes_key: true }
    }

    /// Sets the status; [`TenantStatus::Active`] otherwise.
    #[must_use]
    pub fn status(mut self, status: TenantStatus) -> Self {
        self.status = status;
        self
    }

    /// Gives the tenant an address of your choice instead of `http://localhost:<its port>`.
    ///
    /// Requests that reach any port of the devsite with this host in `Host` are the tenant's.
    #[must_use]
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = Some(base_url.into());
        self
    }

    /// Publishes `public_key: null`, as a tenant that is not set up yet (rule A5).
    #[must_use]
    pub fn without_key(mut self) -> Self {
        self.publishes_key = false;
        self
    }
}

/// The `status` of a tenant record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TenantStatus {
    /// Not set up yet.
    Draft,
    /// In use.
    Active,
    /// Switched off.
    Inactive,
}

impl TenantStatus {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Active => "active",
            Self::Inactive => "inactive",
        }
    }
}
