//! Policies and callbacks on an assembled service.

use axum::body::Body;
use axum::routing::get;
use http::{Method, StatusCode};
use serde_json::json;
use tapisservice::core::{AccountType, RequestTenant};
use tapisservice::prelude::*;

use crate::helpers::{Running, request, start};

async fn name(identity: Option<Identity>) -> Envelope<Option<String>> {
    Envelope::new(identity.map(|identity| identity.username().to_string()))
}

fn routes() -> Routes {
    let only_bob = |request: PolicyRequest| async move {
        match request.g.request_username() {
            Some(name) if *name == "bob" => Ok(()),
            _ => Err(Error::permissions("Only bob may do this.")),
        }
    };
    Routes::new()
        .route(Policy::public(), "/public", get(name))
        .route(Policy::public_with_tenant(), "/tenant", get(name))
        .route(Policy::authenticated(), "/authenticated", get(name))
        .route(Policy::service_only(), "/service", get(name))
        .route(Policy::callback("bob", only_bob), "/bob", get(name))
}

async fn status(running: &Running, path: &str, token: Option<String>) -> u16 {
    let request = request(Method::GET, &format!("/v3/demo{path}"));
    let request = match token {
        Some(token) => request.header("x-tapis-token", token),
        None => request,
    };
    running.send(request.body(Body::empty()).unwrap()).await.status.as_u16()
}

#[tokio::test]
async fn a_route_lets_in_whom_its_policy_names() {
    let running = start(routes(), json!({}), |app| app).await;
    let (alice, bob) = (running.alice(), running.site.token_for_user("tacc", "bob"));
    // path, nobody, alice, bob, an expired token
    let table = [
        ("/public", 200, 200, 200, 401),
        ("/tenant", 200, 200, 200, 401),
        ("/authenticated", 401, 200, 200, 401),
        ("/service", 401, 403, 403, 401),
        ("/bob", 401, 403, 200, 401),
    ];
    for (path, nobody, as_alice, as_bob, expired) in table {
        assert_eq!(status(&running, path, None).await, nobody, "{path}");
        assert_eq!(status(&running, path, Some(alice.clone())).await, as_alice, "{path}");
        assert_eq!(status(&running, path, Some(bob.clone())).await, as_bob, "{path}");
        let old = running.site.expired_token_for_user("tacc", "alice");
        assert_eq!(status(&running, path, Some(old)).await, expired, "{path}");
    }
    let request = request(Method::GET, "/v3/demo/service")
        .header("x-tapis-token", running.site.token_for_service("admin", "jobs", "tacc"))
        .header("x-tapis-tenant", "tacc")
        .header("x-tapis-user", "alice");
    assert_eq!(running.send(request.body(Body::empty()).unwrap()).await.body["result"], "alice");
}

async fn by_nonce(request: PolicyRequest) -> Result<Authn> {
    let mut nonces = request.headers.get_all("x-nonce").iter();
    match nonces.next().map(http::HeaderValue::as_bytes) {
        Some(b"good") => {
            let site = tapisservice::core::SiteId::new("tacc")?;
            let tenant = RequestTenant::new(TenantId::new("tacc")?, "http://localhost", site);
            let username = Username::new("hook")?;
            Ok(Authn::Identified { tenant, username, account_type: AccountType::Service })
        }
        Some(_) => Err(Error::authentication("The nonce is wrong.")),
        None => Ok(Authn::Refused),
    }
}

#[tokio::test]
async fn the_authn_callback_recognises_callers_without_a_token_only() {
    let running = start(routes(), json!({}), |app| app.authn(by_nonce)).await;
    let ask = async |nonce: Option<&str>, token: Option<&str>| {
        let mut request = request(Method::GET, "/v3/demo/authenticated");
        for (name, value) in [("x-nonce", nonce), ("x-tapis-token", token)] {
            request = value.into_iter().fold(request, |request, value| request.header(name, value));
        }
        let response = running.send(request.body(Body::empty()).unwrap()).await;
        (response.status.as_u16(), response.body["result"].clone())
    };
    assert_eq!(ask(Some("good"), None).await, (200, json!("hook")));
    assert_eq!(ask(Some("bad"), None).await.0, 401);
    assert_eq!(ask(None, None).await.0, 401);
    assert_eq!(ask(Some("good"), Some("")).await.0, 401, "a blank token is no absent token");
    assert_eq!(ask(Some("good"), Some("a.b.c")).await.0, 401);
    assert_eq!(ask(Some("good"), Some(&running.alice())).await, (200, json!("alice")));
}

#[tokio::test]
async fn the_authz_callback_has_the_last_word_but_not_over_options_and_public_routes() {
    let refuse = |_: PolicyRequest| async { Err(Error::permissions("not today")) };
    let running = start(routes(), json!({}), |app| app.authz(refuse)).await;
    assert_eq!(running.get("/v3/demo/authenticated").await.status, 403);
    assert_eq!(running.get("/v3/demo/public").await.status, 200);
    let options = request(Method::OPTIONS, "/v3/demo/authenticated").body(Body::empty()).unwrap();
    let response = running.send(options).await;
    assert_eq!(
        (response.status, response.headers["allow"].to_str().unwrap()),
        (StatusCode::NO_CONTENT, "GET,HEAD")
    );
}

#[tokio::test]
async fn a_handler_that_asks_for_an_identity_cannot_run_without_one() {
    let routes =
        Routes::new().route(Policy::public(), "/open", get(|_: Identity| async { Envelope::new(()) }));
    let running = start(routes, json!({}), |app| app).await;
    assert_eq!(running.get_anonymously("/v3/demo/open").await.status, 401);
    assert_eq!(running.get("/v3/demo/open").await.status, 200);
}
