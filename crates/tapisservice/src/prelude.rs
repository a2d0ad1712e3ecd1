//! What the handlers of a service use.

pub use axum::extract::{FromRef, Path, State};
pub use axum::{self, debug_handler};
pub use http::{self, StatusCode};
pub use tapisservice_auth::{Authn, Policy, PolicyRequest, PublicPolicy};
pub use tapisservice_config::{Config, Secret};
pub use tapisservice_core::{
    Envelope, Error, Identity, RequestContext, Result, ResultExt, ServiceError, TenantId, Username, g,
};

pub use utoipa::{self, IntoParams, ToSchema};

pub use crate::extract::{Json, Query};
pub use crate::handlers;
pub use crate::{RouteMethods as _, Routes};
