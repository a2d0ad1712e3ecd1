use std::time::Duration;

use tapisservice_client::ClientError;
use tapisservice_devsite::InjectedFault;
use tapisservice_user::{FileStore, Tokens};

use crate::helpers::{PASSWORD, TOKENS, at, expired, site, systems};

#[tokio::test]
async fn the_next_run_needs_no_log_in() {
    let site = site().await;
    let folder = tempfile::tempdir().unwrap();
    let builder = at(&site, "tacc").store(FileStore::new(folder.path()));
    assert!(builder.restore("alice").await.unwrap().is_none());
    builder.password("alice", PASSWORD).await.unwrap();

    let tapis = builder.restore("alice").await.unwrap().unwrap();
    assert_eq!(systems(&tapis).await.unwrap(), ["alice-private"]);
    assert_eq!(site.request_count(TOKENS), 1);
    assert!(builder.restore("bob").await.unwrap().is_none());
    let elsewhere = at(&site, "dev").store(FileStore::new(folder.path()));
    assert!(elsewhere.restore("alice").await.unwrap().is_none());

    tapis.remove_session().await.unwrap();
    assert!(builder.restore("alice").await.unwrap().is_none());
}

#[tokio::test]
async fn a_refresh_saves_what_it_got() {
    let site = site().await;
    let folder = tempfile::tempdir().unwrap();
    let builder = at(&site, "tacc").tenant("tacc").store(FileStore::new(folder.path()));
    let tapis = builder.access_token(expired(&site)).await.unwrap();
    systems(&tapis).await.unwrap();
    let restored = builder.restore("alice").await.unwrap().unwrap();
    assert_eq!(restored.tokens().access_token(), tapis.tokens().access_token());
    assert_eq!(restored.tokens().refresh_token(), tapis.tokens().refresh_token());
}

#[tokio::test]
async fn an_expired_session_is_renewed_or_forgotten() {
    let site = site().await;
    let folder = tempfile::tempdir().unwrap();
    let builder = at(&site, "tacc").tenant("tacc").store(FileStore::new(folder.path()));
    let log_in = |life: u64, refresh: String| {
        let tokens =
            Tokens::new(site.token().for_user("tacc", "alice").expires_in(Duration::from_secs(life)).mint());
        let (access, refresh) = (tokens.access_token().to_owned(), refresh);
        let result = serde_json::json!({
            "access_token": {"access_token": access}, "refresh_token": {"refresh_token": refresh},
        });
        let body = serde_json::json!({"result": result}).to_string().into();
        site.inject_fault_times(
            TOKENS,
            InjectedFault::Response { status: 201, content_type: "application/json".into(), body },
            1,
        );
        builder.password("alice", PASSWORD)
    };
    log_in(0, site.refresh_token_for_user("tacc", "alice")).await.unwrap();
    let tapis = builder.restore("alice").await.unwrap().unwrap();
    assert_eq!(systems(&tapis).await.unwrap(), ["alice-private"]);

    let gone = site.token().for_user("tacc", "alice").refresh().expired_since(Duration::from_secs(9)).mint();
    log_in(0, gone).await.unwrap();
    assert!(builder.restore("alice").await.unwrap().is_none());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_store_that_fails_is_said_at_log_in_and_does_not_fail_a_refresh() {
    let site = site().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a-file");
    std::fs::write(&file, "").unwrap();
    let builder = at(&site, "tacc").tenant("tacc").store(FileStore::new(&file));
    let error = builder.password("alice", PASSWORD).await.unwrap_err();
    assert!(matches!(error, ClientError::SessionStore(_)), "{error:?}");
    let tapis = builder.access_token(expired(&site)).await.unwrap();
    assert_eq!(systems(&tapis).await.unwrap(), ["alice-private"]);
    let error = at(&site, "tacc").tenant("tacc").restore("alice").await.unwrap_err();
    assert!(error.to_string().contains("no session store"), "{error}");
}
