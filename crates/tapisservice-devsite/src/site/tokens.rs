use std::sync::Arc;
use std::time::Duration;

use crate::DevSite;
use crate::grant::Grant;
use crate::token_builder::TokenBuilder;

/// Tokens.
impl DevSite {
    /// Begins any token, the wrong ones included.
    pub fn token(&self) -> TokenBuilder {
        let tenant = self.tenant_ids().into_iter().next().unwrap_or_default();
        TokenBuilder::new(Arc::clone(self.state()), Grant::user("alice", tenant))
    }

    /// An access token of a user.
    ///
    /// # Panics
    ///
    /// As the other shortcuts: when there is no such tenant. See [`TokenBuilder::try_mint`].
    pub fn user_token(&self, username: &str, tenant: &str) -> String {
        self.token().user(username, tenant).mint()
    }

    /// An access token of a service that lives in `tenant`, for use at `target_site`.
    ///
    /// # Panics
    ///
    /// When there is no such tenant.
    pub fn service_token(&self, service: &str, tenant: &str, target_site: &str) -> String {
        self.token().service(service, tenant, target_site).mint()
    }

    /// An access token of a user that `delegate`, of the same tenant, had made.
    ///
    /// # Panics
    ///
    /// When there is no such tenant.
    pub fn delegated_token(&self, username: &str, tenant: &str, delegate: &str) -> String {
        self.token().user(username, tenant).delegated_by(delegate, tenant).mint()
    }

    /// An access token of a user that expired an hour ago.
    ///
    /// # Panics
    ///
    /// When there is no such tenant.
    pub fn expired_token(&self, username: &str, tenant: &str) -> String {
        self.token().user(username, tenant).expired_since(Duration::from_hours(1)).mint()
    }

    /// A refresh token of a user.
    ///
    /// # Panics
    ///
    /// When there is no such tenant.
    pub fn refresh_token(&self, username: &str, tenant: &str) -> String {
        self.token().user(username, tenant).refresh().mint()
    }
}
