//! The settings of the tenant cache.

use schemars::JsonSchema;
use serde::Deserialize;
use tapisservice_core::Seconds;

/// The keys of the configuration that the tenant cache reads.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default)]
#[non_exhaustive]
pub struct TenantsSettings {
    /// Seconds between two refreshes of tenants and sites.
    #[schemars(extend("minimum" = 1))]
    pub tenants_refresh_seconds: Seconds,
}

impl Default for TenantsSettings {
    fn default() -> Self {
        Self { tenants_refresh_seconds: Seconds::new(90) }
    }
}
