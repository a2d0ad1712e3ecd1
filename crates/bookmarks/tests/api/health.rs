//! Alive and ready (rule D4).

use serde_json::json;

use crate::helpers::BookmarkRequests as _;

#[tokio::test]
async fn it_greets_and_is_ready_without_a_token() {
    let service = crate::start().await;
    for path in ["/hello", "/healthcheck"] {
        let response = service.anonymous().get(path).await;
        assert_eq!((response.status().as_u16(), response.message().as_str()), (200, "Hello from bookmarks"));
    }
    service.until_ready().await;
    for path in ["/ready", "/readycheck"] {
        let response = service.anonymous().get(path).await;
        assert_eq!(
            (response.status().as_u16(), response.result()),
            (200, json!({"checks": ["tenants", "service token", "database"]}))
        );
    }
}

#[tokio::test]
async fn it_is_alive_but_not_ready_when_the_database_is_behind() {
    let service = crate::start().await;
    #[expect(clippy::disallowed_methods, reason = "the table of the migrations has no tenants")]
    let scope = service.database().across_tenants("a test forgets the migrations");
    scope.query("DELETE FROM _sqlx_migrations").execute().await.unwrap();
    service.anonymous().get("/ready").await.assert_error(503, "The service is not ready: database.");
    assert_eq!(service.anonymous().get("/healthcheck").await.status(), 200);
}

#[tokio::test]
async fn a_locked_database_is_unavailable_and_tells_no_sql() {
    let service = crate::start().await;
    #[expect(clippy::disallowed_methods, reason = "the whole file is locked, whosever its rows are")]
    let scope = service.database().across_tenants("a test locks the file");
    let lock = scope.begin().await.unwrap();
    let alice = service.alice();
    let body = json!({"name": "x", "system_id": "workstation", "path": "/"});
    let refused = alice.create(&body).await;
    refused.assert_error(503, "Another transaction is changing the same records.");
    assert!(refused.headers().contains_key("retry-after"));
    lock.rollback().await.unwrap();
    assert_eq!(alice.create(&body).await.status(), 201);
}
