//! The service while its PostgreSQL is stopped, crashes and is overworked, and its callers hang up (F14 to F16, F27).

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use tapisservice::TapisService as _;
use tapisservice::db::migrate::Upgrade;
use tapisservice::db::testing::PASSWORD;
use tapisservice::db::{AcrossTenants, Transaction};
use tapisservice::testing::{Postgres, TestClient};
use tokio::task::{JoinSet, block_in_place};

use crate::helpers::{self, BookmarkRequests as _, Service};

/// The acquire timeout of 3 s, and what a busy machine adds.
const SLOW: Duration = Duration::from_secs(10);

const TIMEOUT: Duration = Duration::from_mins(1);

const BROKEN: &str = "tapisservice_connections_closed_total{reason=\"broken\"}";

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !holds().await {
        assert!(start.elapsed() < TIMEOUT, "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A service on a database of this server, with two connections at most, and its metrics.
async fn small_service(postgres: &Postgres) -> (Arc<Service>, TestClient) {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let builder = helpers::builder().setting("sql_db_url", postgres.url("tapis"));
    let builder = builder.setting("sql_pool_max_connections", 2).setting("metrics_listen", free.to_string());
    let service = builder.start().await;
    migrate(&service).await;
    service.until_ready().await;
    (Arc::new(service), TestClient::at(format!("http://{free}/metrics")))
}

/// A service on a database of this server, which may be stopped and empty.
async fn service_on(postgres: &Postgres) -> Service {
    helpers::builder().setting("sql_db_url", postgres.url("tapis")).start().await
}

async fn migrate(service: &Service) {
    let migrator = bookmarks::Bookmarks::migrations().unwrap();
    migrator.upgrade(&service.database(), Upgrade::Head, TIMEOUT, &mut |_| ()).await.unwrap();
}

/// The sum of the metrics whose lines begin like this.
async fn sum(metrics: &TestClient, beginning: &str) -> u64 {
    let response = metrics.get("").await;
    let lines = response.text().lines().filter(|line| line.starts_with(beginning));
    lines.map(|line| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap()).sum()
}

/// How many connections of the pool are in use.
async fn used(metrics: &TestClient) -> u64 {
    let used = r#"db_client_connection_count{db_client_connection_pool_name="sql",db_client_connection_state="used"}"#;
    sum(metrics, used).await
}

/// Keeps everybody else from a table for as long as it lasts.
#[expect(clippy::disallowed_methods, reason = "a whole table is locked, whosever its rows are")]
async fn lock_table(service: &Service, lock: &'static str) -> Transaction<AcrossTenants> {
    let mut transaction = service.database().across_tenants("a test locks a table").begin().await.unwrap();
    transaction.query(lock).execute().await.unwrap();
    transaction
}

#[tokio::test(flavor = "multi_thread")]
async fn f14_it_starts_without_its_database_and_serves_when_it_is_there() {
    let Some(postgres) = Postgres::start() else { return };
    postgres.stop();
    let service = service_on(&postgres).await;
    let start = Instant::now();
    assert_eq!(service.anonymous().get("/healthcheck").await.status(), 200);
    service.anonymous().get("/ready").await.assert_error(503, "The service is not ready: database.");
    service.alice().get("").await.assert_error(503, "The database is unavailable.");
    assert!(start.elapsed() < 2 * SLOW, "{:?}", start.elapsed());
    block_in_place(|| postgres.restart());
    // There, but empty.
    service.alice().get("").await.assert_error(503, "The database is not ready.");
    migrate(&service).await;
    service.until_ready().await;
    service.alice().bookmark("results").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f15_no_acknowledged_bookmark_is_lost_in_a_crash() {
    let Some(postgres) = Postgres::start() else { return };
    let service = Arc::new(service_on(&postgres).await);
    migrate(&service).await;
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
                let response = alice.create(&body).await;
                assert!(start.elapsed() < SLOW, "{:?}", start.elapsed());
                if response.status() == 201 {
                    acknowledged.push(name);
                } else {
                    assert_eq!(response.status(), 503, "{}", response.text());
                    assert!(!response.text().contains(PASSWORD) && !response.text().contains("127.0.0.1"));
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
        service.until_ready().await;
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
    // The response to a commit may be cut off; nothing else may be there.
    assert!(rows.len() - acknowledged.len() <= refused, "{} {} {refused}", rows.len(), acknowledged.len());
    assert!(refused > 0 && acknowledged.len() > 20, "{refused} {}", acknowledged.len());
    let torn = "SELECT COUNT(*) FROM bookmarks b WHERE (SELECT COUNT(*) FROM bookmark_tags t WHERE t.bookmark_id = b.bookmark_id) <> 2";
    assert_eq!(postgres.sql_in("tapis", torn), "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn f16_while_the_pool_is_exhausted_the_rest_answers() {
    let Some(postgres) = Postgres::start() else { return };
    let (service, metrics) = small_service(&postgres).await;
    let lock = lock_table(&service, "LOCK TABLE bookmarks IN ACCESS EXCLUSIVE MODE").await;
    let mut waiting = JoinSet::new();
    for _ in 0..2 {
        let service = Arc::clone(&service);
        waiting.spawn(async move { service.alice().get("").await });
    }
    until("the pool is exhausted", async || used(&metrics).await == 2).await;
    let start = Instant::now();
    let refused = service.alice().get("").await;
    refused.assert_error(503, "The database is unavailable.");
    assert!(refused.headers().contains_key("retry-after"));
    assert!(start.elapsed() < SLOW, "{:?}", start.elapsed());
    service.anonymous().get("/ready").await.assert_error(503, "The service is not ready: database.");
    assert_eq!(service.anonymous().get("/healthcheck").await.status(), 200);
    assert_eq!(service.alice().get("/whoami").await.result()["username"], "alice");
    assert_eq!(service.anonymous().get("/whoami").await.status(), 401);
    assert_eq!(used(&metrics).await, 2);
    lock.rollback().await.unwrap();
    assert!(waiting.join_all().await.iter().all(|response| response.status() == 200));
    service.until_ready().await;
    service.alice().bookmark("results").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f27_callers_that_hang_up_leave_no_bookmark_and_take_no_connection() {
    let Some(postgres) = Postgres::start() else { return };
    let (service, metrics) = small_service(&postgres).await;
    for round in 0..3 {
        // The bookmark itself is written; its tags have to wait.
        let lock = lock_table(&service, "LOCK TABLE bookmark_tags IN ACCESS EXCLUSIVE MODE").await;
        let mut callers = JoinSet::new();
        for caller in 0..2 {
            let name = format!("{round}-{caller}");
            let body = json!({"name": name, "system_id": "workstation", "path": "/", "tags": ["a"]});
            let service = Arc::clone(&service);
            callers.spawn(async move { service.alice().create(&body).await });
        }
        let blocked = "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'INSERT INTO bookmark_tags%'";
        until("both wait", async || block_in_place(|| postgres.sql_in("tapis", blocked)) == "2").await;
        let closed = sum(&metrics, BROKEN).await;
        callers.shutdown().await;
        until("it sees that nobody waits any more", async || sum(&metrics, BROKEN).await >= closed + 2).await;
        lock.rollback().await.unwrap();
        until("all connections are back", async || used(&metrics).await == 0).await;
        assert_eq!(postgres.sql_in("tapis", "SELECT COUNT(*) FROM bookmarks"), "0", "round {round}");
    }
    let busy =
        "SELECT COUNT(*) FROM pg_stat_activity WHERE application_name = 'bookmarks' AND state <> 'idle'";
    assert_eq!(postgres.sql_in("tapis", busy), "0");
    service.alice().bookmark("results").await;
}
