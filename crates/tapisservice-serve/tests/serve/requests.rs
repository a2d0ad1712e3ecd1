//! How requests and answers travel.

use std::time::Duration;

use tapisservice_serve::{CloseReason, ServeError, Server};

use crate::helpers::{PATIENCE, TestServer, patient, patient_but};

#[tokio::test]
async fn a_connection_serves_several_requests() {
    let server = TestServer::start(patient()).await;
    let mut client = server.connect().await;
    for n in 0..5 {
        let answer = client.get(&format!("/number/{n}")).await;
        assert_eq!((answer.status(), answer.body), (200, n.to_string()));
    }
    assert_eq!(server.stats.accepted(), 1);
    assert_eq!(server.stats.open(), 1);
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let server = TestServer::start(patient()).await;
    let mut client = server.connect().await;
    let requests: Vec<_> =
        (0..50).map(|n| format!("GET /number/{n} HTTP/1.1\r\nHost: test\r\n\r\n")).collect();
    client.send(requests.concat()).await;
    for n in 0..50 {
        assert_eq!(client.answer().await.body, n.to_string());
    }
}

#[tokio::test]
async fn http_1_0_closes_after_the_answer() {
    let server = TestServer::start(patient()).await;
    let mut client = server.connect().await;
    client.send("GET /hello HTTP/1.0\r\n\r\n").await;
    let answer = client.until_closed().await;
    assert!(answer.starts_with("HTTP/1.0 200 "), "{answer}");
    assert!(answer.ends_with("hello"), "{answer}");
    server.closed(CloseReason::Finished, 1).await;
}

#[tokio::test]
async fn a_request_knows_its_peer() {
    let server = TestServer::start(patient()).await;
    let mut client = server.connect().await;
    let own = client.stream.local_addr().unwrap();
    assert_eq!(client.get("/peer").await.body, own.to_string());
}

#[tokio::test]
async fn hosts_reach_the_service_as_they_were_sent() {
    let server = TestServer::start(patient()).await;
    let cases = [
        ("GET /hosts HTTP/1.1\r\n\r\n", "[] None"),
        ("GET /hosts HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", r#"["a", "b"] None"#),
        ("GET http://c/hosts HTTP/1.1\r\nHost: a\r\n\r\n", r#"["a"] Some("c")"#),
    ];
    for (request, hosts) in cases {
        let mut client = server.connect().await;
        client.send(request).await;
        assert_eq!(client.answer().await.body, hosts);
    }
}

#[tokio::test]
async fn a_malformed_request_is_400_and_closed() {
    let server = TestServer::start(patient()).await;
    let mut client = server.connect().await;
    client.send("GET / HTTP/1.1\r\nno colon\r\n\r\n").await;
    assert!(client.until_closed().await.starts_with("HTTP/1.1 400 "));
    server.closed(CloseReason::Refused, 1).await;
}

#[tokio::test]
async fn a_refused_body_is_not_read_and_the_refusal_arrives() {
    use tokio::io::AsyncWriteExt as _;
    let server = TestServer::start(patient()).await;
    let mut client = server.connect().await;
    client.send("POST /refuse HTTP/1.1\r\nHost: test\r\nContent-Length: 3000000\r\n\r\n").await;
    client.stream.write_all(&vec![b'x'; 3_000_000]).await.expect("the server goes on reading");
    let answer = client.answer().await;
    assert_eq!((answer.status(), answer.closes()), (413, true));
    assert_eq!(client.until_closed().await, "");
}

#[tokio::test]
async fn a_client_that_sends_for_ever_after_a_refusal_is_closed() {
    let server = TestServer::start(patient()).await;
    let mut client = server.connect().await;
    client.send("POST /refuse HTTP/1.1\r\nHost: test\r\nContent-Length: 3000000\r\n\r\nabc").await;
    assert_eq!(client.answer().await.status(), 413);
    server.closed(CloseReason::Finished, 1).await;
}

#[tokio::test]
async fn a_client_that_leaves_ends_its_request() {
    let server = TestServer::start(patient()).await;
    let mut client = server.connect().await;
    client.ask("/gate").await;
    server.wait_for(|stats| stats.open() == 1).await;
    drop(client);
    server.closed(CloseReason::Broken, 1).await;
}

#[tokio::test]
async fn a_panic_ends_its_connection_only() {
    let server = TestServer::start(patient()).await;
    let mut other = server.connect().await;
    assert_eq!(other.get("/hello").await.status(), 200);
    let mut client = server.connect().await;
    client.ask("/panic").await;
    assert_eq!(client.until_closed().await, "");
    server.closed(CloseReason::Panicked, 1).await;
    assert_eq!(other.get("/hello").await.status(), 200);
    assert_eq!(server.stats.open(), 1);
}

#[tokio::test]
async fn a_port_in_use_says_so_and_what_to_do() {
    let server = TestServer::start(patient()).await;
    let error = Server::bind(server.address).await.unwrap_err();
    assert!(matches!(error, ServeError::AddressInUse { .. }));
    let message = error.to_string();
    assert!(message.contains(&server.address.to_string()) && message.contains("`listen`"), "{message}");
}

#[tokio::test]
async fn the_port_is_free_again_after_the_end() {
    let server = TestServer::start(patient()).await;
    let mut client = server.connect().await;
    assert_eq!(client.get("/hello").await.status(), 200);
    let address = server.address;
    server.shutdown.trigger();
    server.stopped().await;
    Server::bind(address).await.expect("connections in TIME_WAIT do not hold the port");
}

#[tokio::test]
async fn limits_that_serve_nobody_are_refused() {
    let server = Server::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let limits = patient_but(|limits| {
        limits.idle_timeout = Duration::ZERO;
    });
    let refused = server.serve(axum::Router::new(), limits, tapisservice_serve::Shutdown::new());
    let error = tokio::time::timeout(PATIENCE, refused).await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "`idle_timeout_seconds` must be greater than zero");
}
