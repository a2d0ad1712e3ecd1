//! F24: nothing that can be printed holds the token.

use std::sync::Arc;

use http::HeaderMap;
use parking_lot::Mutex;
use tapisservice_auth::{
    AuthLayer, Authenticator, Callbacks, IdentityHeaders, Jws, Outcome, Policy, PolicyLayer,
};
use tapisservice_tenants::TenantCache;
use tower::{ServiceBuilder, ServiceExt as _, service_fn};

use crate::layer::{FAR, alice, public, read_envelope, request, whoami};
use crate::signer::STRANGER;
use crate::site::{self, Script};

/// Asserts that no part of the token is in a text.
fn assert_silent(what: &str, text: &str, token: &str) {
    for part in token.split('.') {
        assert!(!text.contains(part), "{what}: {text}");
    }
}

async fn authenticator() -> Authenticator {
    let tenants = TenantCache::builder(Script::new(Some(site::data()))).build();
    tenants.refresh().await.unwrap();
    Authenticator::new(tenants, site::settings())
}

#[tokio::test]
async fn no_debug_output_holds_the_token() {
    let token = alice();
    let mut map = HeaderMap::new();
    map.insert("x-tapis-token", token.parse().unwrap());
    map.insert("host", "acme.tapis.test".parse().unwrap());
    let headers = IdentityHeaders::read(&map, false).unwrap();
    assert_silent("headers", &format!("{headers:?} {:?}", headers.token()), &token);
    assert_silent("parsed", &format!("{:?}", Jws::parse(token.as_bytes())), &token);
    let outcome = authenticator().await.authenticate(&map).await;
    assert!(matches!(outcome, Ok(Outcome::Identified(_))));
    assert_silent("outcome", &format!("{outcome:?}"), &token);
}

#[tokio::test]
async fn what_a_callback_prints_of_its_request_holds_no_secret() {
    let printed = Arc::new(Mutex::new(String::new()));
    let print = printed.clone();
    let callbacks = Callbacks::default().authz(move |request| {
        *print.lock() = format!("{request:?}");
        async { Ok(()) }
    });
    let authenticator = authenticator().await;
    let service = ServiceBuilder::new()
        .layer(AuthLayer::new(authenticator.clone()))
        .layer(PolicyLayer::new(Policy::authenticated(), authenticator, callbacks))
        .service(service_fn(whoami));
    let token = alice();
    let lines = [("x-tapis-token", token.as_str()), ("authorization", "Basic canary"), ("cookie", "canary")];
    let mut request = request("GET", &lines);
    *request.uri_mut() = "/v3/bookmarks?secret=canary".parse().unwrap();
    assert_eq!(service.oneshot(request).await.unwrap().status(), 200);
    let printed = printed.lock().clone();
    assert!(printed.contains("/v3/bookmarks") && printed.contains("authorization"), "{printed}");
    assert!(!printed.contains("canary"), "{printed}");
    assert_silent("request", &printed, &token);
}

#[tokio::test]
async fn no_refusal_holds_the_token() {
    let forged = STRANGER.token(&site::user("alice", "acme", FAR));
    let cut = forged.rsplit_once('.').unwrap().0.to_owned();
    let padded = format!("{forged}=");
    for token in [forged, cut, padded] {
        let lines = [("x-tapis-token", token.as_str())];
        let service = public(authenticator().await);
        let response = service.oneshot(request("GET", &lines)).await.unwrap();
        let report = format!("{:?}", response.extensions().get::<tapisservice_core::ErrorReport>().unwrap());
        let (status, envelope) = read_envelope(response).await;
        assert_eq!(status, 401);
        assert_silent("report", &report, token.trim_end_matches('='));
        assert_silent("envelope", &envelope.to_string(), token.trim_end_matches('='));
    }
}
