//! The settings of authentication.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tapisservice_core::{Seconds, SiteId, TenantId};
use tapisservice_tenants::{Authority, ServiceLocation};
use url::Url;

/// Development or production (`server`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
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
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct AuthSettings {
    /// `prod` for a deployment, `dev` for a development machine, where development hosts name no tenant.
    #[serde(default)]
    pub server: Environment,
    /// The name of this service, as `services` of a site lists it (rule O6).
    #[schemars(skip)] // The service states it.
    pub service_name: String,
    // Service tokens are for it (rule O2).
    /// Id of the site the service runs at.
    pub service_site_id: SiteId,
    // Rule H7.
    /// Ids of the tenants the service serves; empty, or with `*`, all of them. A request for a tenant that is not listed is rejected with 403.
    #[schemars(inner(length(min = 1)))]
    pub tenants: Vec<String>,
    // Rule A7.
    /// Seconds a token is still accepted after its expiry, for clocks that differ.
    #[serde(default)]
    #[schemars(extend("maximum" = 300, "writeOnly" = false))]
    pub token_leeway_seconds: Seconds,
    // Rule A8.
    /// Compares the issuer of a token with the one its tenant is registered with.
    #[serde(default = "yes")]
    pub check_issuer: bool,
    // Rule A9.
    /// Audiences that a token may name; `*` allows any. If empty, a token that names one is rejected.
    #[serde(default)]
    #[schemars(inner(length(min = 1)))]
    pub expected_aud: Vec<String>,
    // Rule H4.
    /// URL whose host is a development host besides the loopback ones.
    #[serde(default)]
    pub dev_request_url: Option<String>,
    // Rule H6.
    /// Takes the tenant's host from `X-Forwarded-Host`; only behind a proxy that sets this header itself.
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
            token_leeway_seconds: Seconds::ZERO,
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
