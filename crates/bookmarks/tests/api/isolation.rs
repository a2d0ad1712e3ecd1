//! Nobody reaches another one's bookmarks, or learns that there are any.

use serde_json::json;
use tapisservice::http::Method;
use tapisservice::testing::TestClient;

use crate::helpers::BookmarkRequests as _;

#[tokio::test]
async fn another_users_bookmark_does_not_exist() {
    let service = crate::start().await;
    let alice = service.alice();
    let id = alice.bookmark("private").await;
    // Same name in another tenant, another name in the same one, the administrator of the tenant.
    for (name, tenant) in [("bob", "tacc"), ("alice", "dev"), ("admin", "tacc")] {
        let other = service.user(tenant, name);
        let missing = "There is no such bookmark.";
        other.get(&format!("/{id}")).await.assert_error(404, missing);
        other.update(&id, &json!({"name": "mine"})).await.assert_error(404, missing);
        other.update(&id, &json!({"tags": ["mine"]})).await.assert_error(404, missing);
        other.delete(&format!("/{id}")).await.assert_error(404, missing);
        let list = other.get("?computeTotal=true").await;
        assert_eq!((list.result(), &list.body()["metadata"]["totalCount"]), (json!([]), &json!(0)));
    }
    let kept = alice.get(&format!("/{id}")).await.result();
    assert_eq!((&kept["name"], &kept["tags"]), (&json!("private"), &json!([])));
}

#[tokio::test]
async fn a_service_sees_the_bookmarks_of_the_user_it_acts_for() {
    let service = crate::start().await;
    let id = service.alice().bookmark("results").await;
    let jobs = service.service_account("jobs");
    let on_behalf_of =
        async |tenant: &str, user: &str| jobs.clone().on_behalf_of(tenant, user).get(&format!("/{id}")).await;
    assert_eq!(on_behalf_of("tacc", "alice").await.result()["name"], "results");
    for (tenant, user) in [("tacc", "bob"), ("dev", "alice"), ("admin", "jobs")] {
        on_behalf_of(tenant, user).await.assert_error(404, "There is no such bookmark.");
    }
    // Without saying for whom, a service gets nowhere.
    jobs.get("").await.assert_status(401);
}

#[tokio::test]
async fn what_a_service_makes_for_a_user_is_the_users() {
    let service = crate::start().await;
    let jobs = service.service_account("jobs").on_behalf_of("tacc", "alice");
    jobs.bookmark("from a job").await;
    assert_eq!(service.alice().names("").await, ["from a job"]);
}

#[tokio::test]
async fn nothing_is_done_without_a_valid_token() {
    let service = crate::start().await;
    let alice = service.alice();
    let id = alice.bookmark("results").await;
    let expired = service.site().expired_token_for_user("tacc", "alice");
    let foreign = service.site().token().for_user("tacc", "alice").signed_by("dev").mint();
    let routes = [
        (Method::GET, String::new()),
        (Method::POST, String::new()),
        (Method::GET, format!("/{id}")),
        (Method::PATCH, format!("/{id}")),
        (Method::DELETE, format!("/{id}")),
        (Method::GET, "/whoami".to_owned()),
    ];
    for (method, path) in routes {
        let request = |client: TestClient| client.request(method.clone(), &path).json(&json!({"name": "x"}));
        let anonymous = request(service.anonymous()).await;
        anonymous.assert_error(401, "No Tapis access token found in the request.");
        for token in [&expired, &foreign] {
            let response = request(service.anonymous().with_token(token)).await;
            response.assert_status(401);
            assert!(response.header("www-authenticate").is_some(), "{method} {path}");
        }
    }
    assert_eq!(alice.names("").await, ["results"]);
}
