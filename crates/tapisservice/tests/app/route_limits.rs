//! A limit that a route declares is the one that holds for it, and is told.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::routing::post;
use http::Method;
use http_body_util::BodyExt as _;
use serde_json::json;
use tapisservice::prelude::*;
use tapisservice::{BodyLimit, RequestTimeoutLayer};

use crate::helpers::{Running, exchange, raw_exchange, request, start};

/// How often the handlers below `/counted` were called. Only one test calls them.
static COUNTED: AtomicUsize = AtomicUsize::new(0);

async fn count(body: Body) -> Result<Envelope<usize>> {
    COUNTED.fetch_add(1, Ordering::Relaxed);
    read(body).await
}

#[utoipa::path(post, path = "/counted/upload", operation_id = "countedUpload", request_body = String, responses((status = 200)))]
async fn counted_upload(body: Body) -> Result<Envelope<usize>> {
    count(body).await
}

async fn read(body: Body) -> Result<Envelope<usize>> {
    Ok(Envelope::new(body.collect().await?.to_bytes().len()))
}

#[utoipa::path(post, path = "/upload", operation_id = "upload", request_body = String, responses((status = 200)))]
async fn upload(body: Body) -> Result<Envelope<usize>> {
    read(body).await
}

#[utoipa::path(post, path = "/note", operation_id = "note", request_body = String, responses((status = 200)))]
async fn note(body: Body) -> Result<Envelope<usize>> {
    read(body).await
}

/// Longer than `request_timeout_seconds` below.
#[utoipa::path(get, path = "/long", operation_id = "long", responses((status = 200)))]
async fn long() -> Envelope<()> {
    tokio::time::sleep(Duration::from_millis(400)).await;
    Envelope::new(())
}

#[utoipa::path(get, path = "/never", operation_id = "never", responses((status = 200)))]
async fn never() -> Envelope<()> {
    std::future::pending().await
}

#[utoipa::path(get, path = "/default", operation_id = "default", responses((status = 200)))]
async fn default() -> Envelope<()> {
    std::future::pending().await
}

const MINUTE: Duration = Duration::from_mins(1);
const SHORT: Duration = Duration::from_millis(50);

fn routes() -> Routes {
    let public = Policy::public;
    let sets = Routes::new()
        .route(public(), "/set/short", axum::routing::get(never))
        .route(public(), "/set/own", axum::routing::get(long).timeout(MINUTE))
        .timeout(SHORT)
        .streaming();
    Routes::new()
        .add(public(), handlers!(counted_upload).body_limit(BodyLimit::new(2000)))
        .route(public(), "/counted/plain", post(count).body_limit(BodyLimit::new(2000)))
        .add(public(), handlers!(upload).body_limit(BodyLimit::new(2000)).streaming())
        .add(public(), handlers!(note).body_limit(BodyLimit::new(10)))
        .add(public(), handlers!(long).timeout(MINUTE))
        .add(public(), handlers!(never).timeout(SHORT))
        .add(public(), handlers!(default))
        .route(public(), "/plain/upload", post(read).body_limit(BodyLimit::new(2000)).timeout(MINUTE))
        .route(public(), "/plain/never", axum::routing::get(never).timeout(SHORT))
        .route(
            public(),
            "/layered",
            axum::routing::get(never).layer(RequestTimeoutLayer::new(SHORT)).timeout(MINUTE),
        )
        .merge(sets)
}

async fn started() -> Running {
    start(routes(), json!({"max_body_bytes": 1000, "request_timeout_seconds": 0.3}), |app| app).await
}

async fn post_bytes(running: &Running, path: &str, bytes: usize) -> u16 {
    let request = request(Method::POST, &format!("/v3/demo{path}"));
    running.send(request.body(Body::from("x".repeat(bytes))).unwrap()).await.status.as_u16()
}

#[tokio::test]
async fn a_body_is_held_to_the_limit_of_its_own_route() {
    let running = started().await;
    for (path, limit) in [("/upload", 2000), ("/note", 10), ("/plain/upload", 2000)] {
        assert_eq!(post_bytes(&running, path, limit).await, 200, "{path}");
        assert_eq!(post_bytes(&running, path, limit + 1).await, 413, "{path}");
    }
}

#[tokio::test]
async fn a_request_has_the_time_of_its_own_route() {
    let running = started().await;
    for (path, told) in [
        ("/long", None),
        ("/set/own", None),
        ("/never", Some("longer than 0.05 s")),
        ("/plain/never", Some("longer than 0.05 s")),
        ("/set/short", Some("longer than 0.05 s")),
        ("/layered", Some("longer than 0.05 s")),
        ("/default", Some("longer than 0.3 s")),
    ] {
        let response = running.get_anonymously(&format!("/v3/demo{path}")).await;
        assert_eq!(response.status, if told.is_some() { 504 } else { 200 }, "{path}");
        assert!(told.is_none_or(|told| response.message().contains(told)), "{path}: {}", response.message());
    }
}

#[tokio::test]
async fn limits_hold_over_http_and_an_announced_excess_reaches_no_handler() {
    let running = started().await;
    let address = running.serve().await;
    for path in ["/counted/upload", "/counted/plain"] {
        // No byte of the body is sent, so the response cannot have waited for it.
        let head = format!("POST /v3/demo{path} HTTP/1.1\r\nContent-Length: 2001\r\n");
        let (text, _) = raw_exchange(address, &head, b"").await;
        assert!(text.starts_with("HTTP/1.1 413 "), "{path}: {text}");
    }
    assert_eq!(COUNTED.load(Ordering::Relaxed), 0);
    let head = "POST /v3/demo/counted/upload HTTP/1.1\r\nContent-Length: 2000\r\n";
    assert_eq!(exchange(address, head, &[b'x'; 2000]).await.0, 200);
    assert_eq!(COUNTED.load(Ordering::Relaxed), 1);
    for (path, status) in [("/long", 200), ("/never", 504), ("/plain/never", 504), ("/default", 504)] {
        let head = format!("GET /v3/demo{path} HTTP/1.1\r\n");
        assert_eq!(exchange(address, &head, b"").await.0, status, "{path}");
    }
}

#[tokio::test]
async fn the_list_of_routes_shows_limits_that_differ_from_the_settings() {
    let running = started().await;
    let listed: Vec<_> = running.app.routes().iter().map(ToString::to_string).collect();
    for line in [
        "POST   /upload                  public                 upload body_limit=2000 streaming",
        "POST   /note                    public                 note body_limit=10",
        "GET    /long                    public                 long timeout=60s",
        "GET    /default                 public                 default",
        "POST   /plain/upload            public                 - timeout=60s body_limit=2000",
        "GET    /set/short               public                 - timeout=0.05s streaming",
        "GET    /set/own                 public                 - timeout=60s streaming",
        "GET    /hello                   public (token ignored) hello",
    ] {
        assert!(listed.iter().any(|listed| listed == line), "{line}: {listed:#?}");
    }
}
