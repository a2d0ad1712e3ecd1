//! The listener of a double.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, State};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use bytes::Bytes;
use http::StatusCode;
use http::request::Parts;
use serde_json::Value;
use tokio::net::TcpListener;

use super::DoubleState;
use super::call::{RecordedCall, RecordedCaller};

pub(super) async fn serve(listener: TcpListener, state: Arc<DoubleState>) {
    let router = Router::new().fallback(respond).layer(DefaultBodyLimit::disable()).with_state(state);
    // It ends with the test.
    let _ = axum::serve(listener, router).await;
}

async fn respond(State(state): State<Arc<DoubleState>>, parts: Parts, body: Bytes) -> Response {
    let path = parts.uri.path();
    let (operation_id, mut args) = match state.operations.find(&parts.method, path) {
        Some((id, args)) => (Some(id.to_owned()), args),
        None => (None, BTreeMap::new()),
    };
    let query = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
    args.extend(query.into_owned());
    let mut call = RecordedCall {
        path: path.to_owned(),
        method: parts.method.clone(),
        operation_id,
        args,
        body: body_of(&body),
        caller: RecordedCaller::of(&parts.headers),
        status: StatusCode::OK,
    };
    let (status, envelope) = state.respond(&call);
    call.status = status;
    state.calls.lock().push(call);
    (status, Json(envelope)).into_response()
}

fn body_of(body: &[u8]) -> Value {
    match serde_json::from_slice(body) {
        _ if body.is_empty() => Value::Null,
        Ok(json) => json,
        Err(_) => String::from_utf8_lossy(body).into_owned().into(),
    }
}
