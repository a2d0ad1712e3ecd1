//! The builder of a service client.

use std::fmt;

use tapisservice_tenants::TenantCache;

use super::{ServiceClient, ServiceClientSettings};
use crate::spec::Catalog;
use crate::tokens::{ServiceAccount, ServiceTokens, TokensApi, fields};
use crate::transport::{Transport, TransportSettings};
use crate::{ClientError, SetupError};

/// Builds a [`ServiceClient`].
#[must_use]
pub struct ServiceClientBuilder {
    settings: ServiceClientSettings,
    tenants: TenantCache,
    catalog: Option<Catalog>,
    transport: Option<Transport>,
}

impl ServiceClientBuilder {
    pub(super) fn new(settings: ServiceClientSettings, tenants: TenantCache) -> Self {
        Self { settings, tenants, catalog: None, transport: None }
    }

    /// Sets the catalog of operations, in place of the bundled one.
    pub fn catalog(mut self, catalog: Catalog) -> Self {
        self.catalog = Some(catalog);
        self
    }

    /// Sets the transport: one that is shared with other clients, or has other settings than the default ones.
    pub fn transport(mut self, transport: Transport) -> Self {
        self.transport = Some(transport);
        self
    }

    /// Builds the client. Nothing is called yet: see [`ServiceClient::spawn_token_renewal`].
    ///
    /// # Errors
    ///
    /// [`ClientError::Setup`] when a setting cannot be used.
    pub fn build(self) -> Result<ServiceClient, ClientError> {
        let settings = self.settings;
        let timeout = settings.token_timeout().map_err(SetupError::from)?;
        let transport = match self.transport {
            Some(transport) => transport,
            None => Transport::new(&TransportSettings::default()).map_err(SetupError::from)?,
        };
        let own_fields = fields::on_behalf_of(&settings.service_tenant_id, &settings.service_name)?;
        settings.check_colon().map_err(SetupError::from)?;
        let tokens = ServiceTokens::new(TokensApi {
            http: transport.pool().clone(),
            tenants: self.tenants.clone(),
            timeout,
            account: ServiceAccount {
                name: settings.service_name.clone(),
                password: settings.service_password,
                tenant_id: settings.service_tenant_id.clone(),
                fields: own_fields.clone(),
                access_ttl: settings.service_token_ttl_seconds,
                refresh_ttl: settings.service_refresh_token_ttl_seconds,
            },
        });
        Ok(ServiceClient::assemble(super::client::Inner {
            name: settings.service_name,
            site_id: settings.service_site_id,
            tenant_id: settings.service_tenant_id,
            own_fields,
            tenants: self.tenants,
            catalog: self.catalog.unwrap_or_else(Catalog::bundled),
            transport,
            tokens,
        }))
    }
}

impl fmt::Debug for ServiceClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceClientBuilder")
            .field("settings", &self.settings)
            .field("tenants", &self.tenants)
            .finish_non_exhaustive()
    }
}
