//! The service while its PostgreSQL is stopped and crashes (HARDENING F14, F15).

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use tapisservice_db::testing::{PASSWORD, Postgres};
use tokio::task::{JoinSet, block_in_place};

use crate::helpers::Service;

/// The acquire timeout of 3 s, and what a busy machine adds.
const SLOW: Duration = Duration::from_secs(10);

const PATIENCE: Duration = Duration::from_mins(1);

async fn until_ready(service: &Service) {
    let start = Instant::now();
    while service.get("/ready").await.status != 200 {
        assert!(start.elapsed() < PATIENCE, "it does not become ready");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f14_it_starts_without_its_database_and_serves_when_it_is_there() {
    let Some(postgres) = Postgres::start() else { return };
    postgres.stop();
    let service = Service::start_in(tempfile::tempdir().unwrap(), &postgres.url("tapis")).await;
    let start = Instant::now();
    assert_eq!(service.get("/healthcheck").await.status, 200);
    service.get("/ready").await.assert_refusal(503, "The service is not ready: database.");
    service.alice().get("").await.assert_refusal(503, "The database does not answer.");
    assert!(start.elapsed() < 2 * SLOW, "{:?}", start.elapsed());
    block_in_place(|| postgres.restart());
    // There, but empty.
    service.alice().get("").await.assert_refusal(503, "The database is not ready.");
    crate::migrate(&postgres.url("tapis")).await;
    until_ready(&service).await;
    service.alice().bookmark("results").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f15_no_acknowledged_bookmark_is_lost_in_a_crash() {
    let Some(postgres) = Postgres::start() else { return };
    crate::migrate(&postgres.url("tapis")).await;
    let service = Arc::new(Service::start_in(tempfile::tempdir().unwrap(), &postgres.url("tapis")).await);
    let stop = Arc::new(AtomicBool::new(false));
    let mut clients = JoinSet::new();
    for client in 0..8 {
        let (service, stop) = (Arc::clone(&service), Arc::clone(&stop));
        clients.spawn(async move {
            let (alice, mut acknowledged, mut refused) = (service.alice(), Vec::new(), 0);
            for number in 0.. {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                let name = format!("{client}-{number}");
                let body = json!({"name": name, "system_id": "workstation", "path": "/", "tags": ["a", "b"]});
                let start = Instant::now();
                let answer = alice.post(&body).await;
                assert!(start.elapsed() < SLOW, "{:?}", start.elapsed());
                if answer.status == 201 {
                    acknowledged.push(name);
                } else {
                    assert_eq!(answer.status, 503, "{}", answer.text);
                    assert!(!answer.text.contains(PASSWORD) && !answer.text.contains("127.0.0.1"));
                    refused += 1;
                }
            }
            (acknowledged, refused)
        });
    }
    for crash in [true, false] {
        tokio::time::sleep(Duration::from_secs(1)).await;
        block_in_place(|| if crash { postgres.kill() } else { postgres.stop() });
        tokio::time::sleep(Duration::from_millis(500)).await;
        block_in_place(|| postgres.restart());
        until_ready(&service).await;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    stop.store(true, Ordering::Relaxed);
    let seen = clients.join_all().await;
    let refused: usize = seen.iter().map(|(_, refused)| refused).sum();
    let acknowledged: HashSet<String> = seen.into_iter().flat_map(|(names, _)| names).collect();
    let rows = postgres.sql_in("tapis", "SELECT name FROM bookmarks");
    let rows: HashSet<String> = rows.lines().map(str::to_owned).collect();
    assert!(
        acknowledged.is_subset(&rows),
        "{} of {} are lost",
        acknowledged.difference(&rows).count(),
        rows.len()
    );
    // The answer to a commit may be cut off; nothing else may be there.
    assert!(rows.len() - acknowledged.len() <= refused, "{} {} {refused}", rows.len(), acknowledged.len());
    assert!(refused > 0 && acknowledged.len() > 20, "{refused} {}", acknowledged.len());
    let torn = "SELECT COUNT(*) FROM bookmarks b WHERE (SELECT COUNT(*) FROM bookmark_tags t WHERE t.bookmark_id = b.bookmark_id) <> 2";
    assert_eq!(postgres.sql_in("tapis", torn), "0");
}
