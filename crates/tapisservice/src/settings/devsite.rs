//! The embedded Tapis site of a development machine.

use schemars::JsonSchema;
use serde::Deserialize;
#[cfg(not(feature = "devsite"))]
use tapisservice_config::{Config, Violation};

/// The keys of the embedded Tapis site.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct DevsiteSettings {
    /// Starts a Tapis site for development in the same process; only where `server` is `dev`.
    #[serde(default)]
    pub devsite: bool,
    /// First port of that site; each of its five tenants has one, in a row. 0: any free ports.
    #[serde(default = "devsite_port")]
    #[schemars(range(max = 65_531))]
    pub devsite_port: u16,
}

fn devsite_port() -> u16 {
    5080
}

/// A program without the site cannot start one.
#[cfg(not(feature = "devsite"))]
pub(super) fn check(config: &Config, settings: &DevsiteSettings) -> Vec<Violation> {
    const WHAT: &str = "this program is built without the feature `devsite` of tapisservice";
    settings.devsite.then(|| config.violation("devsite", WHAT)).into_iter().collect()
}
