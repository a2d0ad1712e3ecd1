//! More clients than there is room for.

use tapisservice_serve::CloseReason;

use crate::helpers::{TestServer, patient_but};

#[tokio::test]
async fn a_full_server_lets_the_next_one_wait() {
    let server = TestServer::start(patient_but(|limits| {
        limits.max_connections = 2;
    }))
    .await;
    let mut working = Vec::new();
    for _ in 0..2 {
        let mut client = server.connect().await;
        client.ask("/gate").await;
        working.push(client);
    }
    server.wait_for(|stats| stats.open() == 2).await;

    let mut waiting = server.connect().await;
    waiting.ask("/hello").await;
    assert!(waiting.hears_nothing().await);
    assert_eq!(server.stats.open(), 2);

    server.gate.add_permits(2);
    for client in &mut working {
        let answer = client.answer().await;
        assert_eq!(answer.body, "through");
    }
    assert_eq!(waiting.answer().await.body, "hello");
}

#[tokio::test]
async fn an_idle_connection_makes_room_for_one_that_waits() {
    let server = TestServer::start(patient_but(|limits| {
        limits.max_connections = 1;
    }))
    .await;
    let mut idle = server.connect().await;
    assert_eq!(idle.get("/hello").await.status(), 200);

    let mut newcomer = server.connect().await;
    assert_eq!(newcomer.get("/hello").await.body, "hello");
    assert_eq!(idle.until_closed().await, "");
    server.closed(CloseReason::Evicted, 1).await;
    assert_eq!(newcomer.get("/hello").await.body, "hello");
}

#[tokio::test]
async fn a_full_server_without_a_queue_leaves_idle_connections_alone() {
    let server = TestServer::start(patient_but(|limits| {
        limits.max_connections = 1;
    }))
    .await;
    let mut idle = server.connect().await;
    assert_eq!(idle.get("/hello").await.status(), 200);
    assert!(idle.hears_nothing().await);
    assert_eq!(idle.get("/hello").await.status(), 200);
}
