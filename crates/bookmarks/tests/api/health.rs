//! Alive and ready (rule D4).

use serde_json::json;

use crate::helpers::Service;

#[tokio::test]
async fn it_greets_and_is_ready_without_a_token() {
    let service = Service::start().await;
    for path in ["/hello", "/healthcheck"] {
        let response = service.get(path).await;
        assert_eq!((response.status.as_u16(), response.message().as_str()), (200, "Hello from bookmarks"));
    }
    // The first token is fetched in the background.
    let timeout = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
    while service.get("/ready").await.status != 200 && tokio::time::Instant::now() < timeout {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    for path in ["/ready", "/readycheck"] {
        let response = service.get(path).await;
        assert_eq!(
            (response.status.as_u16(), response.result()),
            (200, json!({"checks": ["tenants", "service token", "database"]}))
        );
    }
}

#[tokio::test]
async fn it_is_alive_but_not_ready_when_the_database_is_behind() {
    let service = Service::start().await;
    let file = service.folder.path().join("data").join("bookmarks.db");
    let options = tapisservice_db::sqlx::sqlite::SqliteConnectOptions::new().filename(file);
    let pool = tapisservice_db::sqlx::SqlitePool::connect_with(options).await.unwrap();
    tapisservice_db::sqlx::query("DELETE FROM _sqlx_migrations").execute(&pool).await.unwrap();
    service.get("/ready").await.assert_refusal(503, "The service is not ready: database.");
    assert_eq!(service.get("/healthcheck").await.status, 200);
}

#[tokio::test]
async fn a_locked_database_is_unavailable_and_tells_no_sql() {
    let service = Service::start().await;
    let file = service.folder.path().join("data").join("bookmarks.db");
    let options = tapisservice_db::sqlx::sqlite::SqliteConnectOptions::new().filename(file);
    let pool = tapisservice_db::sqlx::SqlitePool::connect_with(options).await.unwrap();
    let lock = pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let alice = service.alice();
    let body = json!({"name": "x", "system_id": "workstation", "path": "/"});
    let refused = alice.post(&body).await;
    refused.assert_refusal(503, "Another transaction is changing the same records.");
    assert!(refused.headers.contains_key("retry-after"));
    lock.rollback().await.unwrap();
    assert_eq!(alice.post(&body).await.status, 201);
}
