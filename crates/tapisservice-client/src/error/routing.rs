//! Errors of routing.

use tapisservice_core::{SiteId, TenantId};

/// Why the tenant or the site to call cannot be determined (rules R1 to R5).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RoutingError {
    /// The registry has no active tenant of this id.
    #[error("no route: there is no active tenant {0}")]
    UnknownTenant(TenantId),
    /// The registry names no primary site.
    #[error("no route: the registry has no primary site")]
    NoPrimarySite,
    /// The primary site has no site-admin tenant.
    #[error("no route: the primary site {0} has no site-admin tenant")]
    NoAdminTenant(SiteId),
    /// The primary site has no template for the base URLs of tenants.
    #[error("no route: the primary site {0} has no usable tenant_base_url_template")]
    NoUrlTemplate(SiteId),
    /// The base URL in the registry is invalid.
    #[error("no route: invalid base URL {0}")]
    BaseUrl(String),
    /// No tenant has the base URL of this host.
    #[error(
        "no route: no tenant has a base URL with the host {0}; name the tenant if it has another base URL"
    )]
    UnknownHost(String),
    /// The response of the registry is invalid.
    #[error("no route: the registry cannot be used: {0}")]
    Registry(#[source] Box<dyn std::error::Error + Send + Sync>),
}
