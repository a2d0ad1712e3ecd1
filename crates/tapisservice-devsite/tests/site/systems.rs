use reqwest::RequestBuilder;
use serde_json::{Value, json};
use tapisservice_devsite::DevSite;

use crate::helpers::{at, http, response, site};

fn call(site: &DevSite, tenant: &str, path: &str, token: &str) -> RequestBuilder {
    http().get(at(site, tenant, path)).header("X-Tapis-Token", token)
}

fn ids(list: &Value) -> Vec<&str> {
    list["result"].as_array().unwrap().iter().map(|system| system["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn users_see_their_own_systems_and_the_public_ones() {
    let site = site().await;
    let cases = [
        ("alice", "/v3/systems", vec!["alice-private"]),
        ("bob", "/v3/systems", vec![]),
        ("alice", "/v3/systems?listType=SHARED_PUBLIC", vec!["workstation"]),
        ("alice", "/v3/systems?listType=ALL", vec!["alice-private", "workstation"]),
        ("bob", "/v3/systems?listType=ALL", vec!["workstation"]),
        ("alice", "/v3/systems?listType=ALL&limit=1", vec!["alice-private"]),
        ("alice", "/v3/systems?listType=ALL&skip=1&limit=-1", vec!["workstation"]),
    ];
    for (user, path, expected) in cases {
        let list = response(call(&site, "tacc", path, &site.token_for_user("tacc", user)), 200).await;
        assert_eq!(ids(&list), expected, "{user} {path}");
        assert_eq!(list["metadata"]["recordCount"], expected.len());
    }
    response(call(&site, "tacc", "/v3/systems?listType=SOME", &site.token_for_user("tacc", "bob")), 400)
        .await;
}

#[tokio::test]
async fn a_system_that_is_not_visible_is_not_there() {
    let site = site().await;
    let cases = [
        ("alice", "alice-private", 200),
        ("bob", "alice-private", 404),
        ("bob", "workstation", 200),
        ("alice", "nothing", 404),
    ];
    for (user, system, status) in cases {
        let path = format!("/v3/systems/{system}");
        let found = response(call(&site, "dev", &path, &site.token_for_user("dev", user)), status).await;
        assert!(status != 200 || found["result"]["tenant"] == "dev", "{found}");
    }
}

#[tokio::test]
async fn a_service_sees_what_its_user_sees() {
    let site = site().await;
    let token = site.token_for_service("admin", "bookmarks", "tacc");
    for (user, status) in [("alice", 200), ("bob", 404)] {
        let request = call(&site, "tacc", "/v3/systems/alice-private", &token);
        response(request.header("X-Tapis-Tenant", "tacc").header("X-Tapis-User", user), status).await;
    }
}

#[tokio::test]
async fn bad_tokens_and_headers_are_refused() {
    let site = site().await;
    let service = site.token_for_service("admin", "bookmarks", "tacc");
    let obo = |token: &str, tenant: &str| {
        call(&site, "tacc", "/v3/systems", token)
            .header("X-Tapis-Tenant", tenant)
            .header("X-Tapis-User", "alice")
    };
    let user = |token: String| call(&site, "tacc", "/v3/systems", &token);
    let alice = || site.token().for_user("tacc", "alice");
    let cases = [
        ("no token", http().get(at(&site, "tacc", "/v3/systems")), 401),
        ("empty token", user(String::new()), 401),
        ("expired", user(site.expired_token_for_user("tacc", "alice")), 401),
        ("refresh token", user(site.refresh_token_for_user("tacc", "alice")), 401),
        ("another key", user(alice().signed_by("dev").mint()), 401),
        ("another issuer", user(alice().claim("iss", "http://elsewhere").mint()), 401),
        ("another subject", user(alice().claim("sub", "bob@tacc").mint()), 401),
        ("no expiry", user(alice().without("exp").mint()), 401),
        ("odd account type", user(alice().claim("tapis/account_type", "robot").mint()), 401),
        ("unknown tenant", user(site.token().for_user("nowhere", "alice").signed_by("tacc").mint()), 401),
        ("another tenant's host", user(site.token_for_user("dev", "alice")), 403),
        ("OBO with a user token", obo(&site.token_for_user("tacc", "alice"), "tacc"), 401),
        ("no OBO", user(service.clone()), 401),
        ("two OBO users", obo(&service, "tacc").header("X-Tapis-User", "bob"), 401),
        ("another target site", obo(&site.token_for_service("admin", "bookmarks", "uh"), "tacc"), 401),
        ("unknown OBO tenant", obo(&service, "nowhere"), 400),
        ("not an allowable tenant", obo(&site.token_for_service("adminuh", "files", "tacc"), "tacc"), 403),
        ("a tenant whose site has Systems", obo(&service, "uh"), 403),
    ];
    for (name, request, status) in cases {
        assert!(response(request, status).await["message"].is_string(), "{name}");
    }
}

#[tokio::test]
async fn the_primary_site_serves_tenants_whose_site_has_no_systems() {
    let site = site().await;
    site.patch_site("uh", "services", json!(["files"])).unwrap();
    let request = http()
        .get(format!("{}/v3/systems", site.url()))
        .header("Host", format!("uh.localhost:{}", site.port()));
    let request = request.header("X-Tapis-Token", site.token_for_service("admin", "bookmarks", "tacc"));
    response(request.header("X-Tapis-Tenant", "uh").header("X-Tapis-User", "alice"), 200).await;
}
