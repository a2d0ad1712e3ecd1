//! How tokens are got and renewed.

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Json};
use http::request::Parts;
use http::{Method, StatusCode};
use serde_json::json;
use tapisservice_devsite::{DevSite, InjectedFault};

use crate::helpers::{Recorder, acting_for, client, client_with, serve, site, systems, until};

/// A Tokens API that keeps what it was sent and gives out tokens that soon expire.
async fn recorded_tokens(site: &DevSite, tokens: Vec<String>) -> Recorder {
    let recorder = Recorder::default();
    let app = Router::new().fallback(respond).with_state((recorder.clone(), tokens));
    site.route_to("tokens", &serve(app).await).unwrap();
    recorder
}

async fn respond(
    State((recorder, tokens)): State<(Recorder, Vec<String>)>,
    parts: Parts,
    body: bytes::Bytes,
) -> impl IntoResponse {
    recorder.keep(&parts, &body);
    let number = recorder.all().len();
    let access = json!({"access_token": tokens[(number - 1).min(tokens.len() - 1)]});
    let refresh = json!({"refresh_token": format!("refresh-{number}")});
    Json(json!({"result": {"access_token": access, "refresh_token": refresh}}))
}

fn short_token(site: &DevSite, number: u64) -> String {
    let life = std::time::Duration::from_secs(10 + number);
    site.token().for_service("admin", "bookmarks", "tacc").expires_in(life).mint()
}

#[tokio::test]
async fn the_password_and_a_token_never_travel_together() {
    let site = site().await;
    let tokens: Vec<_> = (0..3).map(|number| short_token(&site, number)).collect();
    let recorder = recorded_tokens(&site, tokens.clone()).await;
    let client = client(&site);
    systems(&client.as_service()).await.unwrap();
    let sent = until(async || Some(recorder.all()).filter(|sent| sent.len() >= 2)).await;
    for sent in &sent {
        assert_eq!(sent.path, "/v3/tokens");
        assert_eq!(
            sent.field("host").unwrap(),
            site.tenant_url("admin").unwrap().trim_start_matches("http://")
        );
        assert_eq!(
            (sent.field("x-tapis-tenant"), sent.field("x-tapis-user")),
            (Some("admin"), Some("bookmarks"))
        );
    }
    let (creation, refresh) = (&sent[0], &sent[1]);
    assert!(creation.field("authorization").unwrap().starts_with("Basic "));
    assert_eq!(creation.field("x-tapis-token"), None);
    let expected = json!({
        "account_type": "service", "token_tenant_id": "admin", "token_username": "bookmarks", "target_site_id": "tacc",
        "access_token_ttl": 86_400, "generate_refresh_token": true, "refresh_token_ttl": 31_536_000,
    });
    assert_eq!(creation.body, expected);
    assert_eq!(refresh.field("authorization"), None);
    assert_eq!(refresh.field("x-tapis-token"), Some(tokens[0].as_str()));
    assert_eq!(refresh.body, json!({"refresh_token": "refresh-1"}));
}

#[tokio::test]
async fn construction_calls_nobody_and_the_first_call_gets_one_token() {
    let site = site().await;
    let client = client(&site);
    tokio::task::yield_now().await;
    assert!(site.request_counts().is_empty());
    systems(&acting_for(&client, "alice", "tacc")).await.unwrap();
    assert_eq!(site.request_count("POST /v3/tokens"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_callers_share_each_token_and_none_is_refused() {
    let site = site().await;
    // Used for 5 s each, so the callers live through some renewals.
    let client = client_with(&site, |settings| settings.service_token_ttl_seconds = 10);
    let start = std::time::Instant::now();
    let callers: Vec<_> = (0..500)
        .map(|_| {
            let session = acting_for(&client, "alice", "tacc");
            tokio::spawn(async move {
                while start.elapsed().as_secs() < 7 {
                    assert_eq!(systems(&session).await.unwrap().len(), 2);
                    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
                }
            })
        })
        .collect();
    callers[0].abort();
    for caller in callers.into_iter().skip(1) {
        caller.await.unwrap();
    }
    let (created, refreshed) = (site.request_count("POST /v3/tokens"), site.request_count("PUT /v3/tokens"));
    assert_eq!(created, 1);
    let most = start.elapsed().as_secs() + 1;
    assert!((1..=most).contains(&refreshed), "{refreshed} renewals, at most one per second");
}

#[tokio::test]
async fn after_a_401_the_token_is_renewed_and_the_call_repeated_once() {
    let site = site().await;
    let client = client(&site);
    let alice = acting_for(&client, "alice", "tacc");
    systems(&alice).await.unwrap();
    // Neither the token nor its refresh token is good any more: the password is.
    site.rotate_key("admin").await.unwrap();
    site.reset_request_counts();
    assert_eq!(systems(&alice).await.unwrap().len(), 2);
    let counted = |request| site.request_count(request);
    assert_eq!(counted("GET /v3/systems"), 2);
    assert_eq!((counted("PUT /v3/tokens"), counted("POST /v3/tokens")), (1, 1));
}

#[tokio::test]
async fn a_service_that_refuses_every_token_causes_few_renewals() {
    let site = site().await;
    let client = client(&site);
    let alice = acting_for(&client, "alice", "tacc");
    systems(&alice).await.unwrap();
    site.inject_fault("/v3/systems", InjectedFault::Status(401));
    for _ in 0..20 {
        assert_eq!(systems(&alice).await.unwrap_err().status(), Some(StatusCode::UNAUTHORIZED));
    }
    assert!(site.request_count("PUT /v3/tokens") <= 2);
    assert_eq!(site.request_count("POST /v3/tokens"), 1);
}

#[tokio::test]
async fn a_post_is_repeated_after_a_401_and_for_no_other_reason() {
    let site = site().await;
    let recorder = Recorder::behind(&site, "files").await;
    let client = client(&site);
    let caller = acting_for(&client, "alice", "tacc").resource_client("files").await.unwrap();
    let post = async || caller.post("/v3/files/x").body_json(json!({"a": 1})).send().await;
    site.inject_fault_times("POST /v3/files", InjectedFault::Status(503), 1);
    assert_eq!(post().await.unwrap_err().status(), Some(StatusCode::SERVICE_UNAVAILABLE));
    assert_eq!(site.request_count(&format!("{} /v3/files/x", Method::POST)), 1);
    site.inject_fault_times("POST /v3/files", InjectedFault::Status(401), 1);
    assert!(post().await.unwrap().status().is_success());
    assert_eq!(recorder.all().len(), 1);
    assert_eq!(recorder.all()[0].body, json!({"a": 1}));
}
