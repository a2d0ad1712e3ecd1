//! The one place that renders failures.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::ALLOW;
use http::{Method, StatusCode};
use tapisservice_core::{Enveloped, Error, ErrorKind, ErrorReport, RequestContext, ResponseShape};

use crate::error_map::ErrorMap;

/// What the configuration says about failures.
#[derive(Debug, Clone)]
pub(crate) struct ErrorMapper {
    pub(crate) map: ErrorMap,
    pub(crate) show_traceback: bool,
    pub(crate) legacy_error_status: bool,
}

/// Makes an envelope of every failure: of an [`Error`] with what the configuration says, and of an answer that
/// some library wrote by its status alone. OPTIONS of a path that has no handler for it becomes 204 with Allow (rule D6).
pub(crate) async fn render(State(mapper): State<Arc<ErrorMapper>>, request: Request, next: Next) -> Response {
    let shape = request.extensions().get::<RequestContext>().map(ResponseShape::of).unwrap_or_default();
    let is_options = request.method() == Method::OPTIONS;
    let response = next.run(request).await;
    let status = response.status();
    if is_options && status == StatusCode::METHOD_NOT_ALLOWED {
        // The router adds Allow on the way out.
        return StatusCode::NO_CONTENT.into_response();
    }
    let report = response.extensions().get::<ErrorReport>().map(|report| report.0.clone());
    match report {
        Some(error) => mapper.answer(&error, &shape),
        None if status.is_client_error() || status.is_server_error() => {
            if response.extensions().get::<Enveloped>().is_some() {
                return response;
            }
            let mut answer = mapper.answer(&foreign(status), &shape);
            if let Some(allow) = response.headers().get_all(ALLOW).iter().next() {
                answer.headers_mut().insert(ALLOW, allow.clone());
            }
            answer
        }
        None => response,
    }
}

impl ErrorMapper {
    fn answer(&self, error: &Error, shape: &ResponseShape) -> Response {
        let translated = self.map.translate(error);
        let error = translated.as_ref().unwrap_or(error);
        let status = if self.legacy_error_status { error.legacy_status() } else { error.status() };
        let tells_all =
            self.show_traceback && matches!(error.kind(), ErrorKind::Unrecognized | ErrorKind::Panic);
        let message = if tells_all { error.traceback() } else { error.message().to_owned() };
        let mut response = error.render(status, &message, shape);
        response.extensions_mut().insert(ErrorReport(Arc::new(error.clone())));
        response
    }
}

/// A failure of which only the status is known; what its author wrote may hold values of the request.
fn foreign(status: StatusCode) -> Error {
    let (kind, message) = match status {
        StatusCode::BAD_REQUEST => {
            (ErrorKind::BadInput, "The request does not fit what the service expects.")
        }
        StatusCode::NOT_FOUND => (ErrorKind::NotFound, "The path does not exist."),
        StatusCode::METHOD_NOT_ALLOWED => {
            (ErrorKind::MethodNotAllowed, "The method is not allowed for this path.")
        }
        StatusCode::REQUEST_TIMEOUT => (ErrorKind::RequestTimeout, "The request was not sent in time."),
        StatusCode::PAYLOAD_TOO_LARGE => (ErrorKind::TooLarge, "The body of the request is too large."),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            (ErrorKind::UnsupportedMediaType, "The media type of the body is not supported.")
        }
        _ => (ErrorKind::Base, status.canonical_reason().unwrap_or("The request failed.")),
    };
    Error::new(kind, message).with_code(status)
}
