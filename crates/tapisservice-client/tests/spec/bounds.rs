//! No file takes much time or memory, and none makes the reader panic.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::test_runner::Config;
use serde_json::{Value, json};
use tapisservice_client::spec::Resource;

/// Far more than any of these needs, far less than what an unbounded reader would take.
const SOON: Duration = Duration::from_mins(1);

fn refused(what: &str, text: &str) -> String {
    let start = Instant::now();
    let error = Resource::from_openapi("notes", text.as_bytes()).map(|_| ()).unwrap_err().to_string();
    assert!(start.elapsed() < SOON, "{what}");
    assert!(error.len() < 400, "{what}: {error}");
    error
}

/// `a0` is used nine times in `a1`, which is used nine times in `a2`, ...
fn laughs(first: &str, levels: usize) -> String {
    let mut text = format!("a0: &a0 {first}\n");
    for level in 1..=levels {
        let aliases = vec![format!("*a{}", level - 1); 9].join(", ");
        writeln!(text, "a{level}: &a{level} [{aliases}]").unwrap();
    }
    text + "paths: {/v3/a: {get: {}}}\n"
}

#[test]
fn aliases_that_multiply_are_refused() {
    refused("many values", &laughs("[x]", 30));
    refused("few values, much text", &laughs(&format!("\"{}\"", "x".repeat(100_000)), 4));
    refused("long keys", &laughs(&format!("{{? {} : 1}}", "x".repeat(100_000)), 4));
    refused("a mapping in itself", "paths: &p {/v3/a: *p}");
}

#[test]
fn deep_nesting_is_refused() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        refused("JSON", &format!("{{\"paths\": {}1{}}}", open.repeat(10_000), close.repeat(10_000)));
    }
    refused("flow", &format!("paths: {}", "[".repeat(1_000_000)));
    refused(
        "blocks",
        &(0..5_000).fold(String::new(), |text, depth| text + &" ".repeat(depth % 900) + "a:\n"),
    );
    refused("lists", &format!("paths: {}", "- ".repeat(100_000)));
}

#[test]
fn huge_files_are_refused_unread() {
    let text = format!("paths: {{/v3/a: {{get: {{}}}}}}\n#{}", "x".repeat(5_000_000));
    assert!(refused("size", &text).contains("5000"));
}

#[test]
fn references_that_multiply_are_refused() {
    let schemas: serde_json::Map<String, Value> = (0..30)
        .map(|n| {
            let next = json!({"$ref": format!("#/components/schemas/S{}", n + 1)});
            (format!("S{n}"), json!({"allOf": vec![next; 20]}))
        })
        .collect();
    let text = json!({
        "paths": {"/v3/a": {"get": {"parameters": [{"name": "p", "in": "query", "schema": {"$ref": "#/components/schemas/S0"}}]}}},
        "components": {"schemas": schemas},
    });
    assert!(refused("compositions", &text.to_string()).contains("too many parameters"));

    let properties: serde_json::Map<String, Value> =
        (0..2000).map(|n| (format!("p{n}"), json!({}))).collect();
    let body = json!({"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/S"}}}}});
    let paths: serde_json::Map<String, Value> =
        (0..2000).map(|n| (format!("/v3/{n}"), json!({"post": body}))).collect();
    let text = json!({"paths": paths, "components": {"schemas": {"S": {"properties": properties}}}});
    assert!(refused("one schema for all", &text.to_string()).contains("too many parameters"));
}

/// Words that mean something to the reader.
const WORDS: &[&str] = &[
    "paths",
    "/v3/a/{id}",
    "/{path}",
    "get",
    "post",
    "parameters",
    "$ref",
    "#/paths",
    "#/components/schemas/S",
    "#",
    "components",
    "schemas",
    "S",
    "schema",
    "name",
    "in",
    "path",
    "query",
    "header",
    "cookie",
    "body",
    "formData",
    "required",
    "type",
    "string",
    "object",
    "array",
    "properties",
    "items",
    "allOf",
    "oneOf",
    "anyOf",
    "requestBody",
    "content",
    "application/json",
    "*/*",
    "style",
    "explode",
    "operationId",
    "swagger",
    "basePath",
    "enum",
    "null",
    "additionalProperties",
    "<<",
    "{",
    "..",
];

fn word() -> impl Strategy<Value = String> {
    prop_oneof![4 => prop::sample::select(WORDS).prop_map(str::to_owned), 1 => ".{0,12}"]
}

/// Documents made of such words.
fn document() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        word().prop_map(Value::from),
    ];
    let tree = leaf.prop_recursive(6, 80, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((word(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    });
    (tree.clone(), tree.clone(), tree).prop_map(|(item, parameters, schema)| {
        json!({
            "paths": {"/v3/a/{id}": item, "/b": {"post": {
                "parameters": parameters,
                "requestBody": {"content": {"application/json": {"schema": schema}}},
            }}},
            "components": {"schemas": {"S": schema}},
        })
    })
}

/// A file is refused in few words, or its index is read back as it was written.
fn holds(text: &[u8]) {
    match Resource::from_openapi("notes", text) {
        Ok(resource) => {
            assert!(resource.operations().len() > 0);
            assert!(resource.operations().all(|op| op.path.starts_with("/v3")));
        }
        Err(e) => assert!(e.to_string().len() < 1000, "{e}"),
    }
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::with_cases(512) })]

    #[test]
    fn no_text_makes_the_reader_panic(text in "[\\[\\]{}:,&*!?|>'\"%@#<\\-~a-c0-2 \\t\\n\u{feff}\u{0}é]{0,120}") {
        holds(text.as_bytes());
        holds(format!("paths: {{/v3/a: {{get: {text}}}}}").as_bytes());
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        holds(&bytes);
    }

    #[test]
    fn no_document_makes_the_reader_panic(document in document()) {
        holds(document.to_string().as_bytes());
        holds(yaml_serde::to_string(&document).unwrap().as_bytes());
    }
}
