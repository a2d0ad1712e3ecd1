use serde_json::{Value, json};
use tapisservice_devsite::DevSite;

use crate::helpers::{at, http, response};

async fn site() -> DevSite {
    DevSite::builder().server("dev").role("tacc", "alice", "curator").start().await.unwrap()
}

async fn ask(site: &DevSite, token: &str, operation: &str, body: Value, status: u16) -> Value {
    let request = http().post(at(site, "tacc", &format!("/v3/security/user/{operation}")));
    response(request.header("X-Tapis-Token", token).json(&body), status).await["result"].take()
}

#[tokio::test]
async fn roles_are_asked_for_in_several_ways() {
    let site = site().await;
    let token = site.token_for_user("tacc", "bob");
    let (alice, admin) =
        (json!({"tenant": "tacc", "user": "alice"}), json!({"tenant": "tacc", "user": "admin"}));
    let with = |who: &Value, name: &str, value: Value| {
        let mut body = who.clone();
        body[name] = value;
        body
    };
    let cases = [
        ("hasRole", with(&alice, "roleName", json!("curator")), true),
        ("hasRole", with(&alice, "roleName", json!("reader")), false),
        ("hasRoleAny", with(&alice, "roleNames", json!(["reader", "curator"])), true),
        ("hasRoleAll", with(&alice, "roleNames", json!(["reader", "curator"])), false),
        ("hasRoleAll", with(&alice, "roleNames", json!(["curator"])), true),
        ("hasRole", with(&with(&admin, "roleName", json!("curator")), "orAdmin", json!(true)), true),
        ("isAdmin", alice.clone(), false),
        ("isAdmin", admin.clone(), true),
    ];
    for (operation, body, expected) in cases {
        assert_eq!(
            ask(&site, &token, operation, body.clone(), 200).await["isAuthorized"],
            expected,
            "{operation} {body}"
        );
    }
}

#[tokio::test]
async fn a_service_grants_and_revokes_on_behalf_of_a_user() {
    let site = site().await;
    let call = |method: &str, path: &str| {
        let url = at(&site, "tacc", &format!("/v3/security/user/{path}"));
        let request = http().request(method.parse().unwrap(), url);
        let request = request.header("X-Tapis-Token", site.token_for_service("admin", "bookmarks", "tacc"));
        request.header("X-Tapis-Tenant", "tacc").header("X-Tapis-User", "alice")
    };
    let body = json!({"tenant": "tacc", "user": "bob", "roleName": "reader"});
    for (operation, changes) in
        [("grantRole", 1), ("grantRole", 0), ("revokeRole", 1), ("revokeRole", 0), ("grantRole", 1)]
    {
        assert_eq!(
            response(call("POST", operation).json(&body), 200).await["result"]["changes"],
            changes,
            "{operation}"
        );
    }
    assert_eq!(
        response(call("GET", "roles/bob?tenant=tacc"), 200).await["result"]["names"],
        json!(["reader"])
    );
    assert_eq!(response(call("GET", "roles/alice"), 200).await["result"]["names"], json!(["curator"]));
    assert_eq!(response(call("GET", "withRole/curator"), 200).await["result"]["names"], json!(["alice"]));
}

#[tokio::test]
async fn a_test_grants_and_revokes_without_asking() {
    let site = site().await;
    let token = site.token_for_user("tacc", "bob");
    let body = json!({"tenant": "tacc", "user": "bob", "roleName": "reader"});
    site.grant_role("tacc", "bob", "reader");
    assert_eq!(ask(&site, &token, "hasRole", body.clone(), 200).await["isAuthorized"], true);
    site.revoke_role("tacc", "bob", "reader");
    assert_eq!(ask(&site, &token, "hasRole", body, 200).await["isAuthorized"], false);
}

#[tokio::test]
async fn users_change_nothing_and_look_into_no_other_tenant() {
    let site = site().await;
    let body = json!({"tenant": "tacc", "user": "alice", "roleName": "root"});
    ask(&site, &site.token_for_user("tacc", "alice"), "grantRole", body.clone(), 403).await;
    ask(&site, &site.token_for_user("tacc", "admin"), "grantRole", body, 200).await;
    let token = site.token_for_user("tacc", "alice");
    ask(&site, &token, "isAdmin", json!({"tenant": "dev", "user": "alice"}), 403).await;
    ask(&site, &token, "isAdmin", json!({"tenant": "nowhere", "user": "alice"}), 400).await;
    ask(&site, &token, "isAdmin", json!({"tenant": "tacc"}), 400).await;
}
