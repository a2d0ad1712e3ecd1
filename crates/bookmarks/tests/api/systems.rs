//! A bookmark is to a system that its owner can see: the service asks Systems on behalf of the user.

use serde_json::{Value, json};
use tapisservice::testing::InjectedFault;

use crate::helpers::BookmarkRequests as _;

fn bookmark(system_id: &str) -> Value {
    json!({"name": format!("on {system_id}"), "system_id": system_id, "path": "/data"})
}

fn refusal(system_id: &str) -> String {
    format!(
        "There is no system \"{system_id}\", or you have no access to it. A bookmark needs a system that you can see."
    )
}

#[tokio::test]
async fn a_system_that_is_not_there_or_not_shown_is_refused_in_words_for_users() {
    let service = crate::start().await;
    let (alice, bob) = (service.alice(), service.bob());
    alice.create(&bookmark("nowhere")).await.assert_error(400, &refusal("nowhere"));
    bob.create(&bookmark("alice-private")).await.assert_error(400, &refusal("alice-private"));
    assert_eq!(alice.create(&bookmark("alice-private")).await.status(), 201);
    assert_eq!(bob.names("").await, [""; 0]);
}

#[tokio::test]
async fn a_change_to_another_system_is_checked_and_other_changes_are_not() {
    let service = crate::start().await;
    let alice = service.alice();
    let made = alice.create(&bookmark("workstation")).await.result();
    let id = made["bookmark_id"].as_str().unwrap();
    alice.update(id, &json!({"system_id": "nowhere"})).await.assert_error(400, &refusal("nowhere"));
    assert_eq!(alice.update(id, &json!({"system_id": "stampede"})).await.status(), 200);
    service.site().reset_request_counts();
    assert_eq!(alice.update(id, &json!({"description": "moved"})).await.status(), 200);
    assert_eq!(service.site().request_count("GET /v3/systems/stampede"), 0);
}

#[tokio::test]
async fn systems_that_does_not_answer_is_a_503_and_nothing_is_kept() {
    let service = crate::start().await;
    let alice = service.alice();
    service.site().inject_fault("/v3/systems", InjectedFault::Status(500));
    let response = alice.create(&bookmark("workstation")).await;
    assert!(matches!(response.status().as_u16(), 502 | 503), "{}", response.text());
    service.site().clear_faults();
    assert_eq!(alice.names("").await, [""; 0]);
    assert_eq!(alice.create(&bookmark("workstation")).await.status(), 201);
}
