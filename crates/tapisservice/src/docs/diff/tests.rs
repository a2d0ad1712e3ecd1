use serde_json::json;

use super::*;

fn changes(old: &Value, new: &Value) -> Vec<String> {
    compare(old, new).iter().map(ToString::to_string).collect()
}

/// A document with one operation, whose body and result have this schema.
fn with(schema: &Value) -> Value {
    let content = json!({"application/json": {"schema": {"$ref": "#/components/schemas/Note"}}});
    json!({
        "paths": {"/v3/notes": {"put": {
            "operationId": "putNote",
            "requestBody": {"content": content},
            "responses": {"200": {"content": content}},
        }}},
        "components": {"schemas": {"Note": schema}},
    })
}

#[test]
fn a_document_is_like_itself_whatever_it_says() {
    let document = with(
        &json!({"type": "object", "description": "old", "properties": {"a": {"$ref": "#/components/schemas/Note"}}}),
    );
    assert_eq!(changes(&document, &document), Vec::<String>::new());
    let described = with(
        &json!({"type": "object", "description": "new", "properties": {"a": {"$ref": "#/components/schemas/Note"}}}),
    );
    assert_eq!(changes(&document, &described), Vec::<String>::new());
}

#[test]
fn operations_come_and_go() {
    let old = json!({"paths": {"/a": {"get": {"operationId": "a"}}, "/b": {"get": {"operationId": "b"}}}});
    let new = json!({"paths": {"/a": {"get": {"operationId": "getA"}, "post": {}}}});
    let told = [
        "breaking: GET /a: the operation id is \"getA\", was \"a\"",
        "breaking: GET /b: removed",
        "compatible: POST /a: added",
    ];
    assert_eq!(changes(&old, &new), told);
}

#[test]
fn what_a_client_sends_may_become_wider_and_what_it_gets_narrower() {
    let cases = [
        (
            json!({"type": "integer", "maximum": 9}),
            json!({"type": "integer", "maximum": 5}),
            "maximum is 5, was 9",
            true,
        ),
        (
            json!({"type": "string", "minLength": 1}),
            json!({"type": "string"}),
            "minLength is none, was 1",
            false,
        ),
        (
            json!({"type": "string"}),
            json!({"type": ["string", "null"]}),
            "the type is null or string, was string",
            false,
        ),
        (json!({"enum": ["a", "b"]}), json!({"enum": ["a"]}), "the value \"b\" is gone", true),
        (json!({"enum": ["a"]}), json!({"enum": ["a", "b"]}), "the value \"b\" is new", false),
    ];
    for (old, new, what, breaks_requests) in cases {
        let (request, response) =
            if breaks_requests { ("breaking", "compatible") } else { ("compatible", "breaking") };
        let mut told = vec![
            format!("{request}: PUT /v3/notes: body: {what}"),
            format!("{response}: PUT /v3/notes: response 200: {what}"),
        ];
        told.sort();
        assert_eq!(changes(&with(&old), &with(&new)), told, "{old} {new}");
    }
}

#[test]
fn properties_are_compared_by_who_writes_them() {
    let old = json!({"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}, "b": {"type": "string"}}});
    let new = json!({"type": "object", "required": ["a", "c"], "properties": {"a": {"type": "integer"}, "c": {}, "d": {}}});
    let told = [
        "breaking: PUT /v3/notes: body/a: the type is integer, was string",
        "breaking: PUT /v3/notes: body/b: removed",
        "breaking: PUT /v3/notes: body/c: added, and required now",
        "breaking: PUT /v3/notes: response 200/a: the type is integer, was string",
        "breaking: PUT /v3/notes: response 200/b: removed",
        "compatible: PUT /v3/notes: body/d: added",
        "compatible: PUT /v3/notes: response 200/c: added, and required now",
        "compatible: PUT /v3/notes: response 200/d: added",
    ];
    assert_eq!(changes(&with(&old), &with(&new)), told);
}

#[test]
fn parameters_and_responses_are_compared_too() {
    let operation = |parameters: Value, responses: Value| json!({"paths": {"/a": {"get": {"operationId": "a", "parameters": parameters, "responses": responses}}}});
    let parameter =
        |name: &str, required: bool| json!({"name": name, "in": "query", "required": required, "schema": {}});
    let old =
        operation(json!([parameter("x", false), parameter("gone", false)]), json!({"200": {}, "404": {}}));
    let new = operation(
        json!([parameter("x", true), parameter("y", true), parameter("z", false)]),
        json!({"201": {}}),
    );
    let told = [
        "breaking: GET /a: query parameter gone: removed",
        "breaking: GET /a: query parameter x: required now",
        "breaking: GET /a: query parameter y: added, and required",
        "breaking: GET /a: response 200: removed",
        "compatible: GET /a: query parameter z: added",
        "compatible: GET /a: response 201: added",
    ];
    assert_eq!(changes(&old, &new), told);
}

proptest::proptest! {
    #[test]
    fn anything_can_be_compared(old in "[\\[\\]{}\":,a-z$0-9]{0,60}", new in "[\\[\\]{}\":,a-z$0-9]{0,60}") {
        let value = |text: &str| serde_json::from_str(text).unwrap_or(Value::Null);
        let _ = compare(&with(&value(&old)), &with(&value(&new)));
        let _ = compare(&value(&old), &value(&new));
    }
}
