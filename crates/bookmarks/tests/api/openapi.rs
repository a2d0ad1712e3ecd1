//! The OpenAPI document: what clients are made from.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::helpers::BookmarkRequests as _;

fn document() -> Value {
    serde_json::to_value(&tapisservice::program::describe::<bookmarks::Bookmarks>().unwrap().openapi).unwrap()
}

fn operations(document: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    paths.flat_map(|(path, item)| {
        item.as_object()
            .unwrap()
            .iter()
            .map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
    })
}

/// The schema with every `$ref` replaced. Panics when one leads out of the document or in a circle.
fn resolved(document: &Value, schema: &Value, within: &[&str]) -> Value {
    match schema {
        Value::Object(members) => {
            if let Some(reference) = members.get("$ref").and_then(Value::as_str) {
                assert!(reference.starts_with("#/") && !within.contains(&reference), "{reference}");
                let target = document.pointer(&reference[1..]).unwrap();
                return resolved(document, target, &[within, &[reference]].concat());
            }
            let resolve = |(key, value): (&String, &Value)| (key.clone(), resolved(document, value, within));
            Value::Object(members.iter().map(resolve).collect())
        }
        Value::Array(items) => items.iter().map(|item| resolved(document, item, within)).collect(),
        other => other.clone(),
    }
}

/// The examples of the properties that are named, as a body.
fn example(schema: &Value, named: impl Fn(&str) -> bool) -> Value {
    let properties = schema["properties"].as_object().unwrap().iter();
    properties
        .filter(|(name, _)| named(name))
        .map(|(name, property)| (name.clone(), property["example"].clone()))
        .collect()
}

#[tokio::test]
async fn every_operation_has_the_id_that_clients_call_it_by() {
    let document = document();
    let ids: BTreeSet<_> =
        operations(&document).map(|(_, _, operation)| operation["operationId"].as_str().unwrap()).collect();
    let expected = [
        "createBookmark",
        "deleteBookmark",
        "getBookmark",
        "healthcheck",
        "hello",
        "listBookmarks",
        "ready",
        "readycheck",
        "updateBookmark",
        "whoami",
    ];
    assert_eq!(ids, BTreeSet::from(expected));
    assert_eq!(operations(&document).count(), expected.len());
}

#[tokio::test]
async fn nothing_but_methods_lies_under_a_path_and_every_path_is_the_public_one() {
    let document = document();
    for (path, method, _) in operations(&document) {
        assert!(["get", "post", "patch", "delete"].contains(&method), "{method} {path}");
        assert!(path.starts_with("/v3/bookmarks") && !path.ends_with('/'), "{path}");
    }
}

#[tokio::test]
async fn all_but_health_asks_for_a_token() {
    let document = document();
    for (path, method, operation) in operations(&document) {
        let public =
            ["/hello", "/healthcheck", "/ready", "/readycheck"].iter().any(|end| path.ends_with(end));
        let expected = if public { Value::Null } else { json!([{"TapisJWT": []}]) };
        assert_eq!(operation["security"], expected, "{method} {path}");
    }
    let scheme = &document["components"]["securitySchemes"]["TapisJWT"];
    assert_eq!(
        (&scheme["type"], &scheme["in"], &scheme["name"]),
        (&json!("apiKey"), &json!("header"), &json!("X-Tapis-Token"))
    );
}

/// What policies and limits make possible is in the document, though no handler declares it.
#[tokio::test]
async fn every_operation_tells_the_failures_of_its_policy_and_its_limits() {
    let document = document();
    for (path, method, operation) in operations(&document) {
        let health =
            ["/hello", "/healthcheck", "/ready", "/readycheck"].iter().any(|end| path.ends_with(end));
        let has_body = operation.get("requestBody").is_some();
        let responses = operation["responses"].as_object().unwrap();
        let expected = [
            ("400", !health),
            ("401", !health),
            ("403", !health),
            ("408", has_body),
            ("413", has_body),
            ("415", has_body),
            ("503", !health || path.ends_with("/ready") || path.ends_with("/readycheck")),
            ("504", true),
        ];
        for (status, possible) in expected {
            assert_eq!(responses.contains_key(status), possible, "{method} {path} {status}");
        }
        for (status, response) in responses.iter().filter(|(status, _)| !status.starts_with('2')) {
            let schema = &response["content"]["application/json"]["schema"]["$ref"];
            assert_eq!(schema, "#/components/schemas/ErrorEnvelope", "{method} {path} {status}");
            assert!(!response["description"].as_str().unwrap().is_empty(), "{method} {path} {status}");
        }
    }
}

#[tokio::test]
async fn no_schema_leads_in_a_circle_or_out_of_the_document() {
    let document = document();
    resolved(&document, &document, &[]);
}

#[tokio::test]
async fn bodies_are_objects_whose_required_properties_have_examples() {
    let document = document();
    for name in ["CreateBookmark", "UpdateBookmark"] {
        let schema = resolved(&document, &document["components"]["schemas"][name], &[]);
        assert_eq!(schema["type"], "object");
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        assert!(validator.is_valid(&example(&schema, |_| true)), "{name}");
        for required in schema["required"].as_array().into_iter().flatten() {
            assert!(
                schema["properties"][required.as_str().unwrap()]["example"].is_string(),
                "{name} {required}"
            );
        }
    }
}

#[tokio::test]
async fn the_examples_work_and_the_answers_fit_their_schemas() {
    let service = crate::start().await;
    let alice = service.alice();
    let document = service.anonymous().get("/openapi.json").await;
    assert_eq!(document.headers()["content-type"], "application/json");
    let document = document.body();
    let schema = |name: &str| resolved(&document, &document["components"]["schemas"][name], &[]);
    let fits = |name: &str, body: &Value| {
        let validator = jsonschema::draft202012::new(&schema(name)).unwrap();
        assert!(validator.is_valid(body), "{name}: {body}");
    };

    let create = schema("CreateBookmark");
    let required = |name: &str| create["required"].as_array().unwrap().contains(&json!(name));
    let least = alice.create(&example(&create, required)).await;
    assert_eq!(least.status(), 201, "{}", least.text());
    fits("EnvelopeOf_Bookmark", &least.body());
    let id = least.result()["bookmark_id"].as_str().unwrap().to_owned();
    let changed = alice.update(&id, &example(&schema("UpdateBookmark"), |_| true)).await;
    assert_eq!(changed.status(), 200, "{}", changed.text());
    fits("EnvelopeOf_Bookmark", &changed.body());
    let most = alice.create(&example(&create, |_| true)).await;
    assert_eq!(most.status(), 201, "{}", most.text());
    fits("ListOf_Bookmark", &alice.get("").await.body());
    fits("ErrorEnvelope", &alice.get("/nothing").await.body());
    fits("EnvelopeOf_Readiness", &service.anonymous().get("/ready").await.body());
    fits("EnvelopeOf_Nothing", &service.anonymous().get("/hello").await.body());
}
