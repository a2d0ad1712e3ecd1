//! Clients that close their side (F27, F30), and clients that take their answer slowly.

use std::time::{Duration, Instant};

use tapisservice_serve::CloseReason;
use tokio::io::AsyncWriteExt as _;

use crate::helpers::{Client, MOMENT, TestServer, patient, patient_but};

/// Longer than the server waits before it asks whether a client is there.
const ASKED: Duration = Duration::from_millis(2500);

async fn half_closed(server: &TestServer, request: &str) -> Client {
    let mut client = server.connect().await;
    client.send(request).await;
    client.stream.shutdown().await.unwrap();
    client
}

#[tokio::test]
async fn a_client_that_half_closes_gets_its_answer() {
    let server = TestServer::start(patient()).await;
    for request in [
        "GET /hello HTTP/1.1\r\nHost: test\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nhello",
        "POST /echo HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "GET /hello HTTP/1.0\r\n\r\n",
    ] {
        let answer = half_closed(&server, request).await.until_closed().await;
        assert!(answer.contains(" 200 OK\r\n") && answer.ends_with("hello"), "{request}: {answer}");
    }
    server.closed(CloseReason::Finished, 4).await;
}

#[tokio::test]
async fn a_client_that_half_closes_gets_its_answer_from_a_handler_that_waits() {
    let server = TestServer::start(patient()).await;
    for (wait, version) in [(MOMENT, "1.1"), (ASKED, "1.1"), (ASKED, "1.0")] {
        let client = half_closed(&server, &format!("GET /gate HTTP/{version}\r\nHost: test\r\n\r\n")).await;
        tokio::time::sleep(wait).await;
        server.gate.add_permits(1);
        let answer = client.until_closed().await;
        let asked = answer.matches("HTTP/1.1 100 Continue\r\n\r\n").count();
        assert_eq!(asked, usize::from(wait == ASKED && version == "1.1"), "{answer}");
        assert!(answer.contains(" 200 OK\r\n") && answer.ends_with("through"), "{answer}");
    }
}

#[tokio::test]
async fn pipelined_requests_before_a_half_close_are_all_answered() {
    let server = TestServer::start(patient()).await;
    let request = "GET /gate HTTP/1.1\r\nHost: test\r\n\r\n".repeat(3);
    let client = half_closed(&server, &request).await;
    for _ in 0..3 {
        tokio::time::sleep(MOMENT).await;
        server.gate.add_permits(1);
    }
    assert_eq!(client.until_closed().await.matches("through").count(), 3);
}

#[tokio::test]
async fn a_client_that_half_closes_in_the_middle_of_its_body_ends_its_request() {
    let server = TestServer::start(patient()).await;
    let request = "POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\nhello";
    let answer = half_closed(&server, request).await.until_closed().await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400 "), "{answer}");
    server.wait_for(|stats| stats.open() == 0).await;
}

#[tokio::test]
async fn a_reset_ends_the_request_at_once() {
    let server = TestServer::start(patient()).await;
    let mut client = server.connect().await;
    client.ask("/gate").await;
    server.wait_for(|stats| stats.open() == 1).await;
    assert!(client.hears_nothing().await);
    socket2::SockRef::from(&client.stream).set_linger(Some(Duration::ZERO)).unwrap();
    drop(client);
    let reset = Instant::now();
    server.closed(CloseReason::Broken, 1).await;
    assert!(reset.elapsed() < Duration::from_secs(1), "it was not asked: {:?}", reset.elapsed());
}

#[tokio::test]
async fn writing_an_answer_has_a_total_unless_the_route_streams() {
    let limits = patient_but(|limits| {
        limits.response_timeout = MOMENT;
        limits.response_min_bytes_per_second = 0;
    });
    let server = TestServer::start(limits).await;
    let mut client = server.connect().await;
    client.ask("/large").await;
    let mut streaming = server.connect().await;
    streaming.ask("/large-stream").await;
    server.closed(CloseReason::WriteTimeout, 1).await;
    tokio::time::sleep(2 * MOMENT).await;
    assert_eq!(streaming.answer().await.body.len(), 64 << 20);
    assert_eq!(streaming.get("/hello").await.status(), 200, "the next answer has limits of its own");
    assert!(client.until_closed().await.len() < 64 << 20);
}

/// The kernel would keep a megabyte for a connection that was fast once, and take nothing more for a long time: a steady reader looked as if
/// it had stopped.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_client_that_was_fast_may_take_its_next_answer_slowly() {
    use tokio::io::AsyncReadExt as _;
    let server = TestServer::start(patient()).await;
    let mut client = server.connect().await;
    socket2::SockRef::from(&client.stream).set_recv_buffer_size(4096).unwrap();
    client.ask("/megabyte").await;
    let mut some = vec![0; 1 << 20];
    client.stream.read_exact(&mut some).await.unwrap();
    client.ask("/megabyte").await;
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(11) {
        client.stream.read_exact(&mut some[..8192]).await.expect("it takes 4 KB a second");
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    assert_eq!((server.stats.open(), server.stats.closed(CloseReason::WriteTimeout)), (1, 0));
}

#[tokio::test]
async fn a_client_that_takes_a_little_now_and_then_is_closed_by_the_rate() {
    use tokio::io::AsyncReadExt as _;
    let limits = patient_but(|limits| {
        limits.response_min_bytes_per_second = 1 << 20;
    });
    let server = TestServer::start(limits).await;
    let mut client = server.connect().await;
    client.ask("/large").await;
    let mut streaming = server.connect().await;
    streaming.ask("/large-stream").await;
    let mut some = vec![0; 8192];
    while server.stats.closed(CloseReason::WriteTimeout) == 0 {
        client.stream.read_exact(&mut some).await.expect("it is closed for its pace");
        streaming.stream.read_exact(&mut some).await.expect("a stream has no rate");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(server.stats.open(), 1);
}
