use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::StatusCode;
use tapisservice_client::Credentials as _;
use tapisservice_devsite::InjectedFault;
use tapisservice_user::Tokens;

use crate::fake::{Fake, granted};
use crate::helpers::{
    CLIENT, SYSTEMS, TOKENS, at, bad_refresh_token, expired, is_signed_out, site, systems, tokens, with,
};

const LONG: Duration = Duration::from_hours(1);

#[tokio::test]
async fn eight_callers_at_expiry_make_one_refresh() {
    let site = site().await;
    site.inject_fault_times(TOKENS, InjectedFault::Slow(Duration::from_millis(200)), 1);
    let tapis = with(&site, expired(&site)).await;
    let old = tapis.tokens();
    let calls = (0..8).map(|_| {
        let tapis = tapis.clone();
        tokio::spawn(async move { systems(&tapis).await })
    });
    for call in calls.collect::<Vec<_>>() {
        assert_eq!(call.await.unwrap().unwrap(), ["alice-private"]);
    }
    assert_eq!((site.request_count(TOKENS), site.request_count(SYSTEMS)), (1, 8));
    assert_ne!(tapis.tokens().access_token(), old.access_token());
}

#[tokio::test]
async fn who_stops_waiting_does_not_stop_the_others() {
    let site = site().await;
    site.inject_fault_times(TOKENS, InjectedFault::Slow(Duration::from_millis(300)), 1);
    let tapis = with(&site, expired(&site)).await;
    let first = tokio::spawn({
        let tapis = tapis.clone();
        async move { systems(&tapis).await }
    });
    while site.request_count(TOKENS) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    first.abort();
    assert_eq!(systems(&tapis).await.unwrap(), ["alice-private"]);
    assert_eq!(site.request_count(TOKENS), 1);
}

#[tokio::test]
async fn a_token_that_is_about_to_expire_is_renewed_while_calls_go_on() {
    let site = site().await;
    site.inject_fault_times(TOKENS, InjectedFault::Slow(Duration::from_secs(2)), 1);
    let tapis = with(&site, tokens(&site, Duration::from_secs(40))).await;
    let old = tapis.tokens();
    systems(&tapis).await.unwrap();
    assert_eq!(tapis.tokens().access_token(), old.access_token(), "the call did not wait");
    let deadline = tokio::time::Instant::now() + Duration::from_mins(1);
    while tapis.tokens().access_token() == old.access_token() && tokio::time::Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    systems(&tapis).await.unwrap();
    assert_eq!(site.request_count(TOKENS), 1);
}

#[tokio::test]
async fn a_401_renews_the_token_once_and_the_call_is_sent_once_more() {
    let site = site().await;
    site.inject_fault_times(SYSTEMS, InjectedFault::Status(401), 1);
    let tapis = with(&site, tokens(&site, LONG)).await;
    assert_eq!(systems(&tapis).await.unwrap(), ["alice-private"]);
    assert_eq!((site.request_count(TOKENS), site.request_count(SYSTEMS)), (1, 2));
}

#[tokio::test]
async fn a_401_that_a_new_token_does_not_change_is_the_answer() {
    let site = site().await;
    site.inject_fault(SYSTEMS, InjectedFault::Status(401));
    let tapis = with(&site, tokens(&site, LONG)).await;
    for _ in 0..3 {
        assert_eq!(systems(&tapis).await.unwrap_err().status(), Some(StatusCode::UNAUTHORIZED));
    }
    assert_eq!(
        (site.request_count(TOKENS), site.request_count(SYSTEMS)),
        (1, 4),
        "one refresh, one repetition"
    );
}

#[tokio::test]
async fn a_401_without_a_refresh_token_is_the_answer() {
    let site = site().await;
    site.inject_fault(SYSTEMS, InjectedFault::Status(401));
    let tapis = with(&site, site.token_for_user("tacc", "alice")).await;
    assert_eq!(systems(&tapis).await.unwrap_err().status(), Some(StatusCode::UNAUTHORIZED));
    assert_eq!((site.request_count(TOKENS), site.request_count(SYSTEMS)), (0, 1));
}

#[tokio::test]
async fn a_refresh_that_is_refused_is_a_typed_error_and_no_stale_token_is_sent() {
    let site = site().await;
    let tokens = Tokens::new(site.expired_token_for_user("tacc", "alice"))
        .with_refresh_token(bad_refresh_token(&site));
    let tapis = with(&site, tokens).await;
    for _ in 0..3 {
        let error = systems(&tapis).await.unwrap_err();
        assert!(is_signed_out(&error, false), "{error:?}");
        assert!(error.to_string().contains("401"), "{error}");
    }
    assert_eq!(
        (site.request_count(TOKENS), site.request_count(SYSTEMS)),
        (1, 0),
        "what was refused is not asked again"
    );

    tapis.set_tokens(site.token_for_user("tacc", "alice"));
    assert_eq!(systems(&tapis).await.unwrap(), ["alice-private"]);
}

#[tokio::test]
async fn while_the_old_token_is_good_a_failed_refresh_does_not_matter() {
    let site = site().await;
    site.inject_fault(TOKENS, InjectedFault::Status(503));
    let tapis = with(&site, tokens(&site, Duration::from_secs(4))).await;
    assert_eq!(systems(&tapis).await.unwrap(), ["alice-private"]);
    assert_eq!((site.request_count(TOKENS), site.request_count(SYSTEMS)), (1, 1));
}

#[tokio::test]
async fn an_authenticator_that_is_away_is_a_passing_error_until_it_is_back() {
    let site = site().await;
    site.inject_fault(TOKENS, InjectedFault::Disconnect);
    let tapis = with(&site, expired(&site)).await;
    for _ in 0..2 {
        let error = systems(&tapis).await.unwrap_err();
        assert!(is_signed_out(&error, true) && error.is_retryable(), "{error:?}");
    }
    assert_eq!(site.request_count(SYSTEMS), 0);
    site.clear_faults();
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(systems(&tapis).await.unwrap(), ["alice-private"]);
}

#[tokio::test]
async fn a_token_alone_expires_with_a_typed_error_and_nothing_is_sent() {
    let site = site().await;
    let tapis = with(&site, site.expired_token_for_user("tacc", "alice")).await;
    let error = systems(&tapis).await.unwrap_err();
    assert!(is_signed_out(&error, false), "{error:?}");
    assert!(error.to_string().contains("no refresh token"), "{error}");
    assert!(is_signed_out(&tapis.headers().await.unwrap_err(), false));
    assert!(is_signed_out(&tapis.refresh().await.unwrap_err(), false));
    assert!(site.request_counts().is_empty(), "{:?}", site.request_counts());
}

#[tokio::test]
async fn a_refresh_token_that_has_expired_is_not_tried() {
    let site = site().await;
    let refresh =
        site.token().for_user("tacc", "alice").refresh().expired_since(Duration::from_secs(9)).mint();
    let tapis =
        with(&site, Tokens::new(site.expired_token_for_user("tacc", "alice")).with_refresh_token(refresh))
            .await;
    let error = systems(&tapis).await.unwrap_err();
    assert!(error.to_string().contains("refresh token has expired"), "{error}");
    assert!(site.request_counts().is_empty(), "{:?}", site.request_counts());
}

#[tokio::test]
async fn a_refresh_names_the_client_and_sends_no_old_token() {
    let fake = Fake::responding([granted("new-access")]).await;
    let tapis = fake.builder().client(CLIENT.0, CLIENT.1);
    let tapis =
        tapis.access_token(Tokens::new("old-access").with_refresh_token("old-refresh")).await.unwrap();
    assert_eq!(tapis.refresh().await.unwrap().access_token(), "new-access");
    let asked = &fake.asked()[0];
    assert_eq!(
        asked.body,
        serde_json::json!({"grant_type": "refresh_token", "refresh_token": "old-refresh"})
    );
    assert!(asked.headers.contains_key("authorization") && !asked.headers.contains_key("x-tapis-token"));
}

#[tokio::test]
async fn without_a_new_refresh_token_the_old_one_stays() {
    let mut response = granted("new-access");
    response.1["result"]["refresh_token"].take();
    let fake = Fake::responding([response]).await;
    let tokens = Tokens::new("old-access").with_refresh_token("old-refresh");
    let tapis = fake.builder().access_token(tokens).await.unwrap();
    assert_eq!(tapis.refresh().await.unwrap().refresh_token(), Some("old-refresh"));
}

#[tokio::test]
async fn the_program_is_told_of_new_tokens() {
    let site = site().await;
    let told = Arc::new(AtomicUsize::new(0));
    let builder = at(&site, "tacc").on_refresh({
        let told = Arc::clone(&told);
        move |tokens| {
            assert_eq!(tokens.username(), Some("alice"));
            told.fetch_add(1, Ordering::SeqCst);
        }
    });
    let tapis = builder.access_token(expired(&site)).await.unwrap();
    systems(&tapis).await.unwrap();
    systems(&tapis).await.unwrap();
    assert_eq!(told.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_callback_that_panics_costs_neither_the_call_nor_the_next_refresh() {
    let site = site().await;
    let builder = at(&site, "tacc").on_refresh(|_| panic!("a fault of the program"));
    let tapis = builder.access_token(expired(&site)).await.unwrap();
    systems(&tapis).await.unwrap();
    tapis.set_tokens(expired(&site));
    systems(&tapis).await.unwrap();
    assert_eq!(site.request_count(TOKENS), 2);
}

#[tokio::test]
async fn the_operations_that_sign_in_neither_wait_for_a_refresh_nor_carry_a_token() {
    let fake = Fake::responding([granted("other-access")]).await;
    let builder = fake.builder().client(CLIENT.0, CLIENT.1);
    let site = site().await;
    let tapis = builder.access_token(site.expired_token_for_user("tacc", "alice")).await.unwrap();
    let call = tapis.operation("authenticator", "create_token");
    let call = call.arg("grant_type", "password").arg("username", "bob").arg("password", "p");
    assert_eq!(call.send().await.unwrap().status(), StatusCode::CREATED);
    let asked = &fake.asked()[0];
    assert!(asked.headers.contains_key("authorization") && !asked.headers.contains_key("x-tapis-token"));
}
