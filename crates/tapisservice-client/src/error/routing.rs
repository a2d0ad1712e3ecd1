//! Tenants and sites that cannot be reached.

use tapisservice_core::{SiteId, TenantId};

/// Why the tenant or the site to call cannot be determined (rules R1 to R5).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RoutingError {
    /// The registry has no active tenant of this id.
    #[error("no route: there is no active tenant {0}")]
    UnknownTenant(TenantId),
    /// The registry names no primary site.
    #[error("no route: no site is the primary one")]
    NoPrimarySite,
    /// The primary site has no site-admin tenant.
    #[error("no route: the primary site {0} names no site-admin tenant")]
    NoAdminTenant(SiteId),
    /// The primary site does not say what the base URLs of tenants are there.
    #[error("no route: the primary site {0} has no usable tenant_base_url_template")]
    NoUrlTemplate(SiteId),
    /// The base URL in the registry is none.
    #[error("no route: {0} is not a base URL")]
    BaseUrl(String),
    /// No tenant has the base URL of this host.
    #[error("no route: no tenant has the base URL of {0}; name the tenant if it has another")]
    UnknownHost(String),
    /// The registry answered with something that is none.
    #[error("no route: the registry cannot be used: {0}")]
    Registry(#[source] Box<dyn std::error::Error + Send + Sync>),
}
