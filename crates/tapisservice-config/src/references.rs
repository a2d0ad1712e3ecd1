//! `$ref` inside a schema: local, resolvable and not endless.
//!
//! A reference is `#`, `#/definitions/name` or any other pointer into the merged schema, or `#name` for a
//! subschema whose `$id` is `#name`. Nothing is ever fetched (F25).
//!
//! Why not jsonschema's `Registry` (the crate referencing): it would replace `resolve` only. It stops at the
//! first broken reference without saying where that stands, accepts a `$ref` that leads to itself, and walks
//! subschemas without their pointers.

use serde_json::{Map, Value};

use crate::pointer;

const SCHEMA_KEYWORDS: [&str; 8] =
    ["additionalItems", "additionalProperties", "contains", "else", "if", "not", "propertyNames", "then"];
const LIST_KEYWORDS: [&str; 3] = ["allOf", "anyOf", "oneOf"];
const MAP_KEYWORDS: [&str; 5] = ["$defs", "definitions", "dependencies", "patternProperties", "properties"];
const IN_PLACE_KEYWORDS: [&str; 8] = ["allOf", "anyOf", "dependencies", "else", "if", "not", "oneOf", "then"];

/// Resolves a local reference within `root`.
pub(crate) fn resolve<'s>(root: &'s Value, reference: &str) -> Option<&'s Value> {
    let fragment = pointer::local_fragment(reference)?;
    if fragment.is_empty() || fragment.starts_with('/') {
        return root.pointer(&fragment);
    }
    let anchor = format!("#{fragment}");
    let named = |schema: &Value| schema.get("$id").and_then(Value::as_str) == Some(anchor.as_str());
    subschemas(root).into_iter().map(|(_, schema)| schema).find(|schema| named(schema))
}

/// The reference a schema consists of, when it is one; Draft 7 ignores what stands beside it.
pub(crate) fn reference(schema: &Map<String, Value>) -> Option<&str> {
    schema.get("$ref").and_then(Value::as_str)
}

/// `root` and every schema within it, with its pointer.
pub(crate) fn subschemas(root: &Value) -> Vec<(String, &Value)> {
    let mut found = Vec::new();
    let mut open = vec![(String::new(), root)];
    while let Some((at, schema)) = open.pop() {
        if let Value::Object(keywords) = schema {
            for (keyword, value) in keywords {
                push_children(&pointer::member(&at, keyword), keyword, value, &mut open);
            }
        }
        found.push((at, schema));
    }
    found
}

/// What is wrong with the references of `root`, as pairs of a pointer into it and a message.
pub(crate) fn violations(root: &Value) -> Vec<(String, String)> {
    let mut violations = Vec::new();
    for (at, schema) in subschemas(root) {
        let Some(keywords) = schema.as_object() else { continue };
        if let Some(message) = reference_violation(root, keywords) {
            violations.push((pointer::member(&at, "$ref"), message));
        } else if leads_to_itself(root, schema, &mut Vec::new()) {
            violations.push((at, "refers to itself without end".to_owned()));
        }
    }
    violations
}

fn reference_violation(root: &Value, schema: &Map<String, Value>) -> Option<String> {
    if let Some(id) = schema.get("$id").and_then(Value::as_str).filter(|id| !id.starts_with('#')) {
        return Some(format!("stands beside the nested $id {id}, which is not supported: name it \"#name\""));
    }
    let reference = reference(schema)?;
    if !reference.starts_with('#') {
        return Some(format!(
            "expected a reference within the schema, such as #/definitions/name; {reference} is elsewhere and nothing is fetched"
        ));
    }
    resolve(root, reference).is_none().then(|| format!("{reference} leads nowhere in the merged schema"))
}

/// Whether applying `schema` to a value means applying it to the same value again.
fn leads_to_itself<'s>(root: &'s Value, schema: &'s Value, path: &mut Vec<&'s Value>) -> bool {
    if let Some(first) = path.first()
        && std::ptr::eq(*first, schema)
    {
        return true;
    }
    // A loop further on is reported where it closes.
    if path.iter().any(|seen| std::ptr::eq(*seen, schema)) {
        return false;
    }
    path.push(schema);
    let endless = in_place(root, schema).into_iter().any(|next| leads_to_itself(root, next, path));
    path.pop();
    endless
}

/// The schemas that `schema` applies to the very value it is applied to itself.
fn in_place<'s>(root: &'s Value, schema: &'s Value) -> Vec<&'s Value> {
    let Some(keywords) = schema.as_object() else { return Vec::new() };
    if let Some(reference) = reference(keywords) {
        return resolve(root, reference).into_iter().collect();
    }
    let mut children = Vec::new();
    for keyword in IN_PLACE_KEYWORDS {
        if let Some(value) = keywords.get(keyword) {
            push_children("", keyword, value, &mut children);
        }
    }
    children.into_iter().map(|(_, child)| child).collect()
}

fn push_children<'s>(at: &str, keyword: &str, value: &'s Value, out: &mut Vec<(String, &'s Value)>) {
    match value {
        Value::Array(list) if LIST_KEYWORDS.contains(&keyword) || keyword == "items" => {
            out.extend(list.iter().enumerate().map(|(index, child)| (pointer::item(at, index), child)));
        }
        Value::Object(map) if MAP_KEYWORDS.contains(&keyword) => {
            out.extend(map.iter().map(|(key, child)| (pointer::member(at, key), child)));
        }
        _ if SCHEMA_KEYWORDS.contains(&keyword) || keyword == "items" => {
            out.push((at.to_owned(), value));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn local_references_resolve() {
        let root = json!({
            "definitions": {"a/b": {"type": "string"}, "c": {"$id": "#c", "type": "null"}},
            "properties": {"x y": true},
        });
        assert_eq!(resolve(&root, "#"), Some(&root));
        assert_eq!(resolve(&root, "#/definitions/a~1b"), Some(&json!({"type": "string"})));
        assert_eq!(resolve(&root, "#/properties/x%20y"), Some(&json!(true)));
        assert_eq!(resolve(&root, "#c").unwrap()["type"], "null");
        assert_eq!(resolve(&root, "#/nowhere"), None);
        assert!(violations(&root).is_empty());
    }

    #[test]
    fn remote_lost_and_endless_references_are_violations() {
        let cases = [
            (json!({"properties": {"x": {"$ref": "http://host.test/x.json"}}}), "/properties/x/$ref"),
            (json!({"items": {"$ref": "file:///etc/passwd"}}), "/items/$ref"),
            (json!({"allOf": [{"$ref": "#/definitions/none"}]}), "/allOf/0/$ref"),
            (json!({"definitions": {"a": {"$ref": "#/definitions/a"}}}), "/definitions/a"),
            (json!({"definitions": {"a": {"allOf": [{"$ref": "#/definitions/a"}]}}}), "/definitions/a"),
        ];
        for (root, pointer) in cases {
            assert!(
                violations(&root).iter().any(|(at, _)| at == pointer),
                "{root} gave {:?}",
                violations(&root)
            );
        }
    }

    #[test]
    fn a_schema_may_contain_itself() {
        let root = json!({"definitions": {"tree": {"properties": {"left": {"$ref": "#/definitions/tree"}}}}});
        assert!(violations(&root).is_empty());
    }

    #[test]
    fn a_property_called_ref_is_not_a_reference() {
        let root = json!({"properties": {"$ref": {"type": "string"}}, "default": {"$ref": "http://x.test"}});
        assert!(violations(&root).is_empty());
    }
}
