use reqwest::RequestBuilder;
use serde_json::{Value, json};
use tapisservice_devsite::DevSite;

use crate::helpers::{at, http, response, site, verified_claims};

fn post(site: &DevSite, tenant: &str) -> RequestBuilder {
    http().post(at(site, tenant, "/v3/oauth2/tokens"))
}

fn log_in(username: &str, password: &str) -> Value {
    json!({"username": username, "password": password, "grant_type": "password"})
}

#[tokio::test]
async fn a_user_logs_in_and_renews_as_tapipy_does() {
    let site = site().await;
    let request = post(&site, "dev").basic_auth("devsite-client", Some("devsite-client-key"));
    let result = response(request.json(&log_in("alice", "secret")), 201).await["result"].take();
    let access = result["access_token"]["access_token"].as_str().unwrap();
    let claims = verified_claims(&site, "dev", access).await;
    assert_eq!((&claims["sub"], &claims["tapis/client_id"]), (&json!("alice@dev"), &json!("devsite-client")));

    let refresh = result["refresh_token"]["refresh_token"].as_str().unwrap();
    verified_claims(&site, "dev", refresh).await;
    // The old access token travels along, expired or not.
    let request = post(&site, "dev").basic_auth("devsite-client", Some("devsite-client-key"));
    let request = request.header("X-Tapis-Token", site.expired_token_for_user("dev", "alice"));
    let body = json!({"grant_type": "refresh_token", "refresh_token": refresh});
    let renewed = response(request.json(&body), 201).await["result"].take();
    assert_ne!(renewed["access_token"]["access_token"], access);
    let claims =
        verified_claims(&site, "dev", renewed["access_token"]["access_token"].as_str().unwrap()).await;
    assert_eq!(claims["tapis/grant_type"], "refresh_token");
    assert!(renewed["refresh_token"]["refresh_token"].is_string());
}

#[tokio::test]
async fn a_log_in_needs_no_client_and_may_be_a_form() {
    let site = site().await;
    let form = "grant_type=password&username=bob&password=secret";
    let request = post(&site, "tacc").header("content-type", "application/x-www-form-urlencoded").body(form);
    let result = response(request, 201).await["result"].take();
    let claims =
        verified_claims(&site, "tacc", result["access_token"]["access_token"].as_str().unwrap()).await;
    assert_eq!(claims["sub"], "bob@tacc");
    assert!(claims.get("tapis/client_id").is_none());
}

#[tokio::test]
async fn bad_log_ins_are_refused() {
    let site = site().await;
    let refresh = |token: String| json!({"grant_type": "refresh_token", "refresh_token": token});
    let cases = [
        (log_in("alice", "wrong"), 401),
        (log_in("nobody", "secret"), 401),
        (log_in("alice", ""), 401),
        (json!({"grant_type": "password", "username": "alice"}), 400),
        (json!({"grant_type": "refresh_token"}), 400),
        (json!({"grant_type": "device_code"}), 400),
        (json!({}), 400),
        (refresh(site.token_for_user("tacc", "alice")), 401),
        (refresh(site.refresh_token_for_user("dev", "alice")), 401),
        (refresh(site.token().refresh().expires_at(1).mint()), 401),
        (refresh(site.token().for_service("tacc", "jobs", "tacc").refresh().mint()), 401),
    ];
    for (body, status) in cases {
        response(post(&site, "tacc").json(&body), status).await;
    }
    let client = post(&site, "tacc").basic_auth("devsite-client", Some("wrong"));
    response(client.json(&log_in("alice", "secret")), 401).await;
}
