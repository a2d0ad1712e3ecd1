use std::time::Duration;

use http::StatusCode;
use serde_json::json;
use tapisservice_client::ClientError;
use tapisservice_devsite::InjectedFault;
use tapisservice_user::UserClient;

use crate::fake::{Fake, granted, refused};
use crate::helpers::{CLIENT, PASSWORD, SYSTEMS, TOKENS, at, site, systems, with};

#[tokio::test]
async fn a_password_signs_in_and_the_tenant_is_found_by_its_base_url() {
    let site = site().await;
    let tapis = at(&site, "tacc").password("alice", PASSWORD).await.unwrap();
    assert_eq!((tapis.tenant_id().as_str(), tapis.username()), ("tacc", Some("alice")));
    assert_eq!(systems(&tapis).await.unwrap(), ["alice-private"]);
    assert_eq!(site.request_count("GET /v3/tenants"), 1);
}

#[tokio::test]
async fn slashes_behind_the_base_url_do_not_matter() {
    let site = site().await;
    let url = format!("{}//", site.tenant_url("tacc").unwrap());
    let tapis = UserClient::builder(url).password("alice", PASSWORD).await.unwrap();
    assert_eq!(tapis.tenant_id().as_str(), "tacc");
    systems(&tapis).await.unwrap();
    assert!(
        site.request_counts().keys().all(|request| !request.contains("//")),
        "{:?}",
        site.request_counts()
    );
}

#[tokio::test]
async fn two_tenants_are_called_side_by_side() {
    let site = site().await;
    let (tacc, dev) = (at(&site, "tacc"), at(&site, "dev"));
    let (tacc, dev) = tokio::join!(tacc.password("alice", PASSWORD), dev.password("alice", PASSWORD));
    let (tacc, dev) = (tacc.unwrap(), dev.unwrap());
    assert_eq!((tacc.tokens().tenant_id(), dev.tokens().tenant_id()), (Some("tacc"), Some("dev")));
    let (one, other) = tokio::join!(systems(&tacc), systems(&dev));
    assert_eq!(one.unwrap(), other.unwrap());
    dev.set_tokens(tacc.tokens());
    let status = systems(&dev).await.unwrap_err().status();
    assert!(
        status.is_some_and(|status| status.is_client_error()),
        "a token of one tenant is no good in the other"
    );
}

#[tokio::test]
async fn the_client_is_named_by_basic_and_never_beside_a_token() {
    let fake = Fake::responding([granted("canary-access")]).await;
    fake.builder().client(CLIENT.0, CLIENT.1).password("alice", PASSWORD).await.unwrap();
    let asked = &fake.asked()[0];
    assert_eq!(asked.request, TOKENS);
    assert_eq!(asked.headers["authorization"], "Basic bm90ZWJvb2s6Y2FuYXJ5LWNsaWVudC1rZXk=");
    assert!(asked.headers.keys().all(|name| !name.as_str().starts_with("x-tapis-to")), "{asked:?}");
    assert_eq!(asked.body, json!({"grant_type": "password", "username": "alice", "password": PASSWORD}));
}

#[tokio::test]
async fn a_refusal_is_given_once_as_it_came() {
    let site = site().await;
    let error = at(&site, "tacc").password("alice", "wrong").await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::UNAUTHORIZED));
    assert!(error.to_string().contains("Invalid username/password combination."), "{error}");
    assert_eq!(site.request_count(TOKENS), 1);
}

#[tokio::test]
async fn a_refusal_that_quotes_a_secret_is_not_passed_on() {
    let echo = format!("Invalid client credentials: {}, {}.", CLIENT.0, CLIENT.1);
    let fake = Fake::responding([refused(400, &echo), refused(400, PASSWORD)]).await;
    let builder = fake.builder().client(CLIENT.0, CLIENT.1);
    for _ in 0..2 {
        let error = builder.password("alice", PASSWORD).await.unwrap_err();
        assert_eq!(error.status(), Some(StatusCode::BAD_REQUEST));
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    }
}

#[tokio::test]
async fn an_access_token_needs_no_log_in_and_no_look_up() {
    let site = site().await;
    let tapis = with(&site, format!(" {}\n", site.token_for_user("tacc", "alice"))).await;
    assert_eq!((tapis.tenant_id().as_str(), tapis.username()), ("tacc", Some("alice")));
    assert!(site.request_counts().is_empty(), "{:?}", site.request_counts());
    assert_eq!(systems(&tapis).await.unwrap(), ["alice-private"]);
    assert_eq!(site.request_counts().len(), 1);
}

#[tokio::test]
async fn a_refresh_token_signs_in() {
    let site = site().await;
    let refresh = site.refresh_token_for_user("tacc", "alice");
    let tapis = at(&site, "tacc").tenant("tacc").refresh_token(&refresh).await.unwrap();
    assert_eq!(tapis.username(), Some("alice"));
    assert!(tapis.tokens().refresh_token().is_some());
    systems(&tapis).await.unwrap();
    assert_eq!((site.request_count(TOKENS), site.request_count("GET /v3/tenants")), (1, 0));
}

#[tokio::test]
async fn without_a_tenant_there_is_no_log_in() {
    let site = site().await;
    let elsewhere = format!("http://127.0.0.1:{}", site.port());
    let error = UserClient::builder(elsewhere).password("alice", PASSWORD).await.unwrap_err();
    assert!(matches!(error, ClientError::Routing(_)), "{error:?}");

    site.inject_fault("/v3/tenants", InjectedFault::Status(500));
    let error = at(&site, "tacc").password("alice", PASSWORD).await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::INTERNAL_SERVER_ERROR), "{error:?}");
    assert_eq!(site.request_count(TOKENS), 0);
}

#[tokio::test]
async fn a_registry_out_of_bounds_is_refused() {
    let many = vec![json!({}); 10_001];
    let large = json!([{"site_id": "x".repeat(9 << 20)}]);
    for (sites, reason) in [(json!(many), "more than 10000 records"), (large, "larger than 8388608 bytes")] {
        let fake = Fake::responding([(200, json!({ "result": sites }))]).await;
        let error = UserClient::builder(&fake.url).password("alice", PASSWORD).await.unwrap_err();
        assert!(error.to_string().contains(reason), "{error}");
        assert_eq!(fake.asked().len(), 1, "nothing but the sites is asked for");
    }
}

#[tokio::test]
async fn an_answer_that_is_none_is_a_typed_error() {
    let fake =
        Fake::responding([(201, json!({"result": {"access_token": 7}})), (201, json!("canary"))]).await;
    for _ in 0..2 {
        let error = fake.builder().password("alice", PASSWORD).await.unwrap_err();
        assert!(matches!(error, ClientError::InvalidResponse { .. }), "{error:?}");
        assert!(!error.to_string().contains("canary"), "{error}");
    }
}

#[tokio::test]
async fn an_operation_is_checked_before_anything_is_sent() {
    let site = site().await;
    let tapis = with(&site, crate::helpers::tokens(&site, Duration::from_mins(10))).await;
    let error = tapis.operation("systems", "getSytems").send().await.unwrap_err();
    assert!(error.to_string().contains("getSystems"), "{error}");
    assert_eq!(site.request_count(SYSTEMS), 0);
}
