//! Credentials: on every try, renewed once after a 401, and nothing sent without.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use http::Method;
use tapisservice_client::{ClientError, ResourceClient, Upload};

use crate::helpers::{Recorded, Server, Tokens, transport};

fn signed_in(server: &Server, tokens: Tokens) -> (ResourceClient, Arc<Tokens>) {
    let tokens = Arc::new(tokens);
    let caller = ResourceClient::new(&transport(2), server.destination(), Some(Arc::clone(&tokens) as _));
    (caller, tokens)
}

fn sent(seen: &[Recorded]) -> Vec<&str> {
    seen.iter().map(|r| r.field("x-tapis-token").expect("no request without a token")).collect()
}

#[tokio::test]
async fn after_a_401_the_token_is_renewed_and_the_call_sent_once_more_whatever_its_method() {
    let server = Server::start().await;
    for method in [Method::GET, Method::POST, Method::PATCH, Method::DELETE] {
        let (caller, tokens) = signed_in(&server, Tokens::default());
        server.statuses(&[401]);
        caller.request(method, "/v3/x").body_json(1).send().await.unwrap();
        let seen = server.take();
        assert_eq!(sent(&seen), ["token-0", "token-1"]);
        assert!(seen.iter().all(|r| r.body == b"1" && r.field("x-tapis-user") == Some("alice")));
        assert_eq!(tokens.renewals.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test]
async fn a_second_401_is_the_response() {
    let server = Server::start().await;
    let (caller, tokens) = signed_in(&server, Tokens::default());
    server.statuses(&[401, 401, 401]);
    let error = caller.get("/v3/x").send().await.unwrap_err();
    assert_eq!(error.status().map(|s| s.as_u16()), Some(401));
    assert_eq!((sent(&server.take()).len(), tokens.renewals.load(Ordering::SeqCst)), (2, 1));
}

#[tokio::test]
async fn one_call_renews_once_even_when_it_is_repeated_for_other_reasons() {
    let server = Server::start().await;
    let (caller, tokens) = signed_in(&server, Tokens::default());
    server.statuses(&[401, 503, 401]);
    assert!(caller.get("/v3/x").send().await.is_err());
    assert_eq!(sent(&server.take()), ["token-0", "token-1", "token-1"]);
    assert_eq!(tokens.renewals.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn repetitions_carry_the_token_of_their_time() {
    let server = Server::start().await;
    let (caller, tokens) = signed_in(&server, Tokens::default());
    server.statuses(&[503]);
    caller.get("/v3/x").send().await.unwrap();
    tokens.number.store(9, Ordering::SeqCst);
    caller.get("/v3/x").send().await.unwrap();
    assert_eq!(sent(&server.take()), ["token-0", "token-0", "token-9"]);
}

#[tokio::test]
async fn nothing_is_sent_again_when_nothing_was_renewed_or_the_body_is_gone() {
    let server = Server::start().await;
    let (caller, _) = signed_in(&server, Tokens { stuck: true, ..Tokens::default() });
    server.statuses(&[401]);
    assert_eq!(caller.get("/v3/x").send().await.unwrap_err().status().map(|s| s.as_u16()), Some(401));
    assert_eq!(server.take().len(), 1);

    let (caller, tokens) = signed_in(&server, Tokens::default());
    server.statuses(&[401]);
    let streamed = Upload::reader(&b"gone"[..]);
    assert!(caller.post("/v3/x").body_stream(streamed).send().await.is_err());
    assert_eq!(server.take().len(), 1);
    assert_eq!(tokens.renewals.load(Ordering::SeqCst), 1, "the next call has a token that works");
}

#[tokio::test]
async fn without_a_token_nothing_is_sent() {
    let server = Server::start().await;
    let (caller, _) = signed_in(&server, Tokens { none: true, ..Tokens::default() });
    let error = caller.get("/v3/x").send().await.unwrap_err();
    assert!(matches!(error, ClientError::Credentials { temporary: true, .. }), "{error}");
    let http = caller.http_client().get(format!("{}/v3/x", server.base_url)).send().await;
    assert!(http.is_err() && server.take().is_empty());
}

#[tokio::test]
async fn the_http_client_is_signed_in_with_the_credentials_and_nothing_else() {
    let server = Server::start().await;
    let (caller, _) = signed_in(&server, Tokens::default());
    let request = caller.http_client().post(format!("{}/v3/x", server.base_url));
    let forged =
        request.header("X-Tapis-Token", "forged").header("X-Tapis-Tenant", "forged").bearer_auth("forged");
    forged.send().await.unwrap();
    let got = server.take_one();
    assert_eq!(got.field("x-tapis-token"), Some("token-0"));
    assert_eq!((got.field("x-tapis-tenant"), got.field("authorization")), (None, None));
}
