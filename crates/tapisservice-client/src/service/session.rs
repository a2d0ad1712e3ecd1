//! Sessions of a service client.

use std::fmt;
use std::sync::Arc;

use http::HeaderMap;
use tapisservice_core::{TenantId, TrackingId, Username};

use super::ServiceClient;
use super::credentials::ServiceCredentials;
use crate::call::{Call, ResourceClient};
use crate::routing::service_name;
use crate::transport::CallDestination;
use crate::{ClientError, Operations, SdkConfiguration};

/// Calls for one user, or as the service itself. Made by [`ServiceClient`]. Cheap to clone.
#[derive(Clone)]
pub struct ServiceSession {
    client: ServiceClient,
    tenant: TenantId,
    username: Username,
    /// `X-Tapis-Tenant` and `X-Tapis-User`.
    fields: HeaderMap,
    tracking_id: Option<TrackingId>,
}

impl ServiceSession {
    pub(super) fn new(
        client: ServiceClient,
        tenant: TenantId,
        username: Username,
        fields: HeaderMap,
    ) -> Self {
        Self { client, tenant, username, fields, tracking_id: None }
    }

    pub(super) fn tracked(self, tracking_id: TrackingId) -> Self {
        Self { tracking_id: Some(tracking_id), ..self }
    }

    /// The tenant the calls are for (`X-Tapis-Tenant`).
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// The user the calls are for (`X-Tapis-User`). For calls as the service itself it is the name of the service.
    pub fn username(&self) -> &Username {
        &self.username
    }

    /// Prepares a call of an operation, such as `("systems", "getSystem")`, at the site that serves the tenant (rules R1 to R5).
    ///
    /// An unknown operation and a tenant without a route are reported by [`Call::send`], which looks the route up.
    ///
    /// ```
    /// # async fn host(tapis: &tapisservice_client::ServiceClient, g: &tapisservice_core::RequestContext)
    /// # -> Result<serde_json::Value, tapisservice_client::ClientError> {
    /// let response = tapis.on_behalf_of(g)?.operation("systems", "getSystem").arg("systemId", "frontera").send().await?;
    /// response.deserialize().await
    /// # }
    /// ```
    pub fn operation(&self, resource: &str, operation_id: &str) -> Call {
        let operation = self.client.catalog().operation(resource, operation_id);
        let (session, resource) = (self.clone(), resource.to_owned());
        let call = Call::deferred(operation, move || {
            Box::pin(async move { session.resource_client(&resource).await })
        });
        match &self.tracking_id {
            Some(id) => call.tracking_id(id.clone()),
            None => call,
        }
    }

    /// A client for raw calls of a resource, which need not be in the catalog.
    ///
    /// # Errors
    ///
    /// [`ClientError::Routing`] and [`ClientError::NoRegistry`] when there is no route.
    pub async fn resource_client(&self, resource: &str) -> Result<ResourceClient, ClientError> {
        let route = self.client.route(&self.tenant, resource).await?;
        let token = self.client.token_for(&route.target_site);
        let destination = CallDestination {
            base_url: route.base_url,
            site: route.site.as_str().to_owned(),
            service: service_name(resource).to_owned(),
        };
        let credentials = ServiceCredentials { token, fields: self.fields.clone() };
        Ok(ResourceClient::new(self.client.transport(), destination, Some(Arc::new(credentials))))
    }

    /// The configuration for the official SDK to call a resource in this session.
    ///
    /// # Errors
    ///
    /// As [`resource_client`](Self::resource_client).
    pub async fn sdk_configuration(&self, resource: &str) -> Result<SdkConfiguration, ClientError> {
        Ok(SdkConfiguration::new(&self.resource_client(resource).await?))
    }
}

impl Operations for ServiceSession {
    fn operation(&self, resource: &str, operation_id: &str) -> Call {
        self.operation(resource, operation_id)
    }
}

impl fmt::Debug for ServiceSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceSession")
            .field("tenant", &self.tenant)
            .field("username", &self.username)
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}
