//! `GET /`: pages, order, filters and what the list says about itself.

use serde_json::{Value, json};

use bookmarks::ListQuery;

use tapisservice::testing::TestClient;

use crate::helpers::BookmarkRequests as _;

async fn three(alice: &TestClient) {
    let bookmark = |name, system, tags| json!({"name": name, "system_id": system, "path": "/", "tags": tags});
    for body in [
        bookmark("b", "workstation", json!(["red", "old"])),
        bookmark("c", "stampede", json!(["red"])),
        bookmark("a", "workstation", json!([])),
    ] {
        alice.bookmark_of(&body).await;
    }
}

#[tokio::test]
async fn lists_are_ordered_as_asked_and_by_creation_otherwise() {
    let service = crate::start().await;
    let alice = service.alice();
    three(&alice).await;
    let cases = [
        ("", ["b", "c", "a"]),
        ("?orderBy=name", ["a", "b", "c"]),
        ("?orderBy=name(desc)", ["c", "b", "a"]),
        ("?orderBy=system_id(asc),name(desc)", ["c", "b", "a"]),
        ("?orderBy=system_id(DESC),name", ["a", "b", "c"]),
        ("?orderBy=created(desc)", ["a", "c", "b"]),
    ];
    for (query, names) in cases {
        assert_eq!(alice.names(query).await, names, "{query}");
    }
}

#[tokio::test]
async fn filters_narrow_a_list_and_its_total() {
    let service = crate::start().await;
    let alice = service.alice();
    three(&alice).await;
    let cases = [
        ("system_id=workstation", vec!["b", "a"]),
        ("tag=red", vec!["b", "c"]),
        ("tag=red&system_id=workstation", vec!["b"]),
        ("tag=re", vec![]),
        ("system_id=nowhere", vec![]),
    ];
    for (query, names) in cases {
        assert_eq!(alice.names(&format!("?{query}")).await, names, "{query}");
        let counted = alice.get(&format!("?computeTotal=true&limit=0&{query}")).await;
        assert_eq!(counted.body()["metadata"]["totalCount"], json!(names.len()), "{query}");
    }
}

#[tokio::test]
async fn pages_follow_each_other_without_gaps() {
    let service = crate::start().await;
    let alice = service.alice();
    for n in 0..7 {
        alice.bookmark(&format!("{n}")).await;
    }
    let mut seen = Vec::new();
    for skip in [0, 3, 6, 9] {
        // All are on one system: the order is total all the same.
        seen.extend(alice.names(&format!("?orderBy=system_id&limit=3&skip={skip}")).await);
    }
    assert_eq!(seen, ["0", "1", "2", "3", "4", "5", "6"]);
}

/// A page once held whatever its records took: 12 MB of a thousand of the largest.
#[tokio::test]
async fn a_list_of_large_bookmarks_ends_early_and_goes_on_where_it_ended() {
    const COUNT: usize = 240;
    let service = crate::start().await;
    let alice = service.alice();
    for number in 0..COUNT {
        let name = format!("{number:03}");
        // Twelve kilobytes each: characters of two bytes, and quotes that JSON writes with two.
        let path = format!("/{}", "é".repeat(4095));
        let body =
            json!({"name": name, "system_id": "workstation", "path": path, "description": "\"".repeat(2048)});
        alice.bookmark_of(&body).await;
    }
    for pretty in ["", "&pretty=true"] {
        let (mut names, mut pages) = (Vec::new(), 0);
        loop {
            let skip = names.len();
            let page = alice.get(&format!("?orderBy=name&limit=1000&skip={skip}{pretty}")).await;
            assert!(page.text().len() <= ListQuery::MAX_BYTES + 64 * 1024, "{} bytes", page.text().len());
            let body = page.body();
            let records = body["result"].as_array().unwrap();
            let metadata = &body["metadata"];
            assert_eq!(
                (&metadata["recordCount"], &metadata["recordLimit"], &metadata["recordsSkipped"]),
                (&json!(records.len()), &json!(1000), &json!(skip))
            );
            if records.is_empty() {
                break;
            }
            pages += 1;
            names.extend(records.iter().map(|record| record["name"].as_str().unwrap().to_owned()));
        }
        let all: Vec<_> = (0..COUNT).map(|number| format!("{number:03}")).collect();
        assert_eq!((names, pages), (all, 3));
    }
    // Small ones do not end early.
    let bob = service.bob();
    for number in 0..120 {
        bob.bookmark(&format!("{number}")).await;
    }
    assert_eq!(bob.names("?limit=1000").await.len(), 120);
}

#[tokio::test]
async fn metadata_describes_the_list() {
    let service = crate::start().await;
    let alice = service.alice();
    three(&alice).await;
    let metadata = |query: &'static str| {
        let alice = &alice;
        async move { alice.get(query).await.metadata() }
    };
    let plain = json!({
        "recordCount": 3, "recordLimit": 100, "recordsSkipped": 0, "orderBy": null, "startAfter": null, "totalCount": -1,
    });
    assert_eq!(metadata("").await, plain);
    let page = json!({
        "recordCount": 1, "recordLimit": 1, "recordsSkipped": 1, "orderBy": "name(desc)", "startAfter": null,
        "totalCount": 3,
    });
    assert_eq!(metadata("?limit=1&skip=1&orderBy=name(desc)&computeTotal=True").await, page);
    assert_eq!(alice.get("?limit=0").await.result(), Value::Array(Vec::new()));
}

#[tokio::test]
async fn a_query_that_does_not_fit_is_named() {
    let service = crate::start().await;
    let alice = service.alice();
    let number = "expected a whole number from 0 to";
    let cases = [
        ("limit=1001", format!("Invalid query parameter \"limit\": {number} 1000.")),
        ("limit=-1", format!("Invalid query parameter \"limit\": {number} 1000.")),
        ("skip=x", format!("Invalid query parameter \"skip\": {number} 2147483647.")),
        ("computeTotal=yes", "Invalid query parameter \"computeTotal\": expected true or false.".to_owned()),
        (
            "orderBy=owner",
            "Invalid query parameter \"orderBy\": expected one or more of name, system_id, path, created, updated, \
             each with (asc) or (desc) or neither."
                .to_owned(),
        ),
        (
            "startAfter=a",
            "Invalid query parameter \"startAfter\": unknown field, expected one of `limit`, `skip`, `orderBy`, \
             `computeTotal`, `system_id`, `tag`."
                .to_owned(),
        ),
        ("tag=", "Invalid query parameter \"tag\": expected 1 to 40 characters.".to_owned()),
        ("limit=1&limit=2", "Invalid query parameter \"limit\": expected a single value.".to_owned()),
    ];
    for (query, message) in cases {
        alice.get(&format!("?{query}")).await.assert_error(400, &message);
    }
    assert!(alice.get("?pretty=true").await.text().starts_with("{\n"));
}
