//! The OpenAPI document of a service, generated from its handlers.

use std::sync::Arc;

use axum::Json;
use axum::response::IntoResponse as _;
use axum::routing::{MethodRouter, get};
use utoipa::openapi::OpenApi;
use utoipa::{IntoResponses, ToSchema};

use crate::ServiceSettings;
use crate::routes::join_paths;

/// The schema of an [`Envelope`](tapisservice_core::Envelope) around a `T`: `body = EnvelopeOf<Bookmark>`.
#[derive(Debug, ToSchema)]
#[schema(description = "A success.")]
#[expect(dead_code, reason = "it describes; the envelope itself is what is sent")]
pub struct EnvelopeOf<T> {
    /// What happened, for people.
    message: String,
    /// What was asked for.
    result: T,
    /// `success`.
    #[schema(example = "success")]
    status: String,
    /// The version of the service.
    version: String,
}

/// The schema of the envelope around a failure.
#[derive(Debug, ToSchema)]
#[schema(description = "A failure.")]
#[expect(dead_code, reason = "it describes; the envelope itself is what is sent")]
pub struct Refusal {
    /// What went wrong, for people.
    message: String,
    /// Null.
    #[schema(value_type = Option<Object>, required)]
    result: (),
    /// `error`.
    #[schema(example = "error")]
    status: String,
    /// The version of the service.
    version: String,
}

/// The failures every route with a policy knows: `responses((status = 200, ...), Refusals)`.
#[derive(Debug, IntoResponses)]
pub enum Refusals {
    /// The request does not fit.
    #[response(status = 400)]
    BadRequest(Refusal),
    /// No token, or none that is valid.
    #[response(status = 401)]
    Unauthorized(Refusal),
    /// The caller may not do this.
    #[response(status = 403)]
    Forbidden(Refusal),
    /// Something the service depends on does not answer; trying again may help.
    #[response(status = 503)]
    Unavailable(Refusal),
}

/// Joins the head of a document with the paths of the routes, which get the prefix the public sees.
pub(crate) fn complete(head: OpenApi, routes: OpenApi, service: &ServiceSettings) -> OpenApi {
    let mut document = head.nest_with_path_composer(service.public_path(), routes, join_paths);
    if document.info.title.is_empty() {
        document.info.title.clone_from(&service.service_name);
    }
    document.info.version.clone_from(&service.version);
    document
}

/// Where the document is served, below the base path.
pub(crate) const PATH: &str = "/openapi.json";

/// Answers GET with the document. It is no envelope: it is there for machines.
pub(crate) fn serve<S: Clone + Send + Sync + 'static>(document: Arc<OpenApi>) -> MethodRouter<S> {
    get(async move || Json(&*document).into_response())
}
