//! Every response is an envelope (docs/PROTOCOL.md, section 4).

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::routing::{get, post};
use http::header::{ALLOW, CONTENT_TYPE, ETAG, RETRY_AFTER, SET_COOKIE, WWW_AUTHENTICATE};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use tapisservice::prelude::*;
use tapisservice::{BodyLimit, RequestTimeoutLayer};

use crate::helpers::{TestResponse, request, start};

#[derive(Debug, thiserror::Error)]
#[error("canary in the text of an error")]
struct Foreign;

#[derive(Debug, thiserror::Error)]
#[error("the shelf is full")]
struct ShelfFull;

impl ServiceError for ShelfFull {
    fn to_error(&self) -> Error {
        Error::conflict("The shelf is full.")
    }
}

#[derive(serde::Deserialize)]
struct Item {
    stars: u8,
}

async fn item(Json(item): Json<Item>) -> Envelope<u8> {
    Envelope::new(item.stars)
}

async fn foreign() -> Result<Envelope<()>> {
    Err(Foreign).unrecognized()
}

async fn shelf() -> Result<Envelope<()>> {
    Err(ShelfFull.into())
}

async fn slow() -> Envelope<()> {
    tokio::time::sleep(Duration::from_secs(2)).await;
    Envelope::new(())
}

async fn panics() -> Envelope<()> {
    panic!("canary in a panic")
}

/// What a library might answer by itself.
async fn plain() -> (StatusCode, &'static str) {
    (StatusCode::BAD_REQUEST, "canary in plain text")
}

async fn wrong_type() -> axum::Json<std::collections::HashMap<(u8, u8), u8>> {
    axum::Json([((1, 2), 3)].into_iter().collect())
}

fn routes() -> Routes {
    let public = Policy::public;
    Routes::new()
        .route(public(), "/big", post(|_: Bytes| async { Envelope::new(()) }))
        .body_limit(BodyLimit::new(5000))
        .route(public(), "/item", post(item))
        .route(public(), "/foreign", get(foreign))
        .route(public(), "/shelf", get(shelf))
        .route(public(), "/slow", get(slow))
        .route(public(), "/patient", get(slow).layer(RequestTimeoutLayer::new(Duration::from_mins(1))))
        .route(public(), "/panics", get(panics))
        .route(public(), "/plain", get(plain))
        .route(public(), "/wrong-type", get(wrong_type))
        .route(public(), "/unavailable", get(|| async { Error::unavailable("later") }))
        .route(Policy::authenticated(), "/mine", get(|| async { Error::permissions("not yours") }))
}

fn assert_error(response: &TestResponse, status: u16, message: &str) {
    assert_eq!(response.status.as_u16(), status, "{response:?}");
    let expected =
        json!({"message": response.message(), "result": null, "status": "error", "version": "1.2.3"});
    assert_eq!(response.body, expected);
    assert!(response.message().contains(message), "{response:?}");
    assert!(!response.message().contains("canary"), "{response:?}");
    assert_eq!(response.headers[CONTENT_TYPE], "application/json");
}

#[tokio::test]
async fn every_failure_is_an_envelope_that_tells_no_more_than_it_may() {
    let changes = json!({"max_body_bytes": 1000, "request_timeout_seconds": 0.5, "max_uri_bytes": 300});
    let running = start(routes(), changes, |app| app).await;
    let long = format!("/v3/demo/{}", "a".repeat(300));
    let gets = [
        ("/v3/demo/nothing", 404, "does not exist"),
        ("/nothing", 404, "does not exist"),
        ("/v3/demo/item", 405, "not allowed"),
        ("/v3/demo/foreign", 500, "Unrecognized exception type app::envelope::Foreign"),
        ("/v3/demo/shelf", 409, "The shelf is full."),
        ("/v3/demo/slow", 504, "longer than 0.5 s"),
        ("/v3/demo/panics", 500, "Unrecognized exception type panic"),
        ("/v3/demo/plain", 400, "The request is not valid."),
        ("/v3/demo/wrong-type", 500, ""),
        ("/v3/demo/unavailable", 503, "later"),
        ("/v3/demo/mine", 401, "No Tapis access token found"),
        (&long, 414, "longer than 300 bytes"),
    ];
    for (path, status, message) in gets {
        assert_error(&running.get_anonymously(path).await, status, message);
    }
    assert_eq!(running.get_anonymously("/v3/demo/item").await.headers[ALLOW], "POST");
    assert!(running.get_anonymously("/v3/demo/unavailable").await.headers.contains_key(RETRY_AFTER));
    let refused = running.get_anonymously("/v3/demo/mine").await;
    assert!(refused.headers[WWW_AUTHENTICATE].to_str().unwrap().starts_with("TapisJWT"));
    assert_eq!(
        running.get_anonymously("/v3/demo/patient").await.status,
        200,
        "a route may have a limit of its own"
    );
}

#[tokio::test]
async fn failures_keep_the_headers_of_handlers_and_layers_but_not_those_of_the_replaced_body() {
    let busy = || async {
        let headers = [("retry-after", "7"), ("content-language", "en"), ("x-limit", "12")];
        (StatusCode::TOO_MANY_REQUESTS, headers, "canary")
    };
    let full = || async {
        Err::<(), _>(ShelfFull).map_err(|error| error.to_error().with_header(ETAG, "\"v1\"".parse().unwrap()))
    };
    let cookie = axum::middleware::map_response(|mut response: axum::response::Response| async {
        response.headers_mut().append(SET_COOKIE, "a=1".parse().unwrap());
        response.headers_mut().append(SET_COOKIE, "b=2".parse().unwrap());
        response
    });
    let routes = Routes::new().route(Policy::public(), "/busy", get(busy).layer(cookie.clone())).route(
        Policy::public(),
        "/full",
        get(full).layer(cookie),
    );
    let running = start(routes, json!({}), |app| app).await;

    let response = running.get_anonymously("/v3/demo/busy").await;
    assert_error(&response, 429, "Too Many Requests");
    assert_eq!(response.headers["retry-after"], "7");
    assert_eq!(response.headers["x-limit"], "12");
    assert!(!response.headers.contains_key("content-language"), "{response:?}");

    let response = running.get_anonymously("/v3/demo/full").await;
    assert_error(&response, 409, "The shelf is full.");
    assert_eq!(response.headers[ETAG], "\"v1\"");
    assert_eq!(response.headers.get_all(SET_COOKIE).iter().collect::<Vec<_>>(), ["a=1", "b=2"]);
}

#[tokio::test]
async fn a_code_for_programs_and_metadata_are_the_fifth_stanza_of_a_failure() {
    let full = || async {
        let limit = serde_json::Map::from_iter([("limit".to_owned(), 12.into())]);
        Error::conflict("The shelf is full.").with_code("shelf_full").with_metadata(limit)
    };
    let routes = Routes::new().route(Policy::public(), "/full", get(full));
    let running = start(routes, json!({}), |app| app).await;
    let response = running.get_anonymously("/v3/demo/full").await;
    assert_eq!(response.status, 409);
    assert_eq!(response.body["metadata"], json!({"limit": 12, "code": "shelf_full"}));
}

#[tokio::test]
async fn a_body_that_does_not_fit_is_refused_by_what_is_wrong_with_it() {
    let running = start(routes(), json!({"max_body_bytes": 1000}), |app| app).await;
    let cases = [
        ("/v3/demo/item", "application/json", r#"{"stars": 5}"#.to_owned(), 200, ""),
        ("/v3/demo/item", "application/json; charset=utf-8", r#"{"stars": 5}"#.to_owned(), 200, ""),
        ("/v3/demo/item", "application/merge-patch+json", r#"{"stars": 5}"#.to_owned(), 200, ""),
        ("/v3/demo/item", "text/plain", r#"{"stars": 5}"#.to_owned(), 415, "must be application/json"),
        ("/v3/demo/item", "application/json", "{canary".to_owned(), 400, "not valid JSON: line 1"),
        (
            "/v3/demo/item",
            "application/json",
            r#"{"stars": "canary"}"#.to_owned(),
            400,
            "\"/stars\": expected a whole number from 0 to 255",
        ),
        (
            "/v3/demo/item",
            "application/json",
            r#"{"stars": 999}"#.to_owned(),
            400,
            "\"/stars\": expected a whole number from 0 to 255",
        ),
        ("/v3/demo/item", "application/json", " ".repeat(1001), 413, "too large"),
        ("/v3/demo/big", "application/octet-stream", "x".repeat(4999), 200, ""),
        ("/v3/demo/big", "application/octet-stream", "x".repeat(5001), 413, "too large"),
    ];
    for (path, media_type, body, status, message) in cases {
        let request =
            request(Method::POST, path).header(CONTENT_TYPE, media_type).body(Body::from(body)).unwrap();
        let response = running.send(request).await;
        if status == 200 {
            assert_eq!(response.status, 200, "{response:?}");
        } else {
            assert_error(&response, status, message);
        }
    }
}

#[tokio::test]
async fn show_traceback_tells_the_text_and_nothing_else_changes() {
    let running = start(routes(), json!({"show_traceback": true}), |app| app).await;
    let response = running.get_anonymously("/v3/demo/foreign").await;
    assert!(response.message().starts_with("Unrecognized exception type "));
    assert!(response.message().ends_with(": canary in the text of an error"));
    let panicked = running.get_anonymously("/v3/demo/panics").await;
    assert_eq!(panicked.message(), "Unrecognized exception type panic: canary in a panic");
}

/// It once told what the log masks.
#[tokio::test]
async fn show_traceback_tells_no_secret() {
    tapisservice::logs::redact_secret("hunter2-of-a-traceback");
    let routes = Routes::new().route(Policy::public(), "/careless", get(careless));
    let running = start(routes, json!({"show_traceback": true}), |app| app).await;
    let response = running.get_anonymously("/v3/demo/careless").await;
    assert_eq!(response.message(), "Unrecognized exception type panic: bad password ***");
}

async fn careless() {
    panic!("bad password hunter2-of-a-traceback");
}

#[tokio::test]
async fn legacy_status_turns_refusals_into_400_and_leaves_the_rest() {
    let running = start(routes(), json!({"legacy_error_status": true}), |app| app).await;
    let refused = running.get_anonymously("/v3/demo/mine").await;
    assert_eq!((refused.status.as_u16(), refused.headers.contains_key(WWW_AUTHENTICATE)), (400, false));
    assert_eq!(running.get("/v3/demo/mine").await.status, 400);
    assert_eq!(running.get_anonymously("/v3/demo/nothing").await.status, 404);
    assert_eq!(running.get_anonymously("/v3/demo/unavailable").await.status, 503);
}

#[tokio::test]
async fn pretty_is_asked_for_by_name_and_value() {
    let running = start(routes(), json!({}), |app| app).await;
    let text = async |path: &str| {
        let request = request(Method::GET, path).body(Body::empty()).unwrap();
        let response = tower::ServiceExt::oneshot(running.app.service(), request).await.unwrap();
        let body = http_body_util::BodyExt::collect(response.into_body()).await.unwrap().to_bytes();
        assert!(serde_json::from_slice::<Value>(&body).is_ok());
        body.starts_with(b"{\n")
    };
    assert!(text("/v3/demo/healthcheck?pretty=true").await);
    assert!(text("/v3/demo/nothing?x=1&pretty=true").await);
    assert!(text("/v3/demo/healthcheck?pretty=True").await, "as Python writes it");
    assert!(!text("/v3/demo/healthcheck?pretty=false").await);
    assert!(!text("/v3/demo/healthcheck?notpretty=true").await);
}
