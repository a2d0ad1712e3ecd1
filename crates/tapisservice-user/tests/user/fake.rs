//! An Authenticator that gives scripted responses and records the requests.

use std::collections::VecDeque;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Method, StatusCode, Uri};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tapisservice_user::UserClient;
use tapisservice_user::UserClientBuilder;

#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) request: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

struct Script {
    responses: VecDeque<(u16, Value)>,
    asked: Vec<Asked>,
}

#[derive(Clone)]
pub(crate) struct Fake {
    pub(crate) url: String,
    script: Arc<Mutex<Script>>,
}

impl Fake {
    /// Answers in this order with status and envelope, then with 500.
    pub(crate) async fn responding(responses: impl IntoIterator<Item = (u16, Value)>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let script = Script { responses: responses.into_iter().collect(), asked: Vec::new() };
        let fake = Self { url, script: Arc::new(Mutex::new(script)) };
        let router = Router::new().fallback(response).with_state(fake.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        fake
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.script.lock().asked.clone()
    }

    /// A client builder of the tenant tacc, which is not looked up.
    pub(crate) fn builder(&self) -> UserClientBuilder {
        UserClient::builder(&self.url).tenant("tacc")
    }
}

async fn response(
    State(fake): State<Fake>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let body = serde_json::from_slice(&body).unwrap_or_default();
    let mut script = fake.script.lock();
    script.asked.push(Asked { request: format!("{method} {uri}"), headers, body });
    let (status, envelope) =
        script.responses.pop_front().unwrap_or((500, json!({"message": "nothing more to say"})));
    (StatusCode::from_u16(status).unwrap(), axum::Json(envelope)).into_response()
}

pub(crate) fn granted(access: &str) -> (u16, Value) {
    let result = json!({
        "access_token": {"access_token": access, "expires_in": 14400},
        "refresh_token": {"refresh_token": "canary-refresh", "expires_in": 1_000_000},
    });
    (
        201,
        json!({"status": "success", "message": "Token created successfully.", "version": "dev", "result": result}),
    )
}

pub(crate) fn refused(status: u16, message: &str) -> (u16, Value) {
    (status, json!({"status": "error", "message": message, "version": "dev", "result": null}))
}
