//! The OpenAPI document of a service, generated from its handlers.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use utoipa::openapi::OpenApi;
use utoipa::{IntoResponses, ToSchema};

use tapisservice_auth::Policy;

use crate::routes::join_paths;
use crate::{RouteInfo, ServiceSettings};

const PATH: &str = "/openapi.json";

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

/// The route that [`serve`] adds, for lists of routes.
pub(crate) fn route() -> RouteInfo {
    RouteInfo {
        method: "GET".to_owned(),
        path: PATH.to_owned(),
        policy: Policy::public().to_string(),
        operation_id: None,
    }
}

/// Adds `GET openapi.json` below the base path. It is public and no envelope: it is there for machines.
pub(crate) fn serve<S: Clone + Send + Sync + 'static>(
    router: Router<S>,
    base_path: &str,
    document: Arc<OpenApi>,
) -> Router<S> {
    router.route(&join_paths(base_path, PATH), get(openapi_json).with_state(document))
}

async fn openapi_json(State(document): State<Arc<OpenApi>>) -> Response {
    Json(&*document).into_response()
}
