//! Defaults of the schema, nested ones included (C4).

use serde_json::Value;

use crate::pointer;
use crate::schema_node::{SchemaNode, Subschema};

/// A default that was filled in.
#[derive(Debug, Clone)]
pub(crate) struct Filled<'s> {
    /// Where it went.
    pub(crate) at: String,
    /// The subschema that states it.
    pub(crate) stated_by: &'s Subschema,
}

/// The depth at which defaults that hold themselves are given up.
const MAX_DEPTH: usize = 128;

/// Fills what is absent within `value`, which lies at `at`, and adds what was filled. An
/// absent object without a default of its own stays absent, whatever defaults its members have.
///
/// # Errors
///
/// With the pointer where defaults go on without end.
pub(crate) fn fill<'s>(
    value: &mut Value,
    node: &SchemaNode<'s>,
    at: &str,
    filled: &mut Vec<Filled<'s>>,
) -> Result<(), String> {
    if at.matches('/').count() > MAX_DEPTH {
        return Err(at.to_owned());
    }
    match value {
        Value::Object(members) => {
            for key in node.declared_keys() {
                if let Some((default, stated_by)) =
                    node.member(key).stated_default().filter(|_| !members.contains_key(key))
                {
                    members.insert(key.to_owned(), default.clone());
                    filled.push(Filled { at: pointer::member(at, key), stated_by });
                }
            }
            for (key, member) in members {
                fill(member, &node.member(key), &pointer::member(at, key), filled)?;
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                fill(item, &node.item(index), &pointer::item(at, index), filled)?;
            }
        }
        _ => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Schema;
    use crate::schema_node::Applicability;
    use proptest::prelude::*;
    use serde_json::json;

    fn filled(schema: Value, mut value: Value) -> Result<Value, String> {
        let schema = Schema::compile(schema).unwrap();
        fill(&mut value, &schema.root_node(Applicability::Certain), "", &mut Vec::new())?;
        Ok(value)
    }

    #[test]
    fn defaults_reach_everywhere_a_value_is_certain() {
        let host = json!({"properties": {"host": {"default": "h"}}});
        let cases = [
            (json!({"properties": {"a": {"default": 1}}}), json!({}), json!({"a": 1})),
            (json!({"properties": {"a": {"default": 1}}}), json!({"a": null}), json!({"a": null})),
            (json!({"properties": {"a": host}}), json!({}), json!({})),
            (json!({"properties": {"a": host}}), json!({"a": {}}), json!({"a": {"host": "h"}})),
            (
                json!({"properties": {"a": {"default": {}, "properties": host["properties"]}}}),
                json!({}),
                json!({"a": {"host": "h"}}),
            ),
            (
                json!({"properties": {"a": {"items": host}}}),
                json!({"a": [{}, {"host": "x"}, 1]}),
                json!({"a": [{"host": "h"}, {"host": "x"}, 1]}),
            ),
            (
                json!({"properties": {"a": {"items": [{}, host], "additionalItems": host}}}),
                json!({"a": [{}, {}, {}]}),
                json!({"a": [{}, {"host": "h"}, {"host": "h"}]}),
            ),
            (
                json!({"definitions": {"d": host}, "properties": {"a": {"$ref": "#/definitions/d"}}}),
                json!({"a": {}}),
                json!({"a": {"host": "h"}}),
            ),
            (
                json!({"definitions": {"d": {"default": 1}}, "properties": {"a": {"$ref": "#/definitions/d"}}}),
                json!({}),
                json!({"a": 1}),
            ),
            (
                json!({"definitions": {"d": {"default": 1}}, "properties": {"a": {"$ref": "#/definitions/d", "default": 2}}}),
                json!({}),
                json!({"a": 2}),
            ),
            (json!({"allOf": [{"properties": {"a": {"default": 1}}}]}), json!({}), json!({"a": 1})),
            (
                json!({"patternProperties": {"^a": host}}),
                json!({"ab": {}, "b": {}}),
                json!({"ab": {"host": "h"}, "b": {}}),
            ),
            (
                json!({"properties": {"a": {"additionalProperties": host}}}),
                json!({"a": {"x": {}}}),
                json!({"a": {"x": {"host": "h"}}}),
            ),
            (json!({"anyOf": [{"properties": {"a": {"default": 1}}}, {}]}), json!({}), json!({})),
            (json!({"properties": {"a": host}}), json!({"a": "text"}), json!({"a": "text"})),
        ];
        for (schema, value, expected) in cases {
            assert_eq!(filled(schema.clone(), value).unwrap(), expected, "{schema}");
        }
    }

    #[test]
    fn endless_defaults_are_given_up() {
        let node = json!({"default": {}, "properties": {"a": {"$ref": "#/definitions/node"}}});
        let schema =
            json!({"definitions": {"node": node}, "properties": {"a": {"$ref": "#/definitions/node"}}});
        assert!(filled(schema, json!({})).unwrap_err().starts_with("/a/a"));
    }

    fn schema() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![Just(json!({})), any::<i16>().prop_map(|number| json!({"default": number}))];
        leaf.prop_recursive(3, 12, 3, |inner| {
            let members = prop::collection::btree_map("[a-c]", inner.clone(), 0..3);
            prop_oneof![
                members.clone().prop_map(|properties| json!({"properties": properties})),
                members.prop_map(|properties| json!({"properties": properties, "default": {}})),
                inner.clone().prop_map(|items| json!({"items": items})),
                inner.prop_map(|one| json!({"allOf": [one]})),
            ]
        })
    }

    fn document() -> impl Strategy<Value = Value> {
        any::<bool>().prop_map(Value::Bool).prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                prop::collection::btree_map("[a-c]", inner.clone(), 0..3).prop_map(|members| json!(members)),
                prop::collection::vec(inner, 0..3).prop_map(Value::Array),
            ]
        })
    }

    /// Whether everything that is in `before` is in `after` unchanged.
    fn keeps(before: &Value, after: &Value) -> bool {
        match (before, after) {
            (Value::Object(a), Value::Object(b)) => {
                a.iter().all(|(key, value)| b.get(key).is_some_and(|other| keeps(value, other)))
            }
            (Value::Array(a), Value::Array(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(value, other)| keeps(value, other))
            }
            _ => before == after,
        }
    }

    proptest! {
        #[test]
        fn filling_keeps_what_is_there_and_filling_twice_is_filling_once(schema in schema(), value in document()) {
            let once = filled(schema.clone(), value.clone()).unwrap();
            prop_assert!(keeps(&value, &once));
            prop_assert_eq!(filled(schema, once.clone()).unwrap(), once);
        }
    }
}
