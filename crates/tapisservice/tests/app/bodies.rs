//! Bodies are limited however they are read, and what is wrong with one is told whatever a handler makes of it (F20 and F21).

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Request};
use axum::routing::{get, post};
use http::{Method, StatusCode};
use http_body::Frame;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tapisservice::BodyLimit;
use tapisservice::prelude::*;

use crate::helpers::{Running, exchange, raw_exchange, request, start};

/// Every way to read a body, and to make nothing or something else of its failure.
const WAYS: [&str; 10] =
    ["json", "axum-json", "bytes", "string", "body", "request", "mapped", "swallowed", "rejection", "status"];

async fn body(body: Body) -> Result<Envelope<usize>> {
    Ok(Envelope::new(body.collect().await?.to_bytes().len()))
}

async fn whole_request(request: Request) -> Result<Envelope<usize>> {
    Ok(Envelope::new(to_bytes(request.into_body(), usize::MAX).await?.len()))
}

async fn mapped(body: Body) -> Result<Envelope<usize>> {
    let body = body.collect().await.map_err(|_| Error::conflict("something else"))?;
    Ok(Envelope::new(body.to_bytes().len()))
}

async fn swallowed(body: Body) -> Envelope<usize> {
    Envelope::new(body.collect().await.map_or(0, |body| body.to_bytes().len()))
}

async fn rejection(body: Result<Bytes, BytesRejection>) -> Envelope<bool> {
    Envelope::new(body.is_ok())
}

async fn status(body: Body) -> StatusCode {
    body.collect().await.map_or(StatusCode::IM_A_TEAPOT, |_| StatusCode::OK)
}

fn routes() -> Routes {
    let public = Policy::public;
    Routes::new()
        .route(public(), "/json", post(|Json(_): Json<Value>| async { Envelope::new(()) }))
        .route(public(), "/axum-json", post(|_: axum::Json<Value>| async { Envelope::new(()) }))
        .route(public(), "/bytes", post(|_: Bytes| async { Envelope::new(()) }))
        .route(public(), "/string", post(|_: String| async { Envelope::new(()) }))
        .route(public(), "/body", post(body))
        .route(public(), "/request", post(whole_request))
        .route(public(), "/mapped", post(mapped))
        .route(public(), "/swallowed", post(swallowed))
        .route(public(), "/rejection", post(rejection))
        .route(public(), "/status", post(status))
}

/// A body of JSON whose length nobody was told.
struct Unannounced(usize);

impl http_body::Body for Unannounced {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let piece = self.0.min(100);
        self.0 -= piece;
        Poll::Ready((piece > 0).then(|| Ok(Frame::data(Bytes::from("1".repeat(piece))))))
    }
}

async fn post_to(running: &Running, path: &str, body: Body) -> (u16, Value) {
    let request =
        request(Method::POST, &format!("/v3/demo/{path}")).header("content-type", "application/json");
    let response = running.send(request.body(body).unwrap()).await;
    (response.status.as_u16(), response.body)
}

#[track_caller]
fn assert_told(way: &str, (status, body): &(u16, Value), expected: u16, message: &str) {
    let told = body["message"].as_str().unwrap_or_default();
    assert_eq!(
        (*status, &body["status"], &body["result"]),
        (expected, &json!("error"), &Value::Null),
        "{way}: {body}"
    );
    assert!(told.contains(message), "{way}: {told}");
}

#[tokio::test]
async fn a_body_is_limited_however_it_is_read() {
    let running = start(routes(), json!({"max_body_bytes": 1000}), |app| app).await;
    for way in WAYS {
        // One digit too many for a number of JSON is none for its length.
        let fits = post_to(&running, way, Body::from(format!("\"{}\"", "1".repeat(998)))).await;
        assert_eq!(fits.0, 200, "{way}: {fits:?}");
        let announced = post_to(&running, way, Body::from("1".repeat(1001))).await;
        assert_told(way, &announced, 413, "too large");
        let unannounced = post_to(&running, way, Body::new(Unannounced(1001))).await;
        assert_told(way, &unannounced, 413, "too large");
        let endless = post_to(&running, way, Body::new(Unannounced(usize::MAX))).await;
        assert_told(way, &endless, 413, "too large");
    }
}

#[tokio::test]
async fn a_limit_of_axums_own_is_told_too() {
    let read = |request: Request| async move {
        let body = axum::RequestExt::into_limited_body(request).collect().await?;
        Ok::<_, Error>(Envelope::new(body.to_bytes().len()))
    };
    let layer = DefaultBodyLimit::max(10);
    let routes = Routes::new()
        .route(Policy::public(), "/bytes", post(|_: Bytes| async { Envelope::new(()) }).layer(layer))
        .route(Policy::public(), "/request", post(read).layer(layer));
    let running = start(routes, json!({}), |app| app).await;
    for way in ["bytes", "request"] {
        assert_eq!(post_to(&running, way, Body::from("1".repeat(10))).await.0, 200, "{way}");
        assert_told(way, &post_to(&running, way, Body::from("1".repeat(11))).await, 413, "too large");
    }
}

#[tokio::test]
async fn a_route_may_have_a_longer_limit_or_a_shorter_one_or_none() {
    let reads = || {
        Routes::new().route(Policy::public(), "/body", post(body)).route(
            Policy::public(),
            "/bytes",
            post(|body: Bytes| async move { Envelope::new(body.len()) }),
        )
    };
    let below = |prefix: &str, limit: BodyLimit| {
        Routes::new()
            .route(Policy::public(), format!("/{prefix}/body"), post(body))
            .route(
                Policy::public(),
                format!("/{prefix}/bytes"),
                post(|body: Bytes| async move { Envelope::new(body.len()) }),
            )
            .body_limit(limit)
    };
    let routes = reads()
        .merge(below("longer", BodyLimit::new(3_000_000)))
        .merge(below("shorter", BodyLimit::new(10)))
        .merge(below("none", BodyLimit::unlimited()))
        // Those that have one keep it.
        .body_limit(BodyLimit::new(2000));
    let running = start(routes, json!({"max_body_bytes": 1000}), |app| app).await;
    for (path, largest) in [("", 2000), ("shorter/", 10), ("longer/", 3_000_000), ("none/", 5_000_000)] {
        for way in ["body", "bytes"] {
            let path = format!("{path}{way}");
            let fits = post_to(&running, &path, Body::from("1".repeat(largest))).await;
            assert_eq!((fits.0, &fits.1["result"]), (200, &json!(largest)), "{path}");
            if !path.starts_with("none") {
                assert_told(
                    &path,
                    &post_to(&running, &path, Body::from("1".repeat(largest + 1))).await,
                    413,
                    "limit is",
                );
                let unannounced = Body::new(Unannounced(largest + 1));
                assert_told(&path, &post_to(&running, &path, unannounced).await, 413, "limit is");
            }
        }
    }
}

#[tokio::test]
async fn an_announced_excess_is_refused_before_the_handler_is_called_and_after_the_policy() {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = |calls: &Arc<AtomicUsize>| {
        let calls = calls.clone();
        move || async move {
            calls.fetch_add(1, Ordering::Relaxed);
            Envelope::new(())
        }
    };
    let routes = Routes::new()
        .route(Policy::authenticated(), "/mine", get(count(&calls)).post(count(&calls)))
        .route(Policy::public(), "/anybodys", post(count(&calls)));
    let running = start(routes, json!({"max_body_bytes": 1000}), |app| app).await;
    let address = running.serve().await;
    let token = format!("X-Tapis-Token: {}\r\n", running.alice());
    let cases = [
        ("POST /v3/demo/mine", &*token, 413),
        ("GET /v3/demo/mine", &*token, 413),
        ("POST /v3/demo/mine", "", 401),
        ("POST /v3/demo/nothing", &*token, 404),
        ("POST /v3/demo/anybodys", "", 413),
        ("DELETE /v3/demo/anybodys", "", 405),
        ("POST /v3/demo/anybodys", "X-Tapis-Token: canary\r\n", 401),
    ];
    for (target, token, status) in cases {
        for expect in ["", "Expect: 100-continue\r\n"] {
            // Nothing of the body is sent, so the response cannot have waited for it.
            let head = format!("{target} HTTP/1.1\r\n{token}Content-Length: 99999999\r\n{expect}");
            let (text, _) = raw_exchange(address, &head, b"").await;
            assert!(text.starts_with(&format!("HTTP/1.1 {status} ")), "{target} {expect}: {text}");
        }
    }
    assert_eq!(calls.load(Ordering::Relaxed), 0);
    let head = format!("POST /v3/demo/mine HTTP/1.1\r\n{token}Content-Length: 4\r\n");
    assert_eq!(exchange(address, &head, b"1234").await.0, 200);
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_body_that_stalls_is_408_and_a_broken_one_400_however_it_is_read() {
    let running = start(routes(), json!({"body_timeout_seconds": 0.2}), |app| app).await;
    let address = running.serve().await;
    for way in WAYS {
        let head = format!("POST /v3/demo/{way} HTTP/1.1\r\nContent-Type: application/json\r\n");
        let stalled = exchange(address, &format!("{head}Content-Length: 10\r\n"), b"123").await;
        assert_told(way, &stalled, 408, "did not arrive in time");
        let broken = exchange(address, &format!("{head}Transfer-Encoding: chunked\r\n"), b"zz\r\n").await;
        assert_told(way, &broken, 400, "could not be read");
    }
}
