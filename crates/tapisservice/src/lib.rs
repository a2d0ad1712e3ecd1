#![doc = include_str!("../README.md")]

mod app;
mod background;
#[cfg(feature = "openapi")]
pub mod docs;
pub mod extract;
mod health;
mod healthcheck;
pub mod list;
mod metrics;
mod middleware;
#[cfg(doctest)]
mod pages;
pub mod prelude;
#[cfg(feature = "cli")]
pub mod program;
mod routes;
mod settings;
mod stack;
mod startup;
#[cfg(feature = "testing")]
pub mod testing;

pub use app::{App, AppBuilder, BuildError};
pub use background::{BackgroundTask, BackgroundTaskError, Schedule, TaskContext};
pub use health::ReadyCheck;
pub use healthcheck::{HealthcheckError, connect_address, healthcheck};
pub use metrics::count_panic;
pub use middleware::body_limit::BodyLimit;
pub use middleware::deadline::{RequestTimeout, RequestTimeoutLayer};
#[cfg(feature = "cli")]
pub use program::{NoSettings, Package, Startup, TapisService};
pub use routes::{Handlers, Methods, RouteError, RouteInfo, RouteMethods, RoutePolicy, Routes};
pub use settings::{DevelopmentSettings, DevsiteSettings, ServiceSettings, Settings};
pub use startup::{StartError, report_error, run, show_config};
pub use tapisservice_macros::FromRef;
#[cfg(feature = "openapi")]
pub use utoipa;
pub use {axum, http, tracing};

pub use tapisservice_auth as auth;
#[cfg(feature = "client")]
pub use tapisservice_client as client;
pub use tapisservice_config as config;
pub use tapisservice_core::{Error, Result, ResultExt, ServiceError};
#[cfg(feature = "db")]
pub use tapisservice_db as db;
pub use tapisservice_logs as logs;
pub use tapisservice_serve as serve;
pub use tapisservice_serve::{ResponseTimeout, ResponseTimeoutLayer};
pub use tapisservice_tenants as tenants;

/// Identifiers, identity, the request context `g`, errors and the envelope.
pub mod core {
    // By name: what only the framework does with an identity stays out.
    pub use tapisservice_core::{
        AccessToken, AccountType, Claims, ContextView, DEFAULT_MESSAGE, Delegation, Envelope, Enveloped,
        Error, ErrorKind, ErrorOrigin, ErrorReport, Identity, InvalidId, InvalidTrackingId, JSON_MEDIA_TYPE,
        Metadata, MissingContext, OnBehalfOf, Payload, RequestContext, RequestContextBuilder, RequestTenant,
        ResponseFormat, Result, ResultExt, Secret, ServiceError, ServiceInfo, SiteId, TenantId, TrackingId,
        Username, g, json, secrets,
    };
}

/// For the macros of this crate only.
#[cfg(feature = "openapi")]
#[doc(hidden)]
pub mod __private {
    pub use crate::routes::{Handler, handler};
    pub use pastey::paste;
}
