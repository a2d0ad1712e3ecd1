//! The OpenAPI document of a service, generated from its handlers, their policies and their limits.

mod check;
mod complete;
mod diff;
mod schemas;
#[cfg(feature = "swagger-ui")]
pub(crate) mod swagger;

use std::sync::Arc;

use axum::Json;
use axum::response::IntoResponse as _;
use axum::routing::{MethodRouter, get};
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::{Components, OpenApi};
use utoipa::{PartialSchema as _, ToSchema as _};

use crate::ServiceSettings;
use crate::routes::join_paths;

pub(crate) use check::check;
pub(crate) use complete::{Statuses, complete_operation};
pub use diff::{DocumentChange, compare};
pub use schemas::{EnvelopeOf, ErrorEnvelope, StandardErrors};

/// The name of the scheme that operations refer to: `X-Tapis-Token`.
const TOKEN_SCHEME: &str = "TapisJWT";

/// Adds the paths of the routes, with the public prefix, to the document of the author.
pub(crate) fn complete(head: OpenApi, routes: OpenApi, service: &ServiceSettings) -> OpenApi {
    let mut document = head.nest_with_path_composer(service.public_path(), routes, join_paths);
    if document.info.title.is_empty() {
        document.info.title.clone_from(&service.service_name);
    }
    document.info.version.clone_from(&service.version);
    let components = document.components.get_or_insert_with(Components::new);
    let schemes = &mut components.security_schemes;
    schemes.entry(TOKEN_SCHEME.to_owned()).or_insert_with(|| complete::token_scheme().into());
    components.schemas.entry(ErrorEnvelope::name().into_owned()).or_insert_with(ErrorEnvelope::schema);
    document
}

/// The operations of a path, each with its method.
pub(crate) fn operations(item: &PathItem) -> impl Iterator<Item = (&'static str, &Operation)> {
    [
        ("GET", &item.get),
        ("POST", &item.post),
        ("PUT", &item.put),
        ("PATCH", &item.patch),
        ("DELETE", &item.delete),
        ("OPTIONS", &item.options),
        ("HEAD", &item.head),
        ("TRACE", &item.trace),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation.as_ref()?)))
}

/// The same, mutable.
pub(crate) fn operations_mut(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [
        &mut item.get,
        &mut item.post,
        &mut item.put,
        &mut item.patch,
        &mut item.delete,
        &mut item.options,
        &mut item.head,
        &mut item.trace,
    ]
    .into_iter()
    .flatten()
}

/// Where the document is served, below the base path.
pub(crate) const PATH: &str = "/openapi.json";

/// Serves the document. It has no envelope, because it is for machines.
pub(crate) fn serve<S: Clone + Send + Sync + 'static>(document: Arc<OpenApi>) -> MethodRouter<S> {
    get(async move || Json(&*document).into_response())
}
