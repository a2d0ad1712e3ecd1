//! The service's own settings.

use serde::Deserialize;

/// `configschema.json` as it was when the service was built: what its own settings are, with their defaults.
pub const CONFIG_SCHEMA: &str = include_str!("../../../configschema.json");

/// The keys that only this service reads, but for those of its database
/// ([`DatabaseSettings`](tapisservice_db::DatabaseSettings)).
#[derive(Debug, Clone, Deserialize)]
#[non_exhaustive]
pub struct BookmarksSettings {
    /// Whether to start a Tapis site for development.
    pub devsite: bool,
    /// The first port of that site; 0 takes free ones.
    pub devsite_port: u16,
}
