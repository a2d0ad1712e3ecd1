//! The settings of the tenant cache.

use serde::Deserialize;

/// The keys of the configuration that the tenant cache reads.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct TenantsSettings {
    /// Seconds between periodic refreshes.
    pub tenants_refresh_seconds: u64,
}

impl Default for TenantsSettings {
    fn default() -> Self {
        Self { tenants_refresh_seconds: 90 }
    }
}
