//! The client of a service.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use tapisservice_core::{Identity, RequestContext, SiteId, TenantId, Username};
use tapisservice_tenants::{CacheMiss, Registry, TenantCache};
use tokio::task::JoinHandle;

use super::{ServiceClientBuilder, ServiceClientSettings, ServiceSession};
use crate::ClientError;
use crate::routing::{Route, route, token_sites};
use crate::spec::Catalog;
use crate::tokens::{ServiceTokenError, ServiceTokens, SiteToken, TokenReport, fields};
use crate::transport::{BreakerReport, Transport};

/// How often to check for new sites that need a token.
const SITES_PERIOD: Duration = Duration::from_secs(30);
/// The same while the registry has not been loaded yet.
const REGISTRY_PERIOD: Duration = Duration::from_millis(250);

/// Calls other services with a service token, as the service itself or on behalf of a user. Cheap to clone: all clones share tokens,
/// connections and circuit breakers.
///
/// Every call states whom it is for by the [`ServiceSession`] it starts from. Nothing decides it implicitly.
#[derive(Clone)]
pub struct ServiceClient(Arc<Inner>);

/// The state of a service's tokens and circuit breakers, for readiness and metrics.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ServiceReport {
    /// The tokens, one for each site called so far.
    pub tokens: Vec<TokenReport>,
    /// The circuit breakers, one for each service and site called so far.
    pub breakers: Vec<BreakerReport>,
}

pub(super) struct Inner {
    pub(super) name: Username,
    pub(super) site_id: SiteId,
    pub(super) tenant_id: TenantId,
    /// `X-Tapis-Tenant` and `X-Tapis-User` of the service itself.
    pub(super) own_fields: HeaderMap,
    pub(super) tenants: TenantCache,
    pub(super) catalog: Catalog,
    pub(super) transport: Transport,
    pub(super) tokens: ServiceTokens,
}

impl ServiceClient {
    /// Starts a builder, over the tenant cache of the service.
    pub fn builder(settings: ServiceClientSettings, tenants: TenantCache) -> ServiceClientBuilder {
        ServiceClientBuilder::new(settings, tenants)
    }

    pub(super) fn assemble(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    /// Calls as the service itself, in its own tenant.
    pub fn as_service(&self) -> ServiceSession {
        ServiceSession::new(
            self.clone(),
            self.0.tenant_id.clone(),
            self.0.name.clone(),
            self.0.own_fields.clone(),
        )
    }

    /// Calls on behalf of the user of a request (`g.request_username()` in `g.request_tenant_id()`), with its tracking id.
    ///
    /// # Errors
    ///
    /// [`ClientError::Anonymous`] when the request has no identity.
    pub fn on_behalf_of(&self, g: &RequestContext) -> Result<ServiceSession, ClientError> {
        let identity: &Identity = g.identity().ok_or(ClientError::Anonymous)?;
        let session = self.on_behalf_of_user(identity.tenant_id().clone(), identity.username().clone())?;
        Ok(session.tracked(g.tracking_id().clone()))
    }

    /// Calls on behalf of a user.
    ///
    /// # Errors
    ///
    /// [`ClientError::InvalidValue`] when a name cannot be sent in a header: it contains a comma, or starts or ends with a space.
    pub fn on_behalf_of_user(
        &self,
        tenant: TenantId,
        username: Username,
    ) -> Result<ServiceSession, ClientError> {
        let fields = fields::on_behalf_of(&tenant, &username)?;
        Ok(ServiceSession::new(self.clone(), tenant, username, fields))
    }

    /// The catalog of operations.
    pub fn catalog(&self) -> &Catalog {
        &self.0.catalog
    }

    /// Spawns a task that obtains the tokens for all sites that the service may call (rule R5), and renews them until the task is aborted. A
    /// service is ready before its first request then. Without it a token is obtained when it is first needed, and renewed from then on.
    ///
    /// # Panics
    ///
    /// Outside of a Tokio runtime.
    pub fn spawn_token_renewal(&self) -> JoinHandle<()> {
        let client = self.clone();
        tokio::spawn(async move {
            loop {
                let registry = client.0.tenants.snapshot();
                let pause = if registry.is_some() { SITES_PERIOD } else { REGISTRY_PERIOD };
                if let Some(registry) = registry {
                    client.renew_tokens_for(&registry);
                }
                tokio::time::sleep(pause).await;
            }
        })
    }

    /// Checks that there is a usable token for the own site, for readiness. The first check requests one.
    ///
    /// # Errors
    ///
    /// When there is none: why, for the log.
    #[expect(clippy::unused_async, reason = "readiness checks are futures, and a later one may have to ask")]
    pub async fn check(&self) -> Result<(), ServiceTokenError> {
        let token = self.0.tokens.for_site(&self.0.site_id);
        token.spawn_renewal();
        let report = token.report();
        report.usable_for.map(drop).ok_or_else(|| report.failure.unwrap_or(ServiceTokenError::Pending))
    }

    /// The state of the tokens and circuit breakers, for metrics.
    pub fn report(&self) -> ServiceReport {
        ServiceReport { tokens: self.0.tokens.reports(), breakers: self.0.transport.breakers() }
    }

    pub(super) fn transport(&self) -> &Transport {
        &self.0.transport
    }

    pub(super) fn token_for(&self, site: &SiteId) -> Arc<SiteToken> {
        self.0.tokens.for_site(site)
    }

    /// The route to a resource for a tenant. An unknown tenant triggers a refresh of the registry, within the limits of rule T6.
    pub(super) async fn route(&self, tenant: &TenantId, resource: &str) -> Result<Route, ClientError> {
        let known = |registry: &Registry| registry.tenant(tenant.as_str()).is_some();
        if !self.0.tenants.snapshot().is_some_and(|registry| known(&registry)) {
            self.0.tenants.refresh_on_miss(&CacheMiss::Tenant(tenant.clone())).await;
        }
        let registry = self.0.tenants.snapshot().ok_or(ClientError::NoRegistry)?;
        Ok(route(&registry, &self.0.site_id, tenant, resource)?)
    }

    fn renew_tokens_for(&self, registry: &Registry) {
        for site in token_sites(registry, &self.0.site_id) {
            self.0.tokens.for_site(&site).spawn_renewal();
        }
        let own = &self.0.site_id;
        self.0.tokens.retain(|site| site == own || registry.site(site.as_str()).is_some());
    }
}

impl fmt::Debug for ServiceClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceClient")
            .field("name", &self.0.name)
            .field("site_id", &self.0.site_id)
            .field("tenant_id", &self.0.tenant_id)
            .field("tenants", &self.0.tenants)
            .field("tokens", &self.0.tokens)
            .finish_non_exhaustive()
    }
}
