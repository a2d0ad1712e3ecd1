//! The state of the tokens, for readiness and metrics.

use std::time::Duration;

use tapisservice_core::SiteId;

/// The state of the token for one site.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenReport {
    /// The site the token is for.
    pub site: SiteId,
    /// How long the token will still be used; `None` when there is none to use.
    pub usable_for: Option<Duration>,
    /// Why the last attempt to renew it failed, if it did.
    pub failure: Option<String>,
    /// How many tokens were got with the password.
    pub created: u64,
    /// How many were got with a refresh token.
    pub refreshed: u64,
    /// How many attempts failed.
    pub failed: u64,
}
