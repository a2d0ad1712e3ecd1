//! What a request may learn from a newer registry (rules A5, A6 and T5 to T7), on a paused clock; every read is counted.

use std::time::Duration;

use http::{HeaderMap, HeaderName, Request};
use tapisservice_auth::{AuthError, Authenticator, Outcome, TokenError};
use tapisservice_core::{Error, TenantId};
use tapisservice_tenants::TenantCache;
use tokio::task::JoinSet;
use tower::ServiceExt as _;

use crate::layer::{FAR, alice, public, read_envelope, request};
use crate::signer::{ACME, ADMIN, STRANGER};
use crate::site::{self, Responses, Script};

/// A service whose registry was read once, or is down.
async fn start(data: Option<Responses>) -> (Authenticator, Script) {
    let source = Script::new(data);
    let tenants = TenantCache::builder(source.clone()).build();
    let _ = tenants.refresh().await;
    (Authenticator::new(tenants, site::settings()), source)
}

/// All tenants, with a change to one of them.
fn with(tenant: &str, change: impl FnOnce(&mut serde_json::Value)) -> Responses {
    let mut data = site::data();
    change(data.tenants.iter_mut().find(|record| record["tenant_id"] == tenant).unwrap());
    data
}

fn without(tenant: &str) -> Responses {
    let mut data = site::data();
    data.tenants.retain(|record| record["tenant_id"] != tenant);
    data
}

fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
    lines.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
}

async fn user(authenticator: &Authenticator, token: &str, tenant: &str) -> Result<String, AuthError> {
    let host = format!("{tenant}.tapis.test");
    match authenticator.authenticate(&headers(&[("x-tapis-token", token), ("host", &host)])).await? {
        Outcome::Identified(identity) => Ok(identity.username().to_string()),
        outcome => panic!("there was a token: {outcome:?}"),
    }
}

fn signature(tenant: &str) -> AuthError {
    TokenError::Signature(TenantId::new(tenant).unwrap()).into()
}

#[tokio::test(start_paused = true)]
async fn known_tenants_cost_no_refresh_whatever_is_wrong() {
    let (authenticator, source) = start(Some(site::data())).await;
    let mut claims = site::user("alice", "acme", FAR);
    assert_eq!(user(&authenticator, &alice(), "acme").await.as_deref(), Ok("alice"));
    claims["exp"] = 1.into();
    assert_eq!(user(&authenticator, &ACME.token(&claims), "acme").await, Err(TokenError::Expired.into()));
    let other = user(&authenticator, &alice(), "beta").await;
    assert!(matches!(other, Err(AuthError::TenantMismatch { .. })), "{other:?}");
    assert_eq!(source.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_new_tenant_is_found_by_the_request_that_names_it() {
    for what in ["token", "host", "on behalf of"] {
        let (authenticator, source) = start(Some(without("beta"))).await;
        source.set(Some(site::data()));
        let jobs = ADMIN.token(&site::service_account("jobs", "admin", "tacc", FAR));
        let beta = ACME.token(&site::user("alice", "beta", FAR));
        let refused_or_not = match what {
            "token" => user(&authenticator, &beta, "beta").await.map(drop),
            "host" => authenticator.tenant_by_host(&headers(&[("host", "beta.tapis.test")])).await.map(drop),
            _ => {
                let lines = [("x-tapis-token", &*jobs), ("x-tapis-tenant", "beta"), ("x-tapis-user", "bob")];
                authenticator.authenticate(&headers(&lines)).await.map(drop)
            }
        };
        assert_eq!((refused_or_not, source.fetches()), (Ok(()), 2), "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_rotated_key_costs_one_refresh_and_the_old_one_is_refused_from_then_on() {
    let (authenticator, source) = start(Some(site::data())).await;
    source.set(Some(with("acme", |acme| acme["public_key"] = STRANGER.public_pem().into())));
    let claims = site::user("alice", "acme", FAR);
    assert_eq!(user(&authenticator, &alice(), "acme").await.as_deref(), Ok("alice"), "not yet known");
    assert_eq!(user(&authenticator, &STRANGER.token(&claims), "acme").await.as_deref(), Ok("alice"));
    assert_eq!(source.fetches(), 2);
    assert_eq!(user(&authenticator, &STRANGER.token(&claims), "acme").await.as_deref(), Ok("alice"));
    assert_eq!(source.fetches(), 2);
    assert_eq!(user(&authenticator, &alice(), "acme").await, Err(signature("acme")));
}

#[tokio::test(start_paused = true)]
async fn requests_that_meet_a_rotated_key_together_share_one_refresh() {
    let (authenticator, source) = start(Some(site::data())).await;
    source.set(Some(with("acme", |acme| acme["public_key"] = STRANGER.public_pem().into())));
    let token = STRANGER.token(&site::user("alice", "acme", FAR));
    let mut requests = JoinSet::new();
    for _ in 0..50 {
        let (authenticator, token) = (authenticator.clone(), token.clone());
        requests.spawn(async move { user(&authenticator, &token, "acme").await });
    }
    for response in requests.join_all().await {
        assert_eq!(response.as_deref(), Ok("alice"));
    }
    assert_eq!(source.fetches(), 2);
}

#[tokio::test(start_paused = true)]
async fn forged_tokens_cost_the_burst_and_one_refresh_per_thirty_seconds() {
    let (authenticator, source) = start(Some(site::data())).await;
    let forged = STRANGER.token(&site::user("alice", "acme", FAR));
    for _ in 0..200 {
        assert_eq!(user(&authenticator, &forged, "acme").await, Err(signature("acme")));
    }
    assert_eq!(source.fetches(), 1 + 2);
    tokio::time::advance(Duration::from_secs(30)).await;
    for _ in 0..20 {
        assert_eq!(user(&authenticator, &forged, "acme").await, Err(signature("acme")));
    }
    assert_eq!(source.fetches(), 1 + 2 + 1);
    assert_eq!(
        user(&authenticator, &alice(), "acme").await.as_deref(),
        Ok("alice"),
        "the others do not notice"
    );
}

#[tokio::test(start_paused = true)]
async fn unknown_tenants_and_hosts_share_that_budget() {
    let (authenticator, source) = start(Some(site::data())).await;
    for i in 0..100 {
        let name = format!("nosuch{i}");
        let token = ACME.token(&site::user("alice", &name, FAR));
        let unknown = TokenError::UnknownTenant(TenantId::new(&name).unwrap());
        assert_eq!(user(&authenticator, &token, "acme").await, Err(unknown.into()));
        let host = headers(&[("host", &format!("{name}.example"))]);
        let refused = authenticator.tenant_by_host(&host).await;
        assert!(matches!(refused, Err(AuthError::UnknownHost(Some(_)))), "{refused:?}");
    }
    assert_eq!(source.fetches(), 1 + 2);
}

#[tokio::test(start_paused = true)]
async fn a_registry_that_goes_down_harms_no_known_tenant() {
    let (authenticator, source) = start(Some(site::data())).await;
    source.set(None);
    let unknown = ACME.token(&site::user("alice", "nosuch", FAR));
    for _ in 0..5 {
        assert!(user(&authenticator, &unknown, "acme").await.is_err());
        assert_eq!(user(&authenticator, &alice(), "acme").await.as_deref(), Ok("alice"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_tenant_that_became_inactive_is_refused_from_then_on() {
    let (authenticator, source) = start(Some(site::data())).await;
    source.set(Some(with("acme", |acme| acme["status"] = "inactive".into())));
    assert_eq!(user(&authenticator, &alice(), "acme").await.as_deref(), Ok("alice"));
    authenticator.tenants().refresh().await.unwrap();
    let gone = user(&authenticator, &alice(), "acme").await;
    assert_eq!(gone, Err(TokenError::UnknownTenant(TenantId::new("acme").unwrap()).into()));
}

#[tokio::test(start_paused = true)]
async fn without_a_registry_the_answer_is_to_come_back_later() {
    let (authenticator, source) = start(None).await;
    let service = public(authenticator.clone());
    let ask = |lines: &[(&str, &str)]| -> Request<_> { request("GET", lines) };
    let token = alice();
    let response = service.clone().oneshot(ask(&[("x-tapis-token", &token)])).await.unwrap();
    assert!(response.headers().contains_key("retry-after"));
    assert_eq!(read_envelope(response).await.0, 503);
    assert_eq!(source.fetches(), 1, "reading it is the work of the background task");

    let nobody = service.clone().oneshot(ask(&[])).await.unwrap();
    assert_eq!(nobody.status(), 200, "who needs no registry does not notice");
    let malformed = service.clone().oneshot(ask(&[("x-tapis-token", "a.b.c")])).await.unwrap();
    assert_eq!(malformed.status(), 401);
    let no_tenant = authenticator.tenant_by_host(&headers(&[("host", "acme.tapis.test")])).await.unwrap_err();
    assert_eq!(Error::from(no_tenant).status(), 503);

    source.set(Some(site::data()));
    authenticator.tenants().refresh().await.unwrap();
    let response = service.oneshot(ask(&[("x-tapis-token", &token)])).await.unwrap();
    assert_eq!(response.status(), 200);
}
