//! Files that cannot be read, and what the error says.

use tapisservice_client::ClientError;
use tapisservice_client::spec::Resource;

/// The text of the file, and what the error must contain besides the resource.
const CASES: &[(&str, &[&str])] = &[
    ("", &["not a mapping"]),
    ("just words", &["not a mapping"]),
    ("<html><body>Sign in</body></html>", &["not a mapping"]),
    ("[1, 2]", &["not a mapping"]),
    ("{\"paths\": {", &["not JSON", "line 1"]),
    ("a: b: c: [", &["not YAML", "line 1"]),
    ("paths:\n\t/v3/notes:\n\t\tget: {}\n", &["not YAML", "line 2 is indented with a tab"]),
    ("openapi: 3.0.0", &["no paths"]),
    ("paths: null", &["no paths"]),
    ("paths: [a]", &["paths is not a mapping"]),
    ("paths: {}", &["no operations"]),
    ("paths: {/v3/notes: {summary: none}}", &["no operations"]),
    ("paths: {/v3/notes: [get]}", &["path \"/v3/notes\"", "not a mapping"]),
    ("paths: {/v3/notes: {get: 7}}", &["path \"/v3/notes\": GET", "not a mapping"]),
    (
        "paths: {/v3/notes: {get: {$ref: 'a.yml'}}}",
        &["path \"/v3/notes\": GET", "unresolved reference", "a.yml"],
    ),
    ("paths: {/v3/notes: {get: {parameters: 7}}}", &["path \"/v3/notes\": GET", "not a list"]),
    ("paths: {/v3/notes: {get: {parameters: [{in: query}]}}}", &["GET: parameter 0: has no name"]),
    ("paths: {/v3/notes: {get: {parameters: [{name: a, in: moon}]}}}", &["parameter 0", "\"moon\""]),
    ("paths: {/v3/notes: {get: {parameters: [{name: \"a\\r\\nb\", in: header}]}}}", &["GET \"/v3/notes\""]),
    ("paths: {/v3/notes: {get: {parameters: [{name: 'a b', in: header}]}}}", &["header field"]),
    ("paths: {/v3/notes: {post: {requestBody: 7}}}", &["POST: requestBody: is not a mapping"]),
    ("paths: {/v3/notes: {post: {requestBody: {content: {\"a/\\nb\": {}}}}}}", &["media type"]),
    ("paths: {'https://example.org/notes': {get: {}}}", &["URL, not a path"]),
    ("paths: {'/v3/notes/{id': {get: {}}}", &["brace is not closed"]),
    ("paths: {'/v3/{a}/{a}': {get: {}}}", &["a repeated one"]),
    ("paths: {/v3/../tokens: {get: {}}}", &["dot segment"]),
    ("paths: {/v3/%2E%2e/tokens: {get: {}}}", &["dot segment"]),
    ("paths: {'/v3/{a/../b}': {get: {}}}", &["contains a slash"]),
    ("paths: {'/v3/a b': {get: {}}}", &["character"]),
    ("paths: {'/v3/a\\b': {get: {}}}", &["character"]),
    ("paths: *nowhere", &["not YAML", "anchor"]),
];

#[test]
fn what_cannot_be_read_is_named_with_its_place_and_cause() {
    let mut failures = 0;
    for (text, parts) in CASES {
        let read = Resource::from_openapi("notes", text.as_bytes()).map(|_| ());
        let good = matches!(&read, Err(ClientError::Spec { resource, reason })
            if resource == "notes" && parts.iter().all(|part| reason.contains(part)) && is_one_line(reason));
        if !good {
            failures += 1;
            println!("{text:?}:\n  {read:?}\n  {parts:?}");
        }
    }
    assert_eq!(failures, 0, "of {}", CASES.len());
}

fn is_one_line(text: &str) -> bool {
    text.len() < 400 && !text.contains('\n')
}

#[test]
fn names_of_resources_cannot_leave_the_cache_folder() {
    for name in ["", ".", "..", "../up", "a/b", "a\\b", ".hidden", "a\0b", "ä", &"x".repeat(65)] {
        let refused = Resource::from_openapi(name, b"paths: {/a: {get: {}}}");
        assert!(matches!(refused, Err(ClientError::Setup(_))), "{name}");
    }
}
