//! The Tapis envelope of every JSON response of the site (docs/PROTOCOL.md, section 4).

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt, Limited};
use serde_json::{Value, json};

/// tapipy returns raw bytes unless the media type is exactly this.
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A successful response.
pub(crate) struct ApiResponse {
    pub(crate) status: StatusCode,
    pub(crate) message: &'static str,
    pub(crate) result: Value,
    pub(crate) metadata: Value,
}

impl ApiResponse {
    pub(crate) fn ok(message: &'static str, result: Value) -> Self {
        Self { status: StatusCode::OK, message, result, metadata: json!({}) }
    }

    pub(crate) fn created(message: &'static str, result: Value) -> Self {
        Self { status: StatusCode::CREATED, ..Self::ok(message, result) }
    }

    pub(crate) fn with_metadata(self, metadata: Value) -> Self {
        Self { metadata, ..self }
    }
}

impl IntoResponse for ApiResponse {
    fn into_response(self) -> Response {
        envelope(self.status, "success", self.message, &self.result, &self.metadata)
    }
}

/// An error response.
#[derive(Debug)]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    pub(crate) message: String,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    pub(crate) fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, message)
    }

    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut res = envelope(self.status, "error", &self.message, &Value::Null, &json!({}));
        let extra: Option<(HeaderName, &str)> = match self.status {
            StatusCode::UNAUTHORIZED => Some((WWW_AUTHENTICATE, "TapisJWT")),
            StatusCode::SERVICE_UNAVAILABLE => Some((RETRY_AFTER, "1")),
            _ => None,
        };
        if let Some((name, value)) = extra {
            res.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        res
    }
}

fn envelope(status: StatusCode, outcome: &str, message: &str, result: &Value, metadata: &Value) -> Response {
    let body = json!({
        "message": message, "result": result, "status": outcome, "version": "dev", "metadata": metadata,
    });
    let mut res = Response::new(Body::from(body.to_string()));
    *res.status_mut() = status;
    res.headers_mut().insert(CONTENT_TYPE, JSON);
    res
}

/// Wraps errors of the web framework (404, 405, 413, ...) in an envelope, and keeps their headers.
pub(crate) async fn enveloped(res: Response) -> Response {
    let refused = res.status().is_client_error() || res.status().is_server_error();
    if !refused || is_json(res.headers()) {
        return res;
    }
    let (parts, body) = res.into_parts();
    let text =
        Limited::new(body, 1024).collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let reason = parts.status.canonical_reason().unwrap_or("Refused");
    let message =
        if text.is_empty() { reason.to_owned() } else { String::from_utf8_lossy(&text).into_owned() };
    let mut enveloped = ApiError::new(parts.status, message).into_response();
    for (name, value) in &parts.headers {
        if name != CONTENT_TYPE && name != http::header::CONTENT_LENGTH {
            enveloped.headers_mut().insert(name, value.clone());
        }
    }
    enveloped
}

fn is_json(headers: &HeaderMap) -> bool {
    headers.get_all(CONTENT_TYPE).iter().any(|value| value == JSON)
}
