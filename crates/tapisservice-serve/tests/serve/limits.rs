//! Clients that hold on to what they were given.

use std::time::Duration;

use tapisservice_serve::{CloseReason, Limits};

use crate::helpers::{TestServer, patient, patient_but};

const SHORT: Duration = Duration::from_millis(300);

fn short_headers() -> Limits {
    patient_but(|limits| {
        limits.header_timeout = SHORT;
    })
}

#[tokio::test]
async fn a_silent_connection_is_closed() {
    let server = TestServer::start(short_headers()).await;
    assert_eq!(server.connect().await.until_closed().await, "");
    server.closed(CloseReason::HeaderTimeout, 1).await;
}

#[tokio::test]
async fn half_a_header_is_closed() {
    let server = TestServer::start(short_headers()).await;
    let mut client = server.connect().await;
    client.send("GET /hello HTTP/1.1\r\nHost: test\r\nX-A: ").await;
    assert_eq!(client.until_closed().await, "");
    server.closed(CloseReason::HeaderTimeout, 1).await;
}

#[tokio::test]
async fn a_header_that_drips_is_closed() {
    let server = TestServer::start(short_headers()).await;
    let mut client = server.connect().await;
    client.send("GET /hello HTTP/1.1\r\nHost: test\r\nX-A: ").await;
    let (read, mut write) = client.stream.split();
    let drip = async {
        loop {
            use tokio::io::AsyncWriteExt as _;
            if write.write_all(b"a").await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let closed =
        async { while matches!(read.readable().await, Ok(())) && read.try_read(&mut [0]).is_err() {} };
    tokio::select! {
        () = drip => {}
        () = closed => {}
    }
    server.closed(CloseReason::HeaderTimeout, 1).await;
}

#[tokio::test]
async fn half_a_header_on_a_used_connection_is_closed_by_the_header_timeout() {
    let server = TestServer::start(short_headers()).await;
    let mut client = server.connect().await;
    assert_eq!(client.get("/hello").await.status(), 200);
    client.send("GET /hel").await;
    assert_eq!(client.until_closed().await, "");
    server.closed(CloseReason::HeaderTimeout, 1).await;
}

#[tokio::test]
async fn an_idle_connection_is_closed_by_the_idle_timeout() {
    let server = TestServer::start(patient_but(|limits| {
        limits.idle_timeout = SHORT;
    }))
    .await;
    let mut client = server.connect().await;
    assert_eq!(client.get("/hello").await.status(), 200);
    assert_eq!(client.until_closed().await, "");
    server.closed(CloseReason::IdleTimeout, 1).await;
}

#[tokio::test]
async fn an_idle_connection_outlives_the_header_timeout() {
    let server = TestServer::start(short_headers()).await;
    let mut client = server.connect().await;
    assert_eq!(client.get("/hello").await.status(), 200);
    tokio::time::sleep(2 * SHORT).await;
    assert_eq!(client.get("/hello").await.status(), 200);
}

#[tokio::test]
async fn half_a_pipelined_header_is_closed() {
    let limits = patient_but(|limits| {
        limits.header_timeout = SHORT;
        limits.idle_timeout = SHORT;
    });
    let server = TestServer::start(limits).await;
    let mut client = server.connect().await;
    client.send("GET /hello HTTP/1.1\r\nHost: test\r\n\r\nGET /hel").await;
    assert_eq!(client.answer().await.status(), 200);
    assert_eq!(client.until_closed().await, "");
}

#[tokio::test]
async fn a_slow_handler_is_no_idle_connection() {
    let limits = patient_but(|limits| {
        limits.header_timeout = SHORT;
        limits.idle_timeout = SHORT;
        limits.body_timeout = SHORT;
    });
    let server = TestServer::start(limits).await;
    let mut client = server.connect().await;
    client.ask("/gate").await;
    tokio::time::sleep(3 * SHORT).await;
    server.gate.add_permits(1);
    assert_eq!(client.answer().await.body, "through");
}

#[tokio::test]
async fn a_body_that_stalls_is_answered_408_and_closed() {
    let server = TestServer::start(patient_but(|limits| {
        limits.body_timeout = SHORT;
    }))
    .await;
    let mut client = server.connect().await;
    client.send("POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\nabc").await;
    let answer = client.answer().await;
    assert_eq!(
        (answer.status(), answer.closes()),
        (408, true),
        "the next request is not sent into a closed connection"
    );
    assert_eq!(client.until_closed().await, "");
}

#[tokio::test]
async fn a_body_that_makes_progress_is_read_whole() {
    let server = TestServer::start(patient_but(|limits| {
        limits.body_timeout = Duration::from_secs(5);
    }))
    .await;
    let mut client = server.connect().await;
    client.send("POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\n").await;
    for byte in ["h", "e", "l", "l", "o"] {
        tokio::time::sleep(Duration::from_millis(20)).await;
        client.send(byte).await;
    }
    assert_eq!(client.answer().await.body, "hello");
    assert_eq!(client.get("/hello").await.status(), 200);
}

#[tokio::test]
async fn a_client_that_does_not_read_its_answer_is_closed() {
    let server = TestServer::start(patient_but(|limits| {
        limits.body_timeout = SHORT;
    }))
    .await;
    let mut client = server.connect().await;
    client.ask("/large").await;
    server.closed(CloseReason::WriteTimeout, 1).await;
}

#[tokio::test]
async fn a_large_header_passes_and_a_larger_one_is_431() {
    let server = TestServer::start(patient()).await;
    for (bytes, status) in [(60_000, 200), (66_000, 431)] {
        let mut client = server.connect().await;
        let value = "a".repeat(bytes);
        client.send(format!("GET /hello HTTP/1.1\r\nHost: test\r\nX-A: {value}\r\n\r\n")).await;
        assert_eq!(client.answer().await.status(), status, "{bytes} bytes");
    }
    server.closed(CloseReason::Refused, 1).await;
}

#[tokio::test]
async fn many_header_lines_pass_and_too_many_are_431() {
    let server = TestServer::start(patient()).await;
    for (lines, status) in [(90, 200), (110, 431)] {
        let mut client = server.connect().await;
        let lines = "X-A: a\r\n".repeat(lines);
        client.send(format!("GET /hello HTTP/1.1\r\nHost: test\r\n{lines}\r\n")).await;
        assert_eq!(client.answer().await.status(), status);
    }
}

#[tokio::test]
async fn a_long_target_reaches_the_service_which_can_tell() {
    let server = TestServer::start(patient()).await;
    let mut client = server.connect().await;
    for (length, answer) in
        [(8_000, "too long: false"), (8_200, "too long: true"), (60_000, "too long: true")]
    {
        assert_eq!(client.get(&format!("/uri?{}", "a".repeat(length))).await.body, answer);
    }
}
