//! The settings of authentication.

use serde::Deserialize;
use tapisservice_core::{SiteId, TenantId};
use tapisservice_tenants::{Authority, ServiceLocation};
use url::Url;

/// Development or production (`server`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Environment {
    /// Development: development hosts name no tenant (rule H4).
    Dev,
    /// Production: development hosts are unknown hosts.
    #[default]
    Prod,
}

/// The settings that authentication uses.
///
/// ```
/// use tapisservice_auth::AuthSettings;
/// use tapisservice_core::SiteId;
///
/// let mut settings = AuthSettings::new("bookmarks", SiteId::new("tacc")?);
/// settings.tenants = vec!["dev".to_owned()];
/// # Ok::<(), tapisservice_core::InvalidId>(())
/// ```
#[derive(Debug, Clone, Deserialize)]
#[non_exhaustive]
pub struct AuthSettings {
    /// Development or production.
    #[serde(default)]
    pub server: Environment,
    /// The name of this service, as in the `services` of a site (rule O6).
    pub service_name: String,
    /// The site this service runs at, and the target site of service tokens it accepts (rule O2).
    pub service_site_id: SiteId,
    /// The tenants it serves; an empty list or `*` means all (rule H7).
    pub tenants: Vec<String>,
    /// Allowed clock skew in seconds (rule A7).
    #[serde(default)]
    pub token_leeway_seconds: f64,
    /// Whether `iss` is compared (rule A8).
    #[serde(default = "yes")]
    pub check_issuer: bool,
    /// The accepted audiences; `*` accepts any (rule A9).
    #[serde(default)]
    pub expected_aud: Vec<String>,
    /// The URL of an additional development host (rule H4).
    #[serde(default)]
    pub dev_request_url: Option<String>,
    /// Whether `X-Forwarded-Host` replaces Host (rule H6).
    #[serde(default)]
    pub trust_forwarded_host: bool,
}

fn yes() -> bool {
    true
}

/// Hosts that name no tenant on a developer's machine (rule H4); the last is Docker's bridge.
const DEV_HOSTS: [&str; 4] = ["localhost", "127.0.0.1", "[::1]", "172.17.0.1"];

impl AuthSettings {
    /// The settings of a service, with defaults for everything else.
    pub fn new(service_name: impl Into<String>, service_site_id: SiteId) -> Self {
        Self {
            server: Environment::Prod,
            service_name: service_name.into(),
            service_site_id,
            tenants: vec!["*".to_owned()],
            token_leeway_seconds: 0.0,
            check_issuer: true,
            expected_aud: Vec::new(),
            dev_request_url: None,
            trust_forwarded_host: false,
        }
    }

    /// The tenants that this service serves, or `None` when it serves all of them (rule H7).
    pub fn served_tenants(&self) -> Option<&[String]> {
        let all = self.tenants.is_empty() || self.tenants.iter().any(|tenant| tenant == "*");
        (!all).then_some(&self.tenants)
    }

    pub(crate) fn serves_tenant(&self, tenant: &TenantId) -> bool {
        self.served_tenants().is_none_or(|served| served.iter().any(|id| *tenant == id.as_str()))
    }

    pub(crate) fn location(&self) -> ServiceLocation<'_> {
        ServiceLocation::new(&self.service_name, &self.service_site_id)
    }

    /// Whether `host` names no tenant because this is a developer's machine (rule H4).
    pub(crate) fn is_dev_host(&self, host: &Authority<'_>) -> bool {
        let named = || {
            let url = Url::parse(self.dev_request_url.as_deref()?).ok()?;
            url.host_str().map(str::to_ascii_lowercase)
        };
        self.server == Environment::Dev
            && (DEV_HOSTS.contains(&host.host()) || named().is_some_and(|name| name == host.host()))
    }
}
