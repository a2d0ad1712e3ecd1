//! Nobody reaches another one's bookmarks, or learns that there are any.

use reqwest::Method;
use serde_json::json;

use crate::helpers::{Service, send};

#[tokio::test]
async fn another_users_bookmark_does_not_exist() {
    let service = Service::start().await;
    let alice = service.alice();
    let id = alice.bookmark("private").await;
    // Same name in another tenant, another name in the same one, the administrator of the tenant.
    for (name, tenant) in [("bob", "tacc"), ("alice", "dev"), ("admin", "tacc")] {
        let other = service.user(name, tenant);
        let missing = "There is no such bookmark.";
        other.get(&format!("/{id}")).await.assert_refusal(404, missing);
        other.patch(&id, &json!({"name": "mine"})).await.assert_refusal(404, missing);
        other.patch(&id, &json!({"tags": ["mine"]})).await.assert_refusal(404, missing);
        other.delete(&format!("/{id}")).await.assert_refusal(404, missing);
        let list = other.get("?computeTotal=true").await;
        assert_eq!((list.result(), &list.body()["metadata"]["totalCount"]), (json!([]), &json!(0)));
    }
    let kept = alice.get(&format!("/{id}")).await.result();
    assert_eq!((&kept["name"], &kept["tags"]), (&json!("private"), &json!([])));
}

#[tokio::test]
async fn a_service_sees_the_bookmarks_of_the_user_it_acts_for() {
    let service = Service::start().await;
    let id = service.alice().bookmark("results").await;
    let token = service.site.token_for_service("admin", "jobs", "tacc");
    let on_behalf_of = |user: &str, tenant: &str| {
        let request = service.request(Method::GET, &format!("/{id}")).header("X-Tapis-Token", &token);
        send(request.header("X-Tapis-User", user).header("X-Tapis-Tenant", tenant))
    };
    assert_eq!(on_behalf_of("alice", "tacc").await.result()["name"], "results");
    on_behalf_of("bob", "tacc").await.assert_refusal(404, "There is no such bookmark.");
    on_behalf_of("alice", "dev").await.assert_refusal(404, "There is no such bookmark.");
    on_behalf_of("jobs", "admin").await.assert_refusal(404, "There is no such bookmark.");
    // Without saying for whom, a service gets nowhere.
    let alone = service.request(Method::GET, "").header("X-Tapis-Token", &token);
    assert_eq!(send(alone).await.status, 401);
}

#[tokio::test]
async fn what_a_service_makes_for_a_user_is_the_users() {
    let service = Service::start().await;
    let token = service.site.token_for_service("admin", "jobs", "tacc");
    let made = service
        .request(Method::POST, "")
        .header("X-Tapis-Token", token)
        .header("X-Tapis-User", "alice")
        .header("X-Tapis-Tenant", "tacc")
        .json(&json!({"name": "from a job", "system_id": "workstation", "path": "/out"}));
    assert_eq!(send(made).await.status, 201);
    assert_eq!(service.alice().names("").await, ["from a job"]);
}

#[tokio::test]
async fn nothing_is_done_without_a_valid_token() {
    let service = Service::start().await;
    let alice = service.alice();
    let id = alice.bookmark("results").await;
    let expired = service.site.expired_token_for_user("tacc", "alice");
    let foreign = service.site.token().for_user("tacc", "alice").signed_by("dev").mint();
    let routes = [
        (Method::GET, String::new()),
        (Method::POST, String::new()),
        (Method::GET, format!("/{id}")),
        (Method::PATCH, format!("/{id}")),
        (Method::DELETE, format!("/{id}")),
        (Method::GET, "/whoami".to_owned()),
    ];
    for (method, path) in routes {
        let request = || service.request(method.clone(), &path).json(&json!({"name": "x"}));
        send(request()).await.assert_refusal(401, "No Tapis access token found in the request.");
        for token in [&expired, &foreign] {
            let response = send(request().header("X-Tapis-Token", token)).await;
            assert_eq!(response.status, 401, "{method} {path}");
            assert!(response.headers.contains_key("www-authenticate"));
        }
    }
    assert_eq!(alice.names("").await, ["results"]);
}
