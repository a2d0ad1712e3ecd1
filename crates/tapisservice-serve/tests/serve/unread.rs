//! Requests that are answered before their body was read (F29).

use std::time::Duration;

use tapisservice_serve::CloseReason;

use crate::helpers::{Client, TestServer, patient, patient_but};

/// Bytes that are read to be thrown away.
const BOUND: usize = 256 * 1024;

fn head(method: &str, path: &str, framing: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: test\r\n{framing}\r\n\r\n")
}

fn chunked(bytes: usize) -> Vec<u8> {
    let mut body = Vec::new();
    let mut left = bytes;
    while left > 0 {
        let chunk = left.min(10_000);
        body.extend(format!("{chunk:x}\r\n{}\r\n", "x".repeat(chunk)).into_bytes());
        left -= chunk;
    }
    body.extend(b"0\r\n\r\n");
    body
}

async fn goes_on(client: &mut Client, case: &str) {
    let answer = client.get("/hello").await;
    assert_eq!((answer.status(), answer.body.as_str()), (200, "hello"), "{case}");
}

#[tokio::test]
async fn the_answer_goes_out_before_a_short_body_is_sent_and_the_connection_goes_on() {
    let server = TestServer::start(patient()).await;
    let mut client = server.connect().await;
    for method in ["POST", "PUT", "PATCH", "DELETE", "GET", "OPTIONS", "REPORT"] {
        for path in ["/unread", "/unread-ok", "/nowhere"] {
            for bytes in [1, 2, 10_000, BOUND] {
                let case = format!("{method} {path} {bytes}");
                client.send(head(method, path, &format!("Content-Length: {bytes}"))).await;
                let answer = client.answer().await;
                assert!(!answer.closes(), "{case}");
                client.send("x".repeat(bytes)).await;
                goes_on(&mut client, &case).await;
            }
        }
    }
    assert_eq!(server.stats.accepted(), 1);
}

#[tokio::test]
async fn a_body_sent_with_its_head_does_not_become_the_next_request() {
    let server = TestServer::start(patient()).await;
    let mut client = server.connect().await;
    for bytes in [2, 30_000, BOUND] {
        for framing in ["Content-Length", "Transfer-Encoding"] {
            let (framing, body) = match framing {
                "Content-Length" => (format!("Content-Length: {bytes}"), "x".repeat(bytes).into_bytes()),
                _ => ("Transfer-Encoding: chunked".to_owned(), chunked(bytes)),
            };
            let mut all = head("POST", "/unread", &framing).into_bytes();
            all.extend(body);
            all.extend(head("GET", "/hello", "X-A: pipelined").into_bytes());
            client.send(all).await;
            let case = format!("{framing} {bytes}");
            let answer = client.answer().await;
            assert_eq!((answer.status(), answer.closes()), (401, false), "{case}");
            assert_eq!(client.answer().await.body, "hello", "{case}");
        }
    }
    assert_eq!(server.stats.accepted(), 1);
}

#[tokio::test]
async fn an_announced_excess_is_answered_at_once_and_the_connection_closes() {
    let server = TestServer::start(patient()).await;
    for path in ["/unread", "/unread-ok", "/refuse"] {
        for expect in ["", "\r\nExpect: 100-continue"] {
            let mut client = server.connect().await;
            client.send(head("POST", path, &format!("Content-Length: 99999999{expect}"))).await;
            let answer = client.answer().await;
            assert!(answer.closes(), "{path} {expect:?}: {answer:?}");
            assert!(!answer.head.contains("100 Continue"), "{answer:?}");
            client.send("x".repeat(1_000_000)).await;
            assert_eq!(client.until_closed().await, "", "no reset before the end of what is read");
        }
    }
}

#[tokio::test]
async fn who_waits_to_be_asked_is_answered_without_being_asked() {
    let server = TestServer::start(patient()).await;
    for framing in ["Content-Length: 5", "Transfer-Encoding: chunked"] {
        let mut client = server.connect().await;
        client.send(head("POST", "/unread", &format!("{framing}\r\nExpect: 100-Continue"))).await;
        let answer = client.answer().await;
        assert_eq!((answer.status(), answer.closes()), (401, true), "{framing}: it may send the body or not");
        assert_eq!(client.until_closed().await, "");
    }
    let mut client = server.connect().await;
    client.send(head("POST", "/echo", "Content-Length: 5\r\nExpect: 100-continue")).await;
    assert_eq!(client.answer().await.head, "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("hello").await;
    let answer = client.answer().await;
    assert_eq!((answer.body.as_str(), answer.closes()), ("hello", false));
    goes_on(&mut client, "asked").await;
}

#[tokio::test]
async fn chunks_that_do_not_end_close_the_connection_with_a_word() {
    let server = TestServer::start(patient()).await;
    for sent in [&b""[..], b"5\r\nhel", &chunked(BOUND + 1)] {
        let mut client = server.connect().await;
        client.send(head("POST", "/unread", "Transfer-Encoding: chunked")).await;
        client.send(sent).await;
        let answer = client.answer().await;
        assert_eq!((answer.status(), answer.closes()), (401, true), "{} bytes sent", sent.len());
        assert_eq!(client.until_closed().await, "");
    }
}

#[tokio::test]
async fn a_client_that_does_not_send_the_rest_is_closed() {
    let limits = patient_but(|limits| {
        limits.body_timeout = Duration::from_millis(300);
    });
    let server = TestServer::start(limits).await;
    let mut client = server.connect().await;
    client.send(head("POST", "/unread", "Content-Length: 100")).await;
    assert_eq!(client.answer().await.status(), 401);
    client.send("some").await;
    assert_eq!(client.until_closed().await, "");
    server.closed(CloseReason::Finished, 1).await;
}

#[tokio::test]
async fn the_rest_is_thrown_away_while_the_handler_works() {
    let server = TestServer::start(patient()).await;
    let mut client = server.connect().await;
    client.send(head("POST", "/unread-gate", &format!("Content-Length: {BOUND}"))).await;
    client.send("x".repeat(BOUND)).await;
    assert!(client.hears_nothing().await);
    server.gate.add_permits(1);
    let answer = client.answer().await;
    assert_eq!((answer.body.as_str(), answer.closes()), ("through", false));
    goes_on(&mut client, "after the gate").await;
}

#[tokio::test]
async fn a_body_that_another_task_lets_go_of_is_thrown_away_too() {
    let server = TestServer::start(patient()).await;
    let mut client = server.connect().await;
    client.send(head("POST", "/kept-elsewhere", "Content-Length: 200000")).await;
    client.send("x".repeat(200_000)).await;
    let answer = client.answer().await;
    assert_eq!((answer.body.as_str(), answer.closes()), ("kept", false));
    client.ask("/hello").await;
    assert!(client.hears_nothing().await, "the body comes first");
    server.gate.add_permits(1);
    assert_eq!(client.answer().await.body, "hello");

    client.send(head("POST", "/kept-elsewhere", "Transfer-Encoding: chunked")).await;
    assert!(client.answer().await.closes(), "nobody knows how much will be left");
}

#[tokio::test]
async fn http_1_0_keeps_its_connection_too() {
    let server = TestServer::start(patient()).await;
    let mut client = server.connect().await;
    for _ in 0..2 {
        client.send("POST /unread HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\n").await;
        let answer = client.answer().await;
        assert!(answer.head.to_ascii_lowercase().contains("connection: keep-alive"), "{answer:?}");
        client.send("hello").await;
    }
    client.send("POST /unread HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello").await;
    assert!(client.until_closed().await.starts_with("HTTP/1.0 401 "));
}
