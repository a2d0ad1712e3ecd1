use reqwest::RequestBuilder;
use serde_json::{Value, json};
use tapisservice_devsite::DevSite;

use crate::helpers::{at, http, response, service_token_request, site, verified_claims};

fn post(site: &DevSite) -> RequestBuilder {
    http().post(at(site, "admin", "/v3/tokens"))
}

fn with(changes: &Value) -> Value {
    let mut body = service_token_request();
    body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    body
}

#[tokio::test]
async fn a_service_gets_its_tokens_for_its_password() {
    let site = site().await;
    let config = site.config_json("bookmarks").unwrap();
    let password = config["service_password"].as_str();
    let request = post(&site).basic_auth("bookmarks", password).json(&service_token_request());
    // The Python client sends these with the password too.
    let request = request.header("X-Tapis-Tenant", "admin").header("X-Tapis-User", "bookmarks");
    let result = response(request, 201).await["result"].take();

    let access = &result["access_token"];
    assert_eq!(access["expires_in"], 86400);
    assert!(access["expires_at"].as_str().unwrap().ends_with('Z'));
    let claims = verified_claims(&site, "admin", access["access_token"].as_str().unwrap()).await;
    let expected = json!({
        "jti": access["jti"], "iss": at(&site, "admin", "/v3/tokens"), "sub": "bookmarks@admin",
        "tapis/tenant_id": "admin", "tapis/token_type": "access", "tapis/username": "bookmarks",
        "tapis/account_type": "service", "tapis/delegation": false, "tapis/delegation_sub": null,
        "tapis/target_site": "tacc", "exp": claims["exp"],
    });
    assert_eq!(claims, expected);

    let refresh = result["refresh_token"]["refresh_token"].as_str().unwrap();
    let claims = verified_claims(&site, "admin", refresh).await;
    assert_eq!(
        (&claims["tapis/token_type"], &claims["tapis/initial_ttl"]),
        (&json!("refresh"), &json!(3_153_600_000_i64))
    );
}

#[tokio::test]
async fn a_service_token_opens_the_door_to_that_of_another_site() {
    let site = site().await;
    let token = site.token_for_service("admin", "bookmarks", "tacc");
    let request = post(&site).header("X-Tapis-Token", token).json(&with(&json!({"target_site_id": "uh"})));
    let result = response(request, 201).await["result"].take();
    let claims =
        verified_claims(&site, "admin", result["access_token"]["access_token"].as_str().unwrap()).await;
    assert_eq!(claims["tapis/target_site"], "uh");
}

#[tokio::test]
async fn a_service_of_an_associate_site_gets_its_tokens_there() {
    let site = site().await;
    let config = site.config_json_at("files", "uh").unwrap();
    let body = json!({
        "account_type": "service", "token_tenant_id": config["service_tenant_id"], "token_username": "files",
        "target_site_id": "uh",
    });
    let request = http().post(at(&site, "adminuh", "/v3/tokens"));
    let result =
        response(request.basic_auth("files", config["service_password"].as_str()).json(&body), 201).await;
    assert!(result["result"]["refresh_token"].is_null());
    let own = result["result"]["access_token"]["access_token"].as_str().unwrap().to_owned();
    let request = http().post(at(&site, "adminuh", "/v3/tokens")).header("X-Tapis-Token", own);
    let body = json!({
        "account_type": "service", "token_tenant_id": "adminuh", "token_username": "files", "target_site_id": "tacc",
    });
    response(request.json(&body), 201).await;
}

#[tokio::test]
async fn the_authenticator_makes_tokens_of_users() {
    let site = site().await;
    let body = json!({
        "account_type": "user", "token_tenant_id": "tacc", "token_username": "alice", "delegation_token": true,
        "delegation_sub_tenant_id": "tacc", "delegation_sub_username": "bob", "claims": {"tapis/client_id": "c"},
    });
    let token = site.token_for_service("admin", "authenticator", "tacc");
    let result = response(post(&site).header("X-Tapis-Token", token).json(&body), 201).await["result"].take();
    let claims =
        verified_claims(&site, "tacc", result["access_token"]["access_token"].as_str().unwrap()).await;
    assert_eq!(
        (&claims["tapis/delegation_sub"], &claims["tapis/client_id"]),
        (&json!("bob@tacc"), &json!("c"))
    );
    response(post(&site).basic_auth("bookmarks", Some("open-sesame")).json(&body), 403).await;
}

#[tokio::test]
async fn bad_token_requests_are_refused() {
    let site = site().await;
    let cases = [
        (json!({"target_site_id": null}), 400),
        (json!({"target_site_id": "nowhere"}), 400),
        (json!({"account_type": "robot"}), 400),
        (json!({"token_tenant_id": "nowhere"}), 400),
        (json!({"token_username": ""}), 400),
        (json!({"token_username": 7}), 400),
        (json!({"access_token_ttl": 0}), 400),
        (json!({"access_token_ttl": -5}), 400),
        (json!({"access_token_ttl": i64::MAX}), 400),
        (json!({"refresh_token_ttl": 300_000_000_000_i64}), 400),
        (json!({"claims": {"tapis/username": "root"}}), 400),
        (json!({"claims": {"exp": 1}}), 400),
        (json!({"delegation_token": true}), 400),
        (json!({"token_username": "files"}), 403),
        (json!({"token_tenant_id": "tacc"}), 403),
        (json!({"account_type": "user"}), 403),
    ];
    for (changes, status) in cases {
        let request = post(&site).basic_auth("bookmarks", Some("open-sesame")).json(&with(&changes));
        let refused = response(request, status).await;
        assert!(!refused.to_string().contains("open-sesame"), "{refused}");
    }
    let basic = || post(&site).basic_auth("bookmarks", Some("open-sesame"));
    response(basic().body("{"), 400).await;
    response(basic().json(&json!([])), 400).await;
    response(basic(), 400).await;
}

#[tokio::test]
async fn bad_credentials_are_refused() {
    let site = site().await;
    let good = site.token_for_service("admin", "bookmarks", "tacc");
    let token = |token: String| post(&site).header("X-Tapis-Token", token);
    let service = || site.token().for_service("admin", "bookmarks", "tacc");
    let cases = [
        ("none", post(&site), 401),
        ("wrong password", post(&site).basic_auth("bookmarks", Some("wrong")), 401),
        ("empty password", post(&site).basic_auth("bookmarks", Some("")), 401),
        ("unknown service", post(&site).basic_auth("nobody", Some("open-sesame")), 401),
        ("no Basic", post(&site).bearer_auth("open-sesame"), 400),
        ("both", token(good.clone()).basic_auth("bookmarks", Some("open-sesame")), 400),
        ("two tokens", token(good.clone()).header("X-Tapis-Token", good), 400),
        (
            "two passwords",
            post(&site).basic_auth("bookmarks", Some("open-sesame")).basic_auth("a", Some("b")),
            400,
        ),
        ("another service", token(site.token_for_service("admin", "files", "tacc")), 403),
        ("another admin tenant", token(site.token_for_service("adminuh", "bookmarks", "tacc")), 403),
        ("another target site", token(site.token_for_service("admin", "bookmarks", "uh")), 401),
        ("a user", token(site.token_for_user("admin", "bookmarks")), 403),
        ("expired", token(service().expires_at(1).mint()), 401),
        ("another key", token(service().signed_by("dev").mint()), 401),
        ("a refresh token", token(service().refresh().mint()), 401),
        ("another algorithm", token(service().header("alg", "none").mint()), 401),
        ("garbage", token("garbage".to_owned()), 401),
    ];
    for (name, request, status) in cases {
        let refused = response(request.json(&service_token_request()), status).await;
        assert!(refused["message"].is_string(), "{name}");
    }
}

#[tokio::test]
async fn a_refresh_token_renews_both_tokens_whatever_is_sent_beside_it() {
    let site = site().await;
    let refresh = site.token().for_service("admin", "bookmarks", "uh").refresh().mint();
    let expired = site.token().for_service("admin", "bookmarks", "uh").expires_at(1).mint();
    for old in [expired.as_str(), "garbage"] {
        let request = http().put(at(&site, "admin", "/v3/tokens")).header("X-Tapis-Token", old);
        let request = request.header("X-Tapis-Tenant", "admin").header("X-Tapis-User", "bookmarks");
        let result = response(request.json(&json!({"refresh_token": refresh})), 201).await["result"].take();
        let claims =
            verified_claims(&site, "admin", result["access_token"]["access_token"].as_str().unwrap()).await;
        assert_eq!((&claims["sub"], &claims["tapis/target_site"]), (&json!("bookmarks@admin"), &json!("uh")));
        assert_ne!(result["refresh_token"]["refresh_token"], refresh);
    }
}

#[tokio::test]
async fn what_is_no_good_refresh_token_renews_nothing() {
    let site = site().await;
    let service = || site.token().for_service("admin", "bookmarks", "tacc");
    let cases = [
        (json!({"refresh_token": service().mint()}), 401),
        (json!({"refresh_token": service().refresh().expires_at(1).mint()}), 401),
        (json!({"refresh_token": service().refresh().signed_by("tacc").mint()}), 401),
        (json!({"refresh_token": service().refresh().without("tapis/access_token").mint()}), 401),
        (json!({"refresh_token": "garbage"}), 401),
        (json!({"refresh_token": null}), 400),
        (json!({}), 400),
    ];
    for (body, status) in cases {
        response(http().put(at(&site, "admin", "/v3/tokens")).json(&body), status).await;
    }
}
