//! The settings of the tenant cache.

use schemars::JsonSchema;
use serde::Deserialize;

/// The keys of the configuration that the tenant cache reads.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default)]
#[non_exhaustive]
pub struct TenantsSettings {
    /// Seconds between two refreshes of tenants and sites.
    #[schemars(range(min = 1, max = 86_400))]
    pub tenants_refresh_seconds: u64,
}

impl Default for TenantsSettings {
    fn default() -> Self {
        Self { tenants_refresh_seconds: 90 }
    }
}
