//! One schema complements another: the service's own the framework's (C3).

use serde_json::{Map, Value};

/// A merged schema and what its author should know about it.
#[derive(Debug)]
pub(crate) struct Merged {
    pub(crate) schema: Map<String, Value>,
    pub(crate) warnings: Vec<String>,
    /// The keys that both state, and not alike.
    pub(crate) overridden: Vec<String>,
}

/// Keywords whose members are taken over one by one, the service's before the base's.
const MAPS: [&str; 4] = ["properties", "patternProperties", "definitions", "$defs"];

/// Keywords of Draft 7 that would restrict the base's keys, too, and are not merged.
const NOT_MERGED: [&str; 14] = [
    "$ref",
    "additionalProperties",
    "anyOf",
    "const",
    "dependencies",
    "else",
    "enum",
    "if",
    "maxProperties",
    "minProperties",
    "not",
    "oneOf",
    "propertyNames",
    "then",
];

/// Keywords that say something about the service's document only.
const IDENTITY: [&str; 7] = ["$schema", "$id", "$comment", "type", "title", "description", "default"];

/// Merges a schema, a valid Draft 7 one, into those below it, which `below` names in a warning.
///
/// `properties`, `patternProperties`, `definitions` and `$defs` override member by member, `required` and
/// `allOf` extend; other keywords of Draft 7 are left out, with a warning.
pub(crate) fn merge(base: &Map<String, Value>, service: &Map<String, Value>, below: &str) -> Merged {
    let mut schema = base.clone();
    let mut overridden = Vec::new();
    let mut warnings = draft_warning(service).into_iter().collect::<Vec<_>>();
    for (keyword, value) in service {
        match value {
            Value::Object(members) if MAPS.contains(&keyword.as_str()) => {
                for key in override_members(&mut schema, keyword, members) {
                    warnings.push(format!(
                        "the service's schema overrides `{key}` in the `{keyword}` of {below}"
                    ));
                    overridden.push(key);
                }
            }
            Value::Array(items) if keyword == "required" || keyword == "allOf" => {
                extend(&mut schema, keyword, items);
            }
            _ if NOT_MERGED.contains(&keyword.as_str()) => warnings.push(format!(
                "`{keyword}` at the root of the service's schema has no effect: write it inside `allOf`"
            )),
            _ if IDENTITY.contains(&keyword.as_str()) => {}
            // No keyword of Draft 7; a reference may lead into it.
            _ => drop(schema.insert(keyword.clone(), value.clone())),
        }
    }
    Merged { schema, warnings, overridden }
}

/// Overrides members one by one, and names those that were different before.
///
/// What a Rust type marks as a secret stays one, whatever a hand-written schema says of the key.
fn override_members(
    schema: &mut Map<String, Value>,
    keyword: &str,
    members: &Map<String, Value>,
) -> Vec<String> {
    let merged = schema.entry(keyword).or_insert_with(|| Value::Object(Map::new()));
    let Value::Object(merged) = merged else { return Vec::new() };
    let mut overridden = Vec::new();
    for (key, value) in members {
        let before = merged.insert(key.clone(), value.clone()).filter(|before| before != value);
        let Some(before) = before else { continue };
        overridden.push(key.clone());
        if let (true, Some(Value::Object(now))) = (marks_secret(&before), merged.get_mut(key)) {
            now.insert("writeOnly".to_owned(), Value::Bool(true));
        }
    }
    overridden
}

/// Whether the schema, or one within it, marks a secret.
fn marks_secret(schema: &Value) -> bool {
    let marks = |schema: &Value| schema.get("writeOnly") == Some(&Value::Bool(true));
    crate::references::subschemas(schema).into_iter().any(|(_, schema)| marks(schema))
}

fn extend(schema: &mut Map<String, Value>, keyword: &str, items: &[Value]) {
    let merged = schema.entry(keyword).or_insert_with(|| Value::Array(Vec::new()));
    let Value::Array(merged) = merged else { return };
    for item in items {
        if !merged.contains(item) {
            merged.push(item.clone());
        }
    }
}

/// Every service's schema is read as Draft 7. `http://json-schema.org/schema` stands for the newest draft
/// of its day and is what Tapis services write.
fn draft_warning(service: &Map<String, Value>) -> Option<String> {
    let stated = service.get("$schema")?.as_str()?;
    let known = ["http://json-schema.org/schema", "http://json-schema.org/draft-07/schema"];
    (!known.contains(&stated.trim_end_matches('#')))
        .then(|| format!("the service's schema names the draft {stated} and is read as Draft 7"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn object(value: Value) -> Map<String, Value> {
        let Value::Object(map) = value else { panic!("an object") };
        map
    }

    #[test]
    fn the_service_overrides_extends_and_is_warned() {
        let base = object(
            json!({"type": "object", "properties": {"a": {"type": "string"}, "b": true}, "required": ["a"]}),
        );
        let service = object(json!({
            "$schema": "http://json-schema.org/schema#", "$id": "http://x.test", "type": "object",
            "properties": {"a": {"type": "integer"}, "b": true, "c": {}}, "required": ["a", "c"],
            "patternProperties": {"^x": {}}, "$defs": {"d": {}}, "definitions": {"e": {}},
            "allOf": [{"required": ["z"]}], "additionalProperties": false, "x-note": 1,
        }));
        let merged = merge(&base, &service, "the base schema");
        assert_eq!(
            Value::Object(merged.schema),
            json!({
                "type": "object", "properties": {"a": {"type": "integer"}, "b": true, "c": {}},
                "required": ["a", "c"], "patternProperties": {"^x": {}}, "$defs": {"d": {}},
                "definitions": {"e": {}}, "allOf": [{"required": ["z"]}], "x-note": 1,
            })
        );
        assert_eq!(merged.warnings.len(), 2, "{:?}", merged.warnings);
    }

    #[test]
    fn a_secret_stays_one_when_its_key_is_overridden() {
        let base = object(json!({"properties": {
            "a": {"type": "string", "writeOnly": true}, "b": {"items": {"writeOnly": true}}, "c": {"type": "string"},
        }}));
        let service = object(
            json!({"properties": {"a": {"type": "string"}, "b": {"writeOnly": false}, "c": {"type": "integer"}}}),
        );
        let merged = merge(&base, &service, "the base schema");
        let properties = &merged.schema["properties"];
        assert_eq!(
            (&properties["a"]["writeOnly"], &properties["b"]["writeOnly"]),
            (&json!(true), &json!(true))
        );
        assert_eq!(properties["c"], json!({"type": "integer"}));
        assert_eq!(merged.overridden, ["a", "b", "c"]);
    }

    #[test]
    fn another_draft_is_warned_about() {
        let service = object(json!({"$schema": "https://json-schema.org/draft/2020-12/schema"}));
        assert!(merge(&Map::new(), &service, "nothing").warnings[0].contains("Draft 7"));
    }

    fn property() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(json!(true)),
            "[a-c]{1,2}".prop_map(|text| json!({"type": "string", "default": text})),
            any::<i32>().prop_map(|number| json!({"type": "integer", "default": number})),
        ]
    }

    prop_compose! {
        fn service_schema()(
            properties in prop::collection::btree_map("[a-d]", property(), 0..4),
            patterns in prop::collection::btree_map("\\^[a-d]", property(), 0..3),
            required in prop::collection::btree_set("[a-d]", 0..3),
            all_of in prop::collection::vec(property(), 0..2),
        ) -> Map<String, Value> {
            object(json!({"properties": properties, "patternProperties": patterns, "required": required, "allOf": all_of}))
        }
    }

    proptest! {
        #[test]
        fn merging_twice_is_merging_once(service in service_schema()) {
            let base = object(json!({"properties": {"a": {"type": "string", "writeOnly": true}, "z": {}}, "required": ["z"]}));
            let once = merge(&base, &service, "the base schema").schema;
            let twice = merge(&once, &Map::new(), "the merged schema");
            prop_assert_eq!(&twice.schema, &once);
            let twice = merge(&merge(&Map::new(), &service, "nothing").schema, &service, "itself");
            prop_assert!(twice.warnings.is_empty());
        }
    }
}
