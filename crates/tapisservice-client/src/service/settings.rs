//! The settings of a service's own calls.

use secrecy::SecretString;
use serde::Deserialize;
use tapisservice_core::{SiteId, TenantId, Username};

/// The keys of the configuration that say who the service is and how it gets its tokens. The password prints as `[REDACTED]`.
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
#[derive(Debug, Clone, Deserialize)]
pub struct ServiceClientSettings {
    /// The service's name.
    pub service_name: Username,
    /// What it gets its tokens with. Without one it runs, and calls nobody.
    #[serde(default)]
    pub service_password: Option<SecretString>,
    /// The site it runs at.
    pub service_site_id: SiteId,
    /// The tenant it lives in, which is the site-admin tenant of its site.
    pub service_tenant_id: TenantId,
    /// How long its tokens are to live, in seconds.
    #[serde(default = "token_ttl")]
    pub service_token_ttl_seconds: u64,
    /// How long its refresh tokens are to live, in seconds.
    #[serde(default = "refresh_token_ttl")]
    pub service_refresh_token_ttl_seconds: u64,
    /// Seconds in which the Tokens API must have answered.
    #[serde(default = "token_timeout")]
    pub service_token_timeout_seconds: f64,
}

impl ServiceClientSettings {
    /// A service with this password, everything else as by default.
    pub fn new(
        service_name: Username,
        service_password: impl Into<SecretString>,
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

/// One day.
fn token_ttl() -> u64 {
    24 * 3600
}

/// One year.
fn refresh_token_ttl() -> u64 {
    365 * 24 * 3600
}

fn token_timeout() -> f64 {
    10.0
}
