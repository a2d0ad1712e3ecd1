//! Protocols are not switched, and nobody is told that they were.

use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use http::StatusCode;
use http::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, UPGRADE};
use serde_json::json;
use tapisservice::logs::{Capture, LogSettings, subscriber};
use tapisservice::prelude::*;

use crate::helpers::{raw_exchange, start};

const HANDSHAKE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// What the extractor of axum for a `WebSocket` answers.
async fn switching() -> Response {
    let headers = [
        (CONNECTION, "upgrade"),
        (UPGRADE, "websocket"),
        (SEC_WEBSOCKET_ACCEPT, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
    ];
    (StatusCode::SWITCHING_PROTOCOLS, headers).into_response()
}

#[tokio::test]
async fn a_websocket_is_refused_with_501_and_fewer_lines_than_requests() {
    let routes = Routes::new()
        .route(Policy::public(), "/socket", get(switching))
        .route(Policy::authenticated(), "/mine", get(switching))
        .route(Policy::public(), "/early", get(|| async { StatusCode::EARLY_HINTS }))
        .route(Policy::public(), "/plain", get(|| async { Envelope::new("as ever") }));
    let settings: LogSettings = serde_json::from_str(r#"{"log_level": "INFO"}"#).unwrap();
    let capture = Capture::default();
    let running = start(routes, json!({}), |app| app).await;
    let address = running.serve().await;
    let _second = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::new());
    let _guard = tracing::subscriber::set_default(subscriber(&settings, capture.clone()));
    let token = format!("X-Tapis-Token: {}\r\n", running.alice());
    let cases = [
        ("/socket", "", 501, "protocol upgrades"),
        ("/mine", "", 401, "No Tapis access token"),
        ("/mine", &*token, 501, "protocol upgrades"),
        ("/nothing", "", 404, "does not exist"),
        ("/early", "", 500, "no final response"),
        // Upgrade may be ignored (RFC 9110, 7.8).
        ("/plain", "", 200, "as ever"),
    ];
    for (path, token, status, message) in cases {
        let head = format!("GET /v3/demo{path} HTTP/1.1\r\n{token}{HANDSHAKE}");
        let (text, _) = raw_exchange(address, &head, b"").await;
        assert!(text.starts_with(&format!("HTTP/1.1 {status} ")) && text.contains(message), "{path}: {text}");
        let headers = text.split("\r\n\r\n").next().unwrap().to_ascii_lowercase();
        assert!(!headers.contains("upgrade") && !headers.contains("sec-websocket-accept"), "{path}: {text}");
    }
    for _ in 0..40 {
        let head = format!("GET /v3/demo/socket HTTP/1.1\r\n{HANDSHAKE}");
        assert!(raw_exchange(address, &head, b"").await.0.starts_with("HTTP/1.1 501 "));
    }
    let lines = capture.lines();
    let told = lines.iter().filter(|line| line.contains("a handler returned 101")).count();
    assert_eq!(told, 20, "{lines:#?}");
}
