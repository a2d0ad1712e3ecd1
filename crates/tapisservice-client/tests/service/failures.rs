//! What happens while the Tokens API does not work (F12).

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use http::StatusCode;
use tapisservice_client::{ClientError, ServiceClient};
use tapisservice_core::Seconds;
use tapisservice_devsite::InjectedFault;
use tokio::task::JoinHandle;

use crate::helpers::{
    Recorder, acting_for, client, client_with, settings, site, systems, tenants, transport, until,
};

/// Seconds a token lives in these tests; it is used for four of them.
const LIFE: u64 = 9;

fn no_token(error: &ClientError) -> bool {
    matches!(error, ClientError::Credentials { .. })
}

#[tokio::test]
async fn a_token_outlives_the_token_service_then_calls_fail_at_once_and_recover_by_the_password() {
    let faults = [
        InjectedFault::Status(503),
        InjectedFault::Disconnect,
        InjectedFault::Hang,
        InjectedFault::Html,
        InjectedFault::Truncated,
        InjectedFault::Redirect("http://127.0.0.1:9/".to_owned()),
    ];
    join_all(faults.map(outlive)).await;
}

async fn outlive(fault: InjectedFault) {
    let site = site().await;
    let client = client_with(&site, |settings| {
        settings.service_token_ttl_seconds = LIFE;
        settings.service_token_timeout_seconds = Seconds::try_from(0.2).unwrap();
    });
    let alice = acting_for(&client, "alice", "tacc");
    systems(&alice).await.unwrap();
    site.inject_fault("/v3/tokens", fault.clone());
    let asked = site.request_count("POST /v3/tokens");
    until(async || (site.request_count("POST /v3/tokens") > asked + 1).then_some(())).await;
    let error = until(async || systems(&alice).await.err()).await;
    assert!(no_token(&error), "{fault:?}: {error}");
    let start = Instant::now();
    assert!(no_token(&systems(&alice).await.unwrap_err()), "{fault:?}");
    assert!(start.elapsed() < Duration::from_secs(2), "{fault:?}: at once, not after a try");
    assert!(client.check().await.is_err());
    // The refresh token is gone for good, the password is not.
    site.clear_faults();
    site.inject_fault("PUT /v3/tokens", InjectedFault::Status(401));
    until(async || systems(&alice).await.ok()).await;
    client.check().await.unwrap();
}

#[tokio::test]
async fn while_there_is_no_token_no_request_leaves() {
    let site = site().await;
    let recorder = Recorder::behind(&site, "files").await;
    site.inject_fault("/v3/tokens", InjectedFault::Status(500));
    let client = client(&site);
    let session = acting_for(&client, "alice", "tacc");
    for _ in 0..5 {
        let caller = session.resource_client("files").await.unwrap();
        assert!(no_token(&caller.get("/v3/files/x").send().await.unwrap_err()));
        let sdk = session.sdk_configuration("files").await.unwrap();
        assert!(sdk.client.get(format!("{}/v3/files/x", sdk.base_path)).send().await.is_err());
    }
    assert!(recorder.all().is_empty());
    site.clear_faults();
    let caller = session.resource_client("files").await.unwrap();
    let response = until(async || caller.get("/v3/files/x").send().await.ok()).await;
    assert!(response.status().is_success());
    assert!(recorder.all().iter().all(|sent| sent.field("x-tapis-token").is_some()));
}

#[tokio::test]
async fn a_wrong_password_is_said_so_and_is_not_temporary() {
    let site = site().await;
    let client = client_with(&site, |settings| settings.service_password = Some("wrong-canary".into()));
    let error = systems(&client.as_service()).await.unwrap_err();
    let ClientError::Credentials { reason, temporary: false } = &error else { panic!("{error}") };
    assert!(
        reason.contains("POST") && reason.contains("status 401") && reason.contains("bookmarks"),
        "{reason}"
    );
    assert!(!reason.contains("canary"), "{reason}");
    assert_eq!(client.check().await.unwrap_err().to_string(), *reason);
}

#[tokio::test]
async fn a_service_without_a_password_calls_nobody() {
    let site = site().await;
    for password in [None, Some("".into())] {
        let client = client_with(&site, |settings| settings.service_password = password);
        let error = systems(&client.as_service()).await.unwrap_err();
        assert!(error.to_string().contains("service_password is not set"), "{error}");
    }
    assert_eq!((site.request_count("POST /v3/tokens"), site.request_count("GET /v3/systems")), (0, 0));
}

#[tokio::test]
async fn a_service_that_is_up_first_waits_for_the_registry_and_for_tokens() {
    let site = site().await;
    site.inject_fault("/", InjectedFault::Status(503));
    let cache = tenants(&site);
    let settings = settings(site.config_json("bookmarks").unwrap());
    let client = ServiceClient::builder(settings, cache.clone()).transport(transport()).build().unwrap();
    let keeping = [client.spawn_token_renewal(), cache.spawn_refresh()];
    let error = systems(&client.as_service()).await.unwrap_err();
    assert!(matches!(error, ClientError::NoRegistry) && error.is_retryable(), "{error}");
    site.clear_faults();
    site.inject_fault("/v3/tokens", InjectedFault::Status(503));
    until(async || cache.snapshot()).await;
    let error = systems(&client.as_service()).await.unwrap_err();
    assert!(no_token(&error) && error.is_retryable(), "{error}");
    site.clear_faults();
    until(async || client.check().await.ok()).await;
    systems(&client.as_service()).await.unwrap();
    keeping.iter().for_each(JoinHandle::abort);
}

#[tokio::test]
async fn a_downstream_error_is_not_taken_for_a_missing_token() {
    let site = site().await;
    let client = client(&site);
    site.inject_fault("/v3/systems", InjectedFault::Status(500));
    let error = systems(&client.as_service()).await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::INTERNAL_SERVER_ERROR));
    client.check().await.unwrap();
}
