//! What the handlers of a service use.

pub use axum::extract::{Path, State};
pub use tapisservice_auth::{Authn, Policy, PolicyRequest, PublicPolicy};
pub use tapisservice_config::{Config, Secret};
pub use tapisservice_core::{
    Envelope, Error, Identity, RequestContext, Result, ResultExt, ServiceError, TenantId, Username, g,
};

pub use crate::Routes;
pub use crate::extract::{Json, Query};
pub use crate::handlers;
