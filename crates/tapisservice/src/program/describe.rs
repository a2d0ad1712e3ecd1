//! A service as its code describes it: nothing is opened or called.

use tapisservice_config::ConfigError;
use tapisservice_serve::Shutdown;
#[cfg(feature = "openapi")]
use utoipa::openapi::OpenApi;

use super::TapisService;
use super::load::load;
#[cfg(feature = "swagger-ui")]
use crate::Routes;
use crate::health::Health;
use crate::{BuildError, RouteInfo, Settings, StartError};

/// The routes and the OpenAPI document of a service.
#[derive(Clone)]
#[non_exhaustive]
pub struct Description {
    /// The routes with their policies.
    pub routes: Vec<RouteInfo>,
    /// The OpenAPI document.
    #[cfg(feature = "openapi")]
    pub openapi: OpenApi,
}

/// Describes a service. It needs no configuration. Where there is one that can be used, name, version and limits are those of it, so that the
/// description is of the service that would run.
///
/// # Errors
///
/// When a route cannot be mounted.
pub fn describe<T: TapisService>() -> Result<Description, StartError> {
    let settings = match load::<T>() {
        Ok(config) => Settings::from_config(&config)?,
        Err(_) => placeholder::<T>()?,
    };
    of_settings::<T>(&settings)
}

/// What the framework requires, where nobody set it.
fn placeholder<T: TapisService>() -> Result<Settings, ConfigError> {
    let package = T::PACKAGE;
    let values = [
        ("service_name", package.name),
        ("version", package.version),
        ("service_site_id", "none"),
        ("service_tenant_id", "none"),
        ("primary_site_admin_tenant_base_url", "http://localhost"),
    ];
    let loader = Settings::loader().environment(values).default_config_path("").default_schema_path("");
    Settings::from_config(&loader.fallback_config("none", r#"{"tenants": []}"#).load()?)
}

/// The description of the service with these settings.
///
/// # Errors
///
/// When a route cannot be mounted.
pub(super) fn of_settings<T: TapisService>(settings: &Settings) -> Result<Description, StartError> {
    let health = Health { checks: Vec::new(), shutdown: Shutdown::new() };
    let routes = T::routes();
    #[cfg(feature = "swagger-ui")]
    let routes = swagger_ui::<T, T>(settings).merge(routes);
    let routes = health.routes(&routes).merge(routes);
    #[cfg(feature = "openapi")]
    let (routes, openapi) =
        crate::app::with_document(routes, T::api_info(), &settings.service).map_err(BuildError::from)?;
    let list = routes.list(&settings.service.route_path(), &settings.limits).map_err(BuildError::from)?;
    #[cfg(feature = "openapi")]
    crate::docs::check(&openapi).map_err(BuildError::from)?;
    Ok(Description {
        routes: list,
        #[cfg(feature = "openapi")]
        openapi: std::sync::Arc::unwrap_or_clone(openapi),
    })
}

/// The pages to try the API.
#[cfg(feature = "swagger-ui")]
pub(super) fn swagger_ui<T: TapisService, S: Clone + Send + Sync + 'static>(
    settings: &Settings,
) -> Routes<S> {
    let title = T::api_info().info.title;
    let service = &settings.service;
    let title = if title.is_empty() { &service.service_name } else { &title };
    crate::docs::swagger::routes(&service.public_path(), title)
}

impl std::fmt::Debug for Description {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Description").field("routes", &self.routes).finish_non_exhaustive()
    }
}
