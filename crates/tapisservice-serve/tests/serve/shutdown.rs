//! The order of the end (F18).

use std::time::Duration;

use tapisservice_serve::{CloseReason, Limits, Stopped};
use tokio::net::TcpStream;

use crate::helpers::{PATIENCE, TestServer, patient, patient_but};

/// A drain that ends only when a test has seen what it came for.
fn long_drain() -> Limits {
    patient_but(|limits| {
        limits.drain = Duration::from_secs(3);
    })
}

fn aborted(stopped: &Stopped) -> usize {
    stopped.aborted
}

#[tokio::test]
async fn while_draining_new_clients_are_served_and_told_to_leave() {
    let server = TestServer::start(long_drain()).await;
    let mut idle = server.connect().await;
    assert!(!idle.get("/hello").await.closes());

    server.shutdown.trigger();
    assert!(server.shutdown.is_draining());
    let mut newcomer = server.connect().await;
    for client in [&mut idle, &mut newcomer] {
        let answer = client.get("/hello").await;
        assert_eq!((answer.status(), answer.closes()), (200, true), "{answer:?}");
    }
    assert_eq!(idle.until_closed().await, "");
    assert_eq!(aborted(&server.stopped().await), 0);
}

#[tokio::test]
async fn half_open_and_idle_connections_do_not_delay_the_end() {
    let server = TestServer::start(patient()).await;
    let silent = server.connect().await;
    let mut half = server.connect().await;
    half.send("GET /hello HTTP/1.1\r\nHost: test\r\nX-A: ").await;
    let mut idle = server.connect().await;
    assert_eq!(idle.get("/hello").await.status(), 200);
    server.wait_for(|stats| stats.open() == 3).await;

    server.shutdown.trigger();
    let stats = server.stats.clone();
    assert_eq!(aborted(&server.stopped().await), 0);
    assert_eq!(stats.closed(CloseReason::Drained), 3);
    assert_eq!(stats.open(), 0);
    for client in [silent, half, idle] {
        assert_eq!(client.until_closed().await, "");
    }
}

#[tokio::test]
async fn a_request_in_flight_finishes_whole_after_the_listener_is_gone() {
    let server = TestServer::start(patient()).await;
    let mut working = server.connect().await;
    working.ask("/gate").await;
    let mut halfway = server.connect().await;
    halfway.send("GET /halves HTTP/1.0\r\n\r\n").await;
    halfway.stream.readable().await.unwrap();
    server.wait_for(|stats| stats.open() == 2).await;

    server.shutdown.trigger();
    let refused = async { while TcpStream::connect(server.address).await.is_ok() {} };
    tokio::time::timeout(PATIENCE, refused).await.expect("the listener closes");
    assert!(!server.running.is_finished());

    server.gate.add_permits(2);
    let answer = working.answer().await;
    assert_eq!((answer.body.as_str(), answer.closes()), ("through", true));
    assert!(halfway.until_closed().await.ends_with("first half, second half"));
    assert_eq!(aborted(&server.stopped().await), 0);
}

#[tokio::test]
async fn a_request_being_sent_when_the_drain_ends_finishes_too() {
    let server = TestServer::start(patient()).await;
    let mut client = server.connect().await;
    client.send("POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nhe").await;
    server.wait_for(|stats| stats.open() == 1).await;
    // The head has been read when another request, sent later, is answered.
    assert_eq!(server.connect().await.get("/hello").await.status(), 200);

    server.shutdown.trigger();
    let refused = async { while TcpStream::connect(server.address).await.is_ok() {} };
    tokio::time::timeout(PATIENCE, refused).await.expect("the listener closes");
    client.send("llo").await;
    assert_eq!(client.answer().await.body, "hello");
    assert_eq!(aborted(&server.stopped().await), 0);
}

#[tokio::test]
async fn what_is_left_at_the_deadline_is_dropped() {
    let limits = patient_but(|limits| {
        limits.shutdown = Duration::from_millis(300);
    });
    let server = TestServer::start(limits).await;
    let mut client = server.connect().await;
    client.ask("/gate").await;
    server.wait_for(|stats| stats.open() == 1).await;
    assert!(client.hears_nothing().await);

    server.shutdown.trigger();
    let stats = server.stats.clone();
    assert_eq!(aborted(&server.stopped().await), 1);
    assert_eq!(stats.closed(CloseReason::Aborted), 1);
    assert_eq!(client.until_closed().await, "");
}
