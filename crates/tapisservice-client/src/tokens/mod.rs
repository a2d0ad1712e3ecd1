//! Service tokens: one per target site (rule R5), renewed in the background.

mod api;
mod endpoint;
pub(crate) mod expiry;
pub(crate) mod fields;
mod pair;
mod site_token;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use tapisservice_core::SiteId;

pub(crate) use api::{ServiceAccount, TokensApi};
pub use endpoint::ServiceTokenError;
pub(crate) use endpoint::TokenEndpoint;
pub(crate) use site_token::SiteToken;

/// The state of the token for one site, for readiness and metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenReport {
    /// The site the token is for.
    pub site: SiteId,
    /// How long the token can still be used. `None` if there is no usable token.
    pub usable_for: Option<Duration>,
    /// Why the last attempt to renew it failed, if it did.
    pub failure: Option<ServiceTokenError>,
    /// How many tokens were obtained with the password.
    pub created: u64,
    /// How many were obtained with a refresh token.
    pub refreshed: u64,
    /// How many attempts failed.
    pub failed: u64,
}

/// The tokens of one service.
pub(crate) struct ServiceTokens {
    endpoint: Arc<dyn TokenEndpoint>,
    sites: RwLock<HashMap<SiteId, Arc<SiteToken>>>,
}

impl ServiceTokens {
    pub(crate) fn new(endpoint: impl TokenEndpoint) -> Self {
        Self { endpoint: Arc::new(endpoint), sites: RwLock::default() }
    }

    /// The token for a site. It is obtained when it is first used.
    pub(crate) fn for_site(&self, site: &SiteId) -> Arc<SiteToken> {
        if let Some(token) = self.sites.read().get(site) {
            return token.clone();
        }
        let mut sites = self.sites.write();
        let new = || Arc::new(SiteToken::new(site.clone(), self.endpoint.clone()));
        sites.entry(site.clone()).or_insert_with(new).clone()
    }

    /// Drops the tokens for sites that no longer exist.
    pub(crate) fn retain(&self, still_there: impl Fn(&SiteId) -> bool) {
        self.sites.write().retain(|site, _| still_there(site));
    }

    /// The state of each token, by site.
    pub(crate) fn reports(&self) -> Vec<TokenReport> {
        let sites = self.sites.read();
        let mut reports: Vec<_> = sites.values().map(|token| token.report()).collect();
        reports.sort_by(|one, other| one.site.cmp(&other.site));
        reports
    }
}

impl fmt::Debug for ServiceTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.reports()).finish()
    }
}
