//! A PostgreSQL that stops, crashes and comes back (F14 to F16, F27).

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tapisservice_core::{Identity, Seconds, ServiceError as _};
use tapisservice_db::migrate::Upgrade;
use tapisservice_db::testing::Postgres;
use tapisservice_db::{ByOwner, Database, QueryError, SchemaCheck, Scope, TextUuid, Timestamp};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::helpers::{INSERT, TIMEOUT, migrated, migrator, owner, upgrade};

/// The acquire timeout of 3 s, and what a busy machine adds.
const SLOW: Duration = Duration::from_secs(10);

const COUNT: &str = "SELECT COUNT(*) FROM notes WHERE tenant_id = $1 AND owner = $2";

fn alice() -> Identity {
    owner("alice", "acme")
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !holds().await {
        assert!(start.elapsed() < TIMEOUT, "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f14_a_service_starts_while_its_database_is_down() {
    let Some(postgres) = Postgres::start() else { return };
    postgres.stop();
    let settings = postgres.settings("tapis");
    let database = Database::connect_lazy(&settings).unwrap();
    let check = SchemaCheck::new(database.clone(), migrator());
    let scope = database.for_owner(&alice());

    let start = Instant::now();
    let error = scope.query(COUNT).fetch_scalar::<i64>().await.unwrap_err();
    assert_eq!(error.to_error().status(), 503);
    assert!(check.ready().await.is_err());
    assert!(start.elapsed() < 2 * SLOW, "{:?}", start.elapsed());

    // Two replicas migrate.
    let mut runners = JoinSet::new();
    for _ in 0..2 {
        let database = Database::connect_lazy(&settings).unwrap();
        runners.spawn(async move {
            migrator().upgrade(&database, Upgrade::Head, TIMEOUT, &mut |_| ()).await.unwrap();
        });
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    tokio::task::block_in_place(|| postgres.restart());
    runners.join_all().await;
    assert_eq!(postgres.sql_in("tapis", "SELECT COUNT(*) FROM _sqlx_migrations"), "3");
    until("ready", async || check.ready().await.is_ok()).await;
    assert_eq!(scope.query(COUNT).fetch_scalar::<i64>().await.unwrap(), 0);
}

/// What writers saw.
#[derive(Default)]
struct Seen {
    acknowledged: Vec<Uuid>,
    failed: Vec<Uuid>,
}

/// Writes until it is told to stop, each row once, whatever becomes of it.
async fn write(scope: Scope<ByOwner>, stop: Arc<AtomicBool>) -> Seen {
    let mut seen = Seen::default();
    while !stop.load(Ordering::Relaxed) {
        let id = Uuid::now_v7();
        let start = Instant::now();
        match insert(&scope, id).await {
            Ok(()) => seen.acknowledged.push(id),
            Err(error) => {
                assert_eq!(error.to_error().status(), 503, "{error:?}");
                seen.failed.push(id);
            }
        }
        assert!(start.elapsed() < SLOW, "{:?}", start.elapsed());
    }
    seen
}

/// By turns one statement, and several in a transaction.
async fn insert(scope: &Scope<ByOwner>, id: Uuid) -> Result<(), QueryError> {
    let name = id.to_string();
    if id.as_u128().is_multiple_of(2) {
        scope.query(INSERT).bind(TextUuid(id)).bind(&*name).bind(Timestamp::now()).execute().await?;
        return Ok(());
    }
    let mut transaction = scope.begin().await?;
    transaction.query(INSERT).bind(TextUuid(id)).bind(&*name).bind(Timestamp::now()).execute().await?;
    let update = "UPDATE notes SET done = TRUE WHERE note_id = $3 AND tenant_id = $1 AND owner = $2";
    transaction.query(update).bind(TextUuid(id)).execute().await?;
    transaction.commit().await
}

#[tokio::test(flavor = "multi_thread")]
async fn f15_acknowledged_writes_survive_stops_and_crashes_under_load() {
    let Some(postgres) = Postgres::start() else { return };
    let database = Database::connect_lazy(&postgres.settings("tapis")).unwrap();
    upgrade(&database).await;
    let stop = Arc::new(AtomicBool::new(false));
    let mut writers = JoinSet::new();
    for _ in 0..16 {
        writers.spawn(write(database.for_owner(&alice()), Arc::clone(&stop)));
    }
    for crash in [true, false, true] {
        tokio::time::sleep(Duration::from_millis(500)).await;
        tokio::task::block_in_place(|| {
            if crash {
                postgres.kill();
            } else {
                postgres.stop();
            }
        });
        tokio::time::sleep(Duration::from_millis(500)).await;
        tokio::task::block_in_place(|| postgres.restart());
        let back = Instant::now();
        until("back", async || database.ping().await.is_ok()).await;
        assert!(back.elapsed() < 2 * SLOW, "{:?}", back.elapsed());
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    stop.store(true, Ordering::Relaxed);
    let seen = writers.join_all().await;
    let acknowledged: HashSet<Uuid> = seen.iter().flat_map(|seen| &seen.acknowledged).copied().collect();
    let failed: HashSet<Uuid> = seen.iter().flat_map(|seen| &seen.failed).copied().collect();

    let all = "SELECT note_id FROM notes WHERE tenant_id = $1 AND owner = $2";
    let rows: Vec<(TextUuid,)> = database.for_owner(&alice()).query(all).fetch_all().await.unwrap();
    let rows: HashSet<Uuid> = rows.into_iter().map(|(id,)| id.0).collect();
    let lost: Vec<_> = acknowledged.difference(&rows).collect();
    assert!(lost.is_empty(), "{} of {} acknowledged writes are lost", lost.len(), acknowledged.len());
    // A commit whose response was cut off may have been carried out: once, as its id is the primary key.
    let unknown: Vec<_> = rows.difference(&acknowledged).collect();
    assert!(unknown.iter().all(|id| failed.contains(id)), "rows that nobody wrote");
    assert!(unknown.len() <= 3 * 10, "{} of {} failures were carried out", unknown.len(), failed.len());
    assert!(acknowledged.len() > 100 && !failed.is_empty(), "{} {}", acknowledged.len(), failed.len());
    eprintln!("{} acknowledged, {} failed, {} rows", acknowledged.len(), failed.len(), rows.len());
}

#[tokio::test]
async fn f16_an_exhausted_pool_is_a_503_in_time_and_recovers() {
    for mut fixture in migrated().await {
        fixture.settings.sql_pool_max_connections = 2;
        fixture.settings.sql_acquire_timeout_seconds = Seconds::new(1);
        let database = Database::connect_lazy(&fixture.settings).unwrap();
        let scope = database.for_owner(&alice());
        let mut held = vec![scope.begin().await.unwrap()];
        if fixture.name == "PostgreSQL" {
            held.push(scope.begin().await.unwrap());
        }
        let start = Instant::now();
        let error = scope.begin().await.unwrap_err();
        assert_eq!(error.to_error().status(), 503, "{}: {error:?}", fixture.name);
        assert!(start.elapsed() < SLOW);
        drop(held);
        until("a connection", async || scope.begin().await.is_ok()).await;
        assert!(database.pool_status().open <= 2);
    }
}

#[tokio::test]
async fn f27_who_hangs_up_leaves_no_row_and_takes_no_connection() {
    for mut fixture in migrated().await {
        fixture.settings.sql_pool_max_connections = 2;
        let database = Database::connect_lazy(&fixture.settings).unwrap();
        for round in 0..40_u64 {
            let scope = database.for_owner(&alice());
            let request = tokio::spawn(async move {
                let mut transaction = scope.begin().await?;
                let insert = transaction.query(INSERT).bind(TextUuid(Uuid::now_v7())).bind("a");
                insert.bind(Timestamp::now()).execute().await?;
                std::future::pending::<()>().await;
                transaction.commit().await
            });
            // Wherever it is by then.
            tokio::time::sleep(Duration::from_micros(250 * round)).await;
            request.abort();
            assert!(request.await.unwrap_err().is_cancelled());
        }
        let scope = database.for_owner(&alice());
        until("the lock", async || scope.begin().await.is_ok()).await;
        assert_eq!(scope.query(COUNT).fetch_scalar::<i64>().await.unwrap(), 0, "{}", fixture.name);
        until("all idle", async || database.pool_status().idle == database.pool_status().open).await;
    }
}

#[tokio::test]
async fn f27_a_statement_that_is_cut_off_does_not_break_its_connection() {
    let Some(mut fixture) = migrated().await.pop().filter(|fixture| fixture.name == "PostgreSQL") else {
        return;
    };
    fixture.settings.sql_pool_max_connections = 1;
    let database = Database::connect_lazy(&fixture.settings).unwrap();
    let scope = database.across_tenants("the test sleeps in the database");
    for _ in 0..3 {
        let sleep = scope.query("SELECT CAST(pg_sleep(0.5) AS TEXT)").execute();
        tokio::time::timeout(Duration::from_millis(100), sleep).await.unwrap_err();
        assert_eq!(scope.query("SELECT 4711").fetch_scalar::<i32>().await.unwrap(), 4711);
    }
}
