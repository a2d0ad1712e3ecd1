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
    pub fn token_for_user(&self, tenant: &str, username: &str) -> String {
        self.token().for_user(tenant, username).mint()
    }

    /// An access token of a service in the site-admin tenant `tenant`, for use at `target_site`.
    ///
    /// # Panics
    ///
    /// When there is no such tenant.
    pub fn token_for_service(&self, tenant: &str, service: &str, target_site: &str) -> String {
        self.token().for_service(tenant, service, target_site).mint()
    }

    /// An access token of a user that `delegate`, of the same tenant, had made.
    ///
    /// # Panics
    ///
    /// When there is no such tenant.
    pub fn delegated_token_for_user(&self, tenant: &str, username: &str, delegate: &str) -> String {
        self.token().for_user(tenant, username).with_delegate(tenant, delegate).mint()
    }

    /// An access token of a user that expired an hour ago.
    ///
    /// # Panics
    ///
    /// When there is no such tenant.
    pub fn expired_token_for_user(&self, tenant: &str, username: &str) -> String {
        self.token().for_user(tenant, username).expired_since(Duration::from_hours(1)).mint()
    }

    /// A refresh token of a user.
    ///
    /// # Panics
    ///
    /// When there is no such tenant.
    pub fn refresh_token_for_user(&self, tenant: &str, username: &str) -> String {
        self.token().for_user(tenant, username).refresh().mint()
    }
}
