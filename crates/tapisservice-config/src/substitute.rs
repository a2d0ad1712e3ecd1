//! `$env{NAME}` inside the strings of the file (C5).
//!
//! The text of a variable replaces the reference in a string that is parsed already, so it can neither
//! break nor add JSON. It is one pass: a reference in the text of a variable stays as it is.

use serde_json::Value;

use crate::coerce::coerce;
use crate::environment::{Environment, Variable};
use crate::pointer;
use crate::schema_node::SchemaNode;

/// What the substitution did at one place.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// The string at `pointer` was made from the variables.
    Replaced { pointer: String, variables: Vec<String> },
    /// The string at `pointer` stays as it is because of the variable.
    Failed { pointer: String, message: String },
}

/// Replaces the references in the strings within `value`, which lies at `at`.
pub(crate) fn substitute(
    value: &mut Value,
    node: &SchemaNode<'_>,
    at: &str,
    environment: &Environment,
    events: &mut Vec<Event>,
) {
    match value {
        Value::String(text) => {
            if let Some(replaced) = replace(text, node, at, environment, events) {
                *value = replaced;
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                substitute(item, &node.item(index), &pointer::item(at, index), environment, events);
            }
        }
        Value::Object(members) => {
            for (key, member) in members {
                substitute(member, &node.member(key), &pointer::member(at, key), environment, events);
            }
        }
        _ => {}
    }
}

fn replace(
    text: &str,
    node: &SchemaNode<'_>,
    at: &str,
    environment: &Environment,
    events: &mut Vec<Event>,
) -> Option<Value> {
    let parts = parse(text);
    let names: Vec<_> = parts.iter().filter_map(Part::name).collect();
    let failures: Vec<_> = names.iter().filter_map(|name| failure(name, environment)).collect();
    if !failures.is_empty() {
        let failed = |message| Event::Failed { pointer: at.to_owned(), message };
        events.extend(failures.into_iter().map(failed));
        return None;
    }
    if names.is_empty() {
        return None;
    }
    let variables = names.iter().map(ToString::to_string).collect();
    events.push(Event::Replaced { pointer: at.to_owned(), variables });
    let replaced = join(&parts, environment);
    let whole = parts.len() == 1;
    Some(if whole { coerce(&replaced, &node.scalar_types()) } else { Value::String(replaced) })
}

#[derive(Debug, PartialEq, Eq)]
enum Part<'t> {
    Literal(&'t str),
    Reference(&'t str),
}

impl<'t> Part<'t> {
    fn name(&self) -> Option<&'t str> {
        match self {
            Self::Reference(name) => Some(name),
            Self::Literal(_) => None,
        }
    }
}

/// The text in parts; `$env{` without a closing brace is no reference.
fn parse(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, name, after)) = split_reference(rest) {
        if !before.is_empty() {
            parts.push(Part::Literal(before));
        }
        parts.push(Part::Reference(name));
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(Part::Literal(rest));
    }
    parts
}

fn split_reference(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("$env{")?;
    let (name, after) = rest.split_once('}')?;
    Some((before, name, after))
}

fn failure(name: &str, environment: &Environment) -> Option<String> {
    if name.is_empty() {
        return Some("$env{} names no variable".to_owned());
    }
    match environment.get(name) {
        Variable::Set(_) => None,
        Variable::Unset => Some(format!("the variable {name} of $env{{{name}}} is not set")),
        Variable::NotUnicode => Some(format!("the variable {name} of $env{{{name}}} is not UTF-8")),
    }
}

fn join(parts: &[Part<'_>], environment: &Environment) -> String {
    let text = |part: &Part<'_>| match part {
        Part::Literal(text) => (*text).to_owned(),
        Part::Reference(name) => match environment.get(name) {
            Variable::Set(text) => text.to_owned(),
            Variable::Unset | Variable::NotUnicode => String::new(),
        },
    };
    parts.iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Schema;
    use crate::schema_node::Applicability;
    use proptest::prelude::*;
    use serde_json::json;

    fn run(schema: Value, mut value: Value, variables: &[(&str, &str)]) -> (Value, Vec<Event>) {
        let schema = Schema::compile(schema).unwrap();
        let environment = variables.iter().copied().collect();
        let mut events = Vec::new();
        substitute(&mut value, &schema.root_node(Applicability::Certain), "", &environment, &mut events);
        (value, events)
    }

    #[test]
    fn a_whole_reference_takes_the_type_of_its_place() {
        let port = json!({"type": "integer"});
        let schema = json!({
            "definitions": {"port": port},
            "properties": {
                "deep": {"properties": {"port": {"$ref": "#/definitions/port"}}},
                "list": {"items": port},
                "either": {"type": ["array", "integer"]},
            },
            "patternProperties": {"_port$": port},
        });
        let value = json!({"deep": {"port": "$env{P}"}, "list": ["$env{P}", "1"], "a_port": "$env{P}",
            "either": "$env{P}", "undeclared": "$env{P}", "$env{P}": 1});
        let (value, _) = run(schema, value, &[("P", "80")]);
        assert_eq!(
            value,
            json!({"deep": {"port": 80}, "list": [80, "1"], "a_port": 80, "either": 80, "undeclared": "80", "$env{P}": 1})
        );
    }

    #[test]
    fn what_is_no_reference_stays() {
        for text in ["${P}", "$env", "$env{P", "env{P}", "$ENV{P}", "$$env (P)", "}"] {
            let (value, events) = run(json!({}), json!({"a": text}), &[("P", "80")]);
            assert_eq!(value, json!({"a": text}));
            assert!(events.is_empty());
        }
    }

    #[test]
    fn every_unset_variable_is_reported() {
        let (_, events) = run(json!({}), json!({"a": ["$env{X}$env{Y}", "$env{}"]}), &[]);
        let pointers: Vec<_> = events
            .iter()
            .map(|event| match event {
                Event::Failed { pointer, .. } => pointer.as_str(),
                Event::Replaced { .. } => panic!("nothing to replace with"),
            })
            .collect();
        assert_eq!(pointers, ["/a/0", "/a/0", "/a/1"]);
    }

    proptest! {
        #[test]
        fn the_text_of_a_variable_neither_breaks_nor_injects(
            text in any::<String>(), before in "[^$]*", after in "[^$]*", kind in "string|integer|number|boolean|null",
        ) {
            let template = format!("{before}$env{{V}}{after}");
            let file = json!({"mixed": template, "whole": "$env{V}", "other": {"list": [1, "x"]}});
            let schema = json!({"properties": {"whole": {"type": kind}}});
            let (value, _) = run(schema, file, &[("V", &text)]);
            prop_assert!(!value["whole"].is_object() && !value["whole"].is_array());
            if !(before.is_empty() && after.is_empty()) {
                prop_assert_eq!(&value["mixed"], &json!(format!("{before}{text}{after}")));
            }
            prop_assert_eq!(&value["other"], &json!({"list": [1, "x"]}));
            prop_assert_eq!(value.as_object().unwrap().len(), 3);
        }

        #[test]
        fn parts_put_together_are_the_text(text in "(\\$env\\{|\\}|[a-c$]){0,12}") {
            let parts = parse(&text);
            let whole: String = parts.iter().map(|part| match part {
                Part::Literal(text) => (*text).to_owned(),
                Part::Reference(name) => format!("$env{{{name}}}"),
            }).collect();
            prop_assert_eq!(whole, text);
        }
    }
}
