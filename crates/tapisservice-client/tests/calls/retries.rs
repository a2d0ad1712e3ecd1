//! Which call is repeated how often, counted on the server.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::Method;
use serde_json::json;
use tapisservice_client::transport::{BreakerState, RetryPolicy};
use tapisservice_client::{
    CallDestination, ClientError, ResourceClient, Transport, TransportSettings, Upload,
};
use tapisservice_core::Seconds;
use tokio::net::TcpListener;

use crate::helpers::{Server, response, transport, transport_with};

#[tokio::test]
async fn only_idempotent_methods_and_passing_failures_are_repeated() {
    let server = Server::start().await;
    let caller = server.resource_client();
    for (method, tries) in [
        (Method::GET, 3),
        (Method::HEAD, 3),
        (Method::PUT, 3),
        (Method::DELETE, 3),
        (Method::OPTIONS, 3),
        (Method::POST, 1),
        (Method::PATCH, 1),
    ] {
        for (status, passing) in [
            (429, true),
            (502, true),
            (503, true),
            (504, true),
            (400, false),
            (401, false),
            (404, false),
            (408, false),
            (409, false),
            (425, false),
            (500, false),
            (501, false),
        ] {
            server.statuses(&[status; 3]);
            let error = caller.request(method.clone(), "/v3/x").body_json(1).send().await.unwrap_err();
            let seen = server.take();
            assert_eq!(error.status().map(|s| s.as_u16()), Some(status));
            assert_eq!(seen.len(), if passing { tries } else { 1 }, "{method} {status}");
            assert!(seen.iter().all(|r| r.method == method && r.body == b"1"), "the body is sent each time");
            // What the script has left over is for nobody.
            for _ in seen.len()..3 {
                let _ = caller.get("/v3/rest").no_retry().send().await;
            }
            server.take();
        }
    }
}

#[tokio::test]
async fn a_call_may_opt_in_or_out() {
    let server = Server::start().await;
    let caller = server.resource_client();
    server.statuses(&[503, 503]);
    caller.post("/v3/x").body_json(1).opt_in_retry().send().await.unwrap();
    assert_eq!(server.take().len(), 3);
    server.statuses(&[503]);
    assert!(caller.get("/v3/x").no_retry().send().await.is_err());
    assert_eq!(server.take().len(), 1);
}

#[tokio::test]
async fn by_default_there_are_five_repetitions() {
    let server = Server::start().await;
    let retries = RetryPolicy::default().retries;
    let caller = ResourceClient::new(&transport(retries), server.destination(), None);
    server.statuses(&[503; 9]);
    assert!(caller.get("/v3/x").send().await.is_err());
    assert_eq!(server.take().len(), 6);
}

#[tokio::test]
async fn a_body_that_streams_is_not_repeated_and_one_in_memory_is() {
    let server = Server::start().await;
    let caller = server.resource_client();
    server.statuses(&[503]);
    let streamed = Upload::reader(&b"streamed"[..]).with_length(8);
    assert!(caller.put("/v3/x").body_stream(streamed).send().await.is_err());
    assert_eq!(server.take_one().body, b"streamed");

    server.statuses(&[503]);
    caller.put("/v3/x").body_bytes("in memory").send().await.unwrap();
    let seen = server.take();
    assert_eq!(seen.len(), 2);
    assert!(seen.iter().all(|r| r.body == b"in memory"));
}

/// A port that takes connections and closes them, counting.
async fn slamming() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counter.fetch_add(1, Ordering::SeqCst);
            let mut head = [0; 1024];
            let _ = stream.readable().await;
            let _ = stream.try_read(&mut head);
        }
    });
    (base_url, count)
}

#[tokio::test]
async fn a_connection_that_breaks_is_repeated_for_a_get_and_never_for_a_post() {
    let (base_url, count) = slamming().await;
    let caller =
        ResourceClient::new(&transport(2), CallDestination::new(&base_url, "tacc", "x").unwrap(), None);
    let error = caller.post("/v3/x").body_json(1).send().await.unwrap_err();
    assert!(matches!(error, ClientError::Connection { retryable: false, .. }), "{error}");
    assert!(!error.is_retryable());
    assert_eq!(count.swap(0, Ordering::SeqCst), 1);

    let error = caller.get("/v3/x").query("token", "canary").send().await.unwrap_err();
    assert!(error.is_retryable() && !format!("{error} {error:?}").contains("canary"), "{error:?}");
    assert_eq!(count.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn nobody_there_is_a_connection_error_that_may_be_repeated_whatever_the_method() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let caller =
        ResourceClient::new(&transport(1), CallDestination::new(&base_url, "tacc", "x").unwrap(), None);
    let error = caller.post("/v3/x").send().await.unwrap_err();
    assert!(matches!(&error, ClientError::Connection { retryable: true, timeout: false, .. }), "{error:?}");
}

#[tokio::test]
async fn a_call_that_takes_too_long_ends_repetitions_included() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    let caller =
        ResourceClient::new(&transport(5), CallDestination::new(&base_url, "tacc", "x").unwrap(), None);
    let call = caller.get("/v3/x").timeout(std::time::Duration::from_millis(50));
    let error = call.send().await.unwrap_err();
    assert!(matches!(error, ClientError::Connection { timeout: true, .. }), "{error:?}");
}

#[tokio::test]
async fn a_timeout_may_be_as_long_as_anybody_writes() {
    let server = Server::start().await;
    server.resource_client().get("/v3/x").timeout(std::time::Duration::MAX).send().await.unwrap();
    let http = server.resource_client().http_client().get(format!("{}/v3/x", server.base_url));
    assert!(http.timeout(std::time::Duration::MAX).send().await.is_ok());
}

#[tokio::test]
async fn an_open_circuit_breaker_rejects_calls_and_is_reported() {
    let server = Server::start().await;
    let mut settings = TransportSettings::default();
    settings.client_breaker_failures = 2;
    settings.client_breaker_seconds = Seconds::new(3600);
    let transport: Transport = transport_with(0, &settings);
    let caller = ResourceClient::new(&transport, server.destination(), None);
    server.statuses(&[404, 500, 503]);
    for _ in 0..3 {
        assert!(caller.get("/v3/x").send().await.is_err());
    }
    assert_eq!(transport.breakers()[0].failures, 1, "404 and 500 are responses");
    server.statuses(&[503]);
    assert!(caller.post("/v3/x").send().await.is_err());
    server.take();

    let error = caller.get("/v3/x").send().await.unwrap_err();
    assert!(
        matches!(&error, ClientError::CircuitOpen { site, service, .. } if site == "tacc" && service == "recorder")
    );
    assert!(error.is_retryable() && server.take().is_empty());
    let report = &transport.breakers()[0];
    assert_eq!((report.state, report.opened, report.rejected), (BreakerState::Open, 1, 1));

    let other = CallDestination::new(&server.base_url, "tacc", "other").unwrap();
    assert!(ResourceClient::new(&transport, other, None).get("/v3/x").send().await.is_ok());
    // A second client of the same destination shares its circuit breaker, plain HTTP clients included.
    let http = ResourceClient::new(&transport, server.destination(), None).http_client();
    assert!(http.get(format!("{}/v3/x", server.base_url)).send().await.is_err());
}

#[tokio::test]
async fn retry_after_of_the_last_response_is_told() {
    let server = Server::start().await;
    server.respond(response(
        429,
        &[("retry-after", "7"), ("content-type", "application/json")],
        json!({"message": "slow down", "version": "2"}).to_string(),
    ));
    let error = server.resource_client().post("/v3/x").send().await.unwrap_err();
    let ClientError::Status(status) = &error else { panic!("{error:?}") };
    assert_eq!((status.retry_after.map(|d| d.as_secs()), status.message.as_str()), (Some(7), "slow down"));
    assert_eq!(status.version.as_deref(), Some("2"));
}
