//! `POST /`, and `GET`, `PATCH`, `DELETE` of one bookmark.

use serde_json::{Value, json};

use crate::helpers::BookmarkRequests as _;

fn results() -> Value {
    json!({"name": "results", "system_id": "workstation", "path": "/data/alice/results"})
}

#[tokio::test]
async fn a_bookmark_is_created_read_changed_and_deleted() {
    let service = crate::start().await;
    let alice = service.alice();

    let mut body = results();
    body["description"] = json!("The runs\nof last week");
    body["tags"] = json!(["b", "a", "b"]);
    let made = alice.create(&body).await;
    assert_eq!((made.status().as_u16(), made.message().as_str()), (201, "Bookmark created."));
    let made = made.result();
    let id = made["bookmark_id"].as_str().unwrap();
    assert_eq!((&made["tags"], &made["description"]), (&json!(["b", "a"]), &body["description"]));
    assert_eq!(made["created"], made["updated"]);
    assert!(made["created"].as_str().unwrap().ends_with('Z'));

    let read = alice.get(&format!("/{id}")).await;
    assert_eq!((read.status().as_u16(), read.result()), (200, made.clone()));

    let changed = alice.update(id, &json!({"path": "/data/alice/old", "tags": []})).await;
    assert_eq!(changed.status(), 200);
    let changed = changed.result();
    assert_eq!((&changed["path"], &changed["tags"]), (&json!("/data/alice/old"), &json!([])));
    assert_eq!((&changed["name"], &changed["description"]), (&made["name"], &made["description"]));
    assert_eq!(changed["created"], made["created"]);
    assert!(changed["updated"].as_str() >= made["updated"].as_str());

    let deleted = alice.delete(&format!("/{id}")).await;
    assert_eq!((deleted.status().as_u16(), deleted.result()), (200, changed));
    alice.get(&format!("/{id}")).await.assert_error(404, "There is no such bookmark.");
    alice.delete(&format!("/{id}")).await.assert_error(404, "There is no such bookmark.");
    alice.update(id, &json!({})).await.assert_error(404, "There is no such bookmark.");
}

#[tokio::test]
async fn null_clears_a_description_and_only_that() {
    let service = crate::start().await;
    let alice = service.alice();
    let mut body = results();
    body["description"] = json!("x");
    let id = alice.bookmark_of(&body).await;
    assert_eq!(alice.update(&id, &json!({})).await.result()["description"], "x");
    assert_eq!(alice.update(&id, &json!({"description": null})).await.result()["description"], Value::Null);
    for field in ["name", "system_id", "path"] {
        let message = format!("Invalid value at \"/{field}\": expected a string.");
        alice.update(&id, &json!({field: null})).await.assert_error(400, &message);
    }
}

#[tokio::test]
async fn a_name_is_taken_once_per_user_and_tenant() {
    let service = crate::start().await;
    let alice = service.alice();
    let taken = "You already have a bookmark with this \"name\".";
    let first = alice.bookmark("results").await;
    let second = alice.bookmark("others").await;
    alice.create(&results()).await.assert_error(409, taken);
    alice.update(&second, &json!({"name": "results"})).await.assert_error(409, taken);
    assert_eq!(alice.update(&first, &json!({"name": "results"})).await.status(), 200);
    for (name, tenant) in [("bob", "tacc"), ("alice", "dev")] {
        assert_eq!(service.user(tenant, name).create(&results()).await.status(), 201, "{name}@{tenant}");
    }
    assert_eq!(alice.delete(&format!("/{first}")).await.status(), 200);
    assert_eq!(alice.create(&results()).await.status(), 201);
}

#[tokio::test]
async fn what_does_not_fit_is_named_by_place_and_rule() {
    let service = crate::start().await;
    let alice = service.alice();
    let id = alice.bookmark("original").await;
    let cases = [
        (json!({"name": ""}), "\"/name\": expected 1 to 80 characters"),
        (json!({"name": "x".repeat(81)}), "\"/name\": expected 1 to 80 characters"),
        (json!({"name": " x"}), "\"/name\": expected no leading or trailing white space"),
        (json!({"name": "a\u{7}"}), "\"/name\": expected no control characters"),
        (json!({"name": 5}), "\"/name\": expected a string"),
        (
            json!({"system_id": "a/b"}),
            "\"/system_id\": expected letters, digits, `-`, `.`, `_` and `~`, the first a letter or a digit",
        ),
        (json!({"system_id": "s".repeat(81)}), "\"/system_id\": expected 1 to 80 characters"),
        (json!({"path": "work"}), "\"/path\": expected an absolute path, starting with `/`"),
        (json!({"path": "/a/../b"}), "\"/path\": expected no `..` in the path"),
        (json!({"path": "/a\u{0}"}), "\"/path\": expected no control characters"),
        (json!({"path": format!("/{}", "x".repeat(4096))}), "\"/path\": expected 1 to 4096 characters"),
        (json!({"description": "x".repeat(2049)}), "\"/description\": expected 0 to 2048 characters"),
        (json!({"description": "\u{1b}[0m"}), "\"/description\": expected no control characters"),
        (json!({"tags": "a"}), "\"/tags\": expected an array"),
        (json!({"tags": ["a", ""]}), "\"/tags/1\": expected 1 to 40 characters"),
        (json!({"tags": ["a,b"]}), "\"/tags/0\": expected no comma"),
        (
            json!({"tags": (0..21).map(|n| n.to_string()).collect::<Vec<_>>()}),
            "\"/tags\": expected at most 20 tags",
        ),
        (
            json!({"owner": "bob"}),
            "\"/owner\": unknown field, expected one of `name`, `system_id`, `path`, `description`, `tags`",
        ),
    ];
    for (change, reason) in cases {
        let message = format!("Invalid value at {reason}.");
        let mut body = results();
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        alice.create(&body).await.assert_error(400, &message);
        alice.update(&id, &change).await.assert_error(400, &message);
    }
    alice.create(&json!({"name": "x"})).await.assert_error(400, "Invalid body: missing field `system_id`.");
    assert_eq!(alice.names("").await, ["original"]);
}

#[tokio::test]
async fn limits_themselves_fit() {
    let service = crate::start().await;
    let alice = service.alice();
    let body = json!({
        "name": "é".repeat(80), "system_id": "s".repeat(80), "path": format!("/{}", "x".repeat(4095)),
        "description": "é".repeat(2048), "tags": (0..20).map(|n| format!("{n:é>40}")).collect::<Vec<_>>(),
    });
    let made = alice.create(&body).await;
    assert_eq!(made.status(), 201, "{}", made.text());
    for (field, value) in body.as_object().unwrap() {
        assert_eq!(&made.result()[field], value, "{field}");
    }
}

#[tokio::test]
async fn text_that_means_something_to_sql_is_only_text() {
    let service = crate::start().await;
    let alice = service.alice();
    let evil = "'); DROP TABLE bookmarks; --";
    let id = alice
        .bookmark_of(&json!({"name": evil, "system_id": "workstation", "path": "/%_", "tags": ["100%", "_"]}))
        .await;
    assert_eq!(alice.get(&format!("/{id}")).await.result()["name"], evil);
    assert_eq!(alice.names("?tag=100%25").await, [evil]);
    assert!(alice.names("?tag=1%25").await.is_empty());
}

#[tokio::test]
async fn what_is_no_bookmark_is_not_there() {
    let service = crate::start().await;
    let alice = service.alice();
    for id in ["01997f4e-5d5c-7a3e-9d0b-6f1c2b3a4d5e", "results", "%00", "*"] {
        alice.get(&format!("/{id}")).await.assert_error(404, "There is no such bookmark.");
    }
    let put = alice.put("/01997f4e-5d5c-7a3e-9d0b-6f1c2b3a4d5e").json(&results()).await;
    put.assert_error(405, "The method is not allowed for this path.");
    for method in ["GET", "PATCH", "DELETE"] {
        assert!(put.headers()["allow"].to_str().unwrap().contains(method), "{:?}", put.headers()["allow"]);
    }
}

#[tokio::test]
async fn a_bookmark_outlives_a_request_that_is_repeated_at_once() {
    let service = crate::start().await;
    let alice = service.alice();
    let body = results();
    let (one, two, three) = tokio::join!(alice.create(&body), alice.create(&body), alice.create(&body));
    let mut statuses = [one, two, three].map(|response| response.status().as_u16());
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409]);
}
