//! The settings of a service's own calls.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use tapisservice_core::{Seconds, Secret, SiteId, TenantId, Username};

use crate::ClientSettingsError;
use crate::settings::{collect, not_zero};

/// The keys of the configuration that say who the service is and how it gets its tokens. The password prints as `***`.
///
/// ```
/// use tapisservice_client::service::ServiceClientSettings;
///
/// let settings: ServiceClientSettings = serde_json::from_str(
///     r#"{"service_name": "bookmarks", "service_password": "open-sesame", "service_site_id": "tacc", "service_tenant_id": "admin"}"#,
/// )?;
/// assert_eq!(settings.service_token_ttl_seconds, 86_400);
/// assert!(!format!("{settings:?}").contains("open-sesame"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct ServiceClientSettings {
    /// The service's name.
    #[schemars(skip)] // The service states it.
    pub service_name: Username,
    /// What it gets its tokens with. Without one it runs, and calls nobody.
    #[serde(default)]
    #[schemars(skip)] // The service states it.
    pub service_password: Option<Secret>,
    /// The site it runs at.
    #[schemars(skip)] // Authentication states it.
    pub service_site_id: SiteId,
    /// Id of the tenant the service belongs to: the admin tenant of its site.
    pub service_tenant_id: TenantId,
    /// Seconds for which a token of this service is requested to be valid.
    #[serde(default = "token_ttl")]
    #[schemars(range(min = 10, max = 31_536_000))]
    pub service_token_ttl_seconds: u64,
    /// Seconds for which a refresh token of this service is requested to be valid.
    #[serde(default = "refresh_token_ttl")]
    #[schemars(range(min = 10, max = 3_153_600_000_u64))]
    pub service_refresh_token_ttl_seconds: u64,
    /// Seconds the Tokens API may take to respond.
    #[serde(default = "token_timeout")]
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 300))]
    pub service_token_timeout_seconds: Seconds,
}

impl ServiceClientSettings {
    /// A service with this password, everything else as by default.
    pub fn new(
        service_name: Username,
        service_password: impl Into<Secret>,
        service_site_id: SiteId,
        service_tenant_id: TenantId,
    ) -> Self {
        Self {
            service_name,
            service_password: Some(service_password.into()),
            service_site_id,
            service_tenant_id,
            service_token_ttl_seconds: token_ttl(),
            service_refresh_token_ttl_seconds: refresh_token_ttl(),
            service_token_timeout_seconds: token_timeout(),
        }
    }
}

impl ServiceClientSettings {
    /// Whether every setting can be used; nothing is called.
    ///
    /// # Errors
    ///
    /// For each setting that cannot.
    pub fn check(&self) -> Result<(), Vec<ClientSettingsError>> {
        collect([
            self.check_colon().err(),
            sendable("service_name", self.service_name.as_str()).err(),
            sendable("service_tenant_id", self.service_tenant_id.as_str()).err(),
            self.token_timeout().err(),
        ])
    }

    pub(super) fn token_timeout(&self) -> Result<Duration, ClientSettingsError> {
        not_zero(self.service_token_timeout_seconds, "service_token_timeout_seconds")
    }

    /// RFC 7617 section 2: the name would end where the password begins.
    pub(super) fn check_colon(&self) -> Result<(), ClientSettingsError> {
        let colon = self.service_name.as_str().contains(':');
        let error = || ClientSettingsError::Name { key: "service_name", reason: "holds a colon" };
        if colon { Err(error()) } else { Ok(()) }
    }
}

fn sendable(key: &'static str, name: &str) -> Result<(), ClientSettingsError> {
    let reason = "holds a comma, or a space at an end, and cannot be sent in a header";
    let fits = !name.contains(',') && name.trim() == name;
    if fits { Ok(()) } else { Err(ClientSettingsError::Name { key, reason }) }
}

/// One day.
fn token_ttl() -> u64 {
    24 * 3600
}

/// One year.
fn refresh_token_ttl() -> u64 {
    365 * 24 * 3600
}

fn token_timeout() -> Seconds {
    Seconds::new(10)
}
