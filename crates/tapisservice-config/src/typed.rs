//! A validated document as a type of the author's.

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::{Path, Segment};
use tapisservice_core::json::{Mismatch, in_words};

use crate::error::Violation;
use crate::origin::Origins;
use crate::schema::Schema;
use crate::schema_node::Applicability;
use crate::{mask, pointer};

/// What the violations of a document are described with.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) schema: &'a Schema,
    pub(crate) document: &'a Value,
    pub(crate) origins: &'a Origins,
}

/// Deserializes `value`, which lies at `at` in the document.
///
/// # Errors
///
/// When it does not fit, with the pointer and never with the value.
pub(crate) fn parse<T: DeserializeOwned>(
    value: &Value,
    at: &str,
    context: Context<'_>,
) -> Result<T, Violation> {
    attempt(value, at, context).map_err(|(at, message)| violation(&at, &message, context))
}

/// The value, or where it does not fit and what serde says, which may quote it.
fn attempt<T: DeserializeOwned>(
    value: &Value,
    at: &str,
    context: Context<'_>,
) -> Result<T, (String, String)> {
    serde_path_to_error::deserialize(value)
        .map_err(|error| (pointer_of(at, error.path(), context.document), error.inner().to_string()))
}

/// The document as a `T`, whose flattened structs lose the path to a key.
fn parse_root<T: DeserializeOwned>(document: &Value, context: Context<'_>) -> Result<T, Violation> {
    attempt(document, "", context).map_err(|(at, message)| {
        let at =
            if at.is_empty() { flattened::<T>(document, &message, context).unwrap_or_default() } else { at };
        violation(&at, &message, context)
    })
}

/// The key of a flattened struct that serde complains about: the one without which it does not.
fn flattened<T: DeserializeOwned>(document: &Value, message: &str, context: Context<'_>) -> Option<String> {
    if matches!(Mismatch::parse(message), Some(Mismatch::MissingField(_))) {
        return None;
    }
    let helps = |key: &str, value: Option<Value>| {
        let mut other = document.clone();
        put(&mut other, key, value);
        match attempt::<T>(&other, "", context) {
            Ok(_) => true,
            // Without a required key there is another complaint, whatever the first one was.
            Err((_, other)) => {
                other != message && !matches!(Mismatch::parse(&other), Some(Mismatch::MissingField(_)))
            }
        }
    };
    let keys = document.as_object()?.keys();
    let mut culprits = keys.filter(|key| helps(key, default_of(key, context)) || helps(key, None));
    culprits.next().map(|key| pointer::member("", key))
}

fn default_of(key: &str, context: Context<'_>) -> Option<Value> {
    context.schema.root_node(Applicability::Certain).member(key).default().cloned()
}

/// Sets a top-level key, or removes it.
fn put(document: &mut Value, key: &str, value: Option<Value>) {
    let Some(members) = document.as_object_mut() else { return };
    match value {
        Some(value) => drop(members.insert(key.to_owned(), value)),
        None => drop(members.remove(key)),
    }
}

/// Deserializes the whole document.
///
/// # Errors
///
/// With the violations that can be found. serde ends at the first one; the next one shows when the first key is as if
/// nobody had set it.
pub(crate) fn parse_document<T: DeserializeOwned>(context: Context<'_>) -> Result<T, Vec<Violation>> {
    let first = match parse_root(context.document, context) {
        Ok(value) => return Ok(value),
        Err(violation) => violation,
    };
    let mut violations = vec![first];
    let mut document = context.document.clone();
    while let Some(next) = next_violation::<T>(&mut document, &violations, context) {
        violations.push(next);
    }
    Err(violations)
}

fn next_violation<T: DeserializeOwned>(
    document: &mut Value,
    violations: &[Violation],
    context: Context<'_>,
) -> Option<Violation> {
    let key_of = |violation: &Violation| pointer::keys(violation.pointer()).next();
    let key = key_of(violations.last()?)?;
    for value in [default_of(&key, context), None] {
        put(document, &key, value);
        match parse_root::<T>(document, context) {
            Ok(_) => return None,
            Err(violation) if !violations.iter().any(|known| key_of(known) == key_of(&violation)) => {
                return Some(violation);
            }
            Err(_) => {}
        }
    }
    None
}

/// The message of a check, unless it quotes a secret.
pub(crate) fn without_secret(at: &str, message: String, context: Context<'_>) -> String {
    let value = context.document.pointer(at).unwrap_or(&Value::Null);
    let is_long = value.as_str().is_none_or(|text| text.len() >= 4);
    let tells =
        is_long && mask::holds_secret(context.schema, context.document, at) && quotes(&message, value);
    if tells { refused() } else { message }
}

fn violation(at: &str, message: &str, context: Context<'_>) -> Violation {
    if let Some(Mismatch::MissingField(field)) = Mismatch::parse(message) {
        return Violation::new(pointer::member(at, field), "required", None);
    }
    Violation::new(at, without_value(at, message, context), context.origins.of(at).cloned())
}

/// What serde expected; other messages are the author's and shown only when they cannot hold a secret or the value.
fn without_value(at: &str, message: &str, context: Context<'_>) -> String {
    if let Some(
        Mismatch::Invalid { expected }
        | Mismatch::UnknownField { expected }
        | Mismatch::UnknownVariant { expected },
    ) = Mismatch::parse(message)
    {
        return expected.map_or_else(refused, |expected| format!("expected {}", in_words(expected)));
    }
    let value = context.document.pointer(at).unwrap_or(&Value::Null);
    let tells = mask::holds_secret(context.schema, context.document, at) || quotes(message, value);
    if tells { refused() } else { message.to_owned() }
}

fn refused() -> String {
    "expected a value that the service's type for it accepts".to_owned()
}

fn quotes(message: &str, value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) => false,
        Value::Number(number) => message.contains(&number.to_string()),
        Value::String(text) => {
            let escaped = format!("{text:?}");
            !text.is_empty()
                && (message.contains(text.as_str()) || message.contains(escaped.trim_matches('"')))
        }
        Value::Array(items) => items.iter().any(|item| quotes(message, item)),
        Value::Object(members) => members.values().any(|member| quotes(message, member)),
    }
}

/// The pointer of a path; the variant of an enum counts when the document has a member of its name.
fn pointer_of(at: &str, path: &Path, document: &Value) -> String {
    let mut pointer = at.to_owned();
    for segment in path {
        let next = match segment {
            Segment::Seq { index } => pointer::item(&pointer, *index),
            Segment::Map { key } => pointer::member(&pointer, key),
            Segment::Enum { variant } => pointer::member(&pointer, variant),
            Segment::Unknown => break,
        };
        if matches!(segment, Segment::Enum { .. }) && document.pointer(&next).is_none() {
            continue;
        }
        pointer = next;
    }
    pointer
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use serde_json::json;

    fn said<T: DeserializeOwned + std::fmt::Debug>(document: &Value) -> String {
        let schema = Schema::compile(json!({})).unwrap();
        let context = Context { schema: &schema, document, origins: &Origins::default() };
        parse::<T>(document, "", context).unwrap_err().to_string()
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Mode {
        Fast,
        Slow,
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only the deserialization is looked at")]
    struct Settings {
        port: Option<u16>,
        mode: Option<Mode>,
        address: Option<std::net::IpAddr>,
        name: String,
    }

    #[test]
    fn no_message_quotes_a_value() {
        let cases = [
            (json!({}), "/name: required"),
            (
                json!({"port": "canary, expected 4711", "name": ""}),
                "/port: expected a whole number from 0 to 65535",
            ),
            (json!({"port": 4_711_000, "name": ""}), "/port: expected a whole number from 0 to 65535"),
            (json!({"mode": "canary", "name": ""}), "/mode: expected `fast` or `slow`"),
            (json!({"address": "canary", "name": ""}), "/address: invalid IP address syntax"),
        ];
        for (document, start) in cases {
            let said = said::<Settings>(&document);
            assert!(said.starts_with(start) && !said.contains("canary") && !said.contains("4711"), "{said}");
        }
    }

    #[test]
    fn the_key_of_a_flattened_struct_is_found() {
        #[derive(Debug, Deserialize)]
        #[expect(dead_code, reason = "only the deserialization is looked at")]
        struct Outer {
            #[serde(flatten)]
            settings: Settings,
            count: u8,
        }
        let said = |document: Value| {
            let schema =
                Schema::compile(json!({"properties": {"port": {"default": 1}, "count": {"default": 1}}}))
                    .unwrap();
            let context = Context { schema: &schema, document: &document, origins: &Origins::default() };
            let violations = parse_document::<Outer>(context).unwrap_err();
            violations.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(
            said(json!({"name": "x", "count": 1, "port": 4_711_000})),
            ["/port: expected a whole number from 0 to 65535"]
        );
        assert_eq!(
            said(json!({"name": "x", "count": 4711, "port": 4_711_000, "address": "canary"})),
            [
                "/count: expected a whole number from 0 to 255",
                "/address: invalid IP address syntax",
                "/port: expected a whole number from 0 to 65535"
            ]
        );
        assert_eq!(said(json!({"count": 1})), ["/name: required"]);
    }

    #[test]
    fn the_message_of_an_author_is_shown_unless_it_quotes() {
        #[derive(Debug)]
        struct Even(#[expect(dead_code, reason = "a map needs something to hold")] String);
        impl<'de> Deserialize<'de> for Even {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Err(serde::de::Error::custom(match text.as_str() {
                    "odd" => "an even number of characters is needed".to_owned(),
                    _ => format!("{text:?} is not even"),
                }))
            }
        }
        type Map = std::collections::BTreeMap<String, Even>;
        assert_eq!(said::<Map>(&json!({"a": "odd"})), "/a: an even number of characters is needed");
        assert!(!said::<Map>(&json!({"a": "4711"})).contains("4711"));
        assert!(!said::<Map>(&json!({"a": "47\"11"})).contains("11"));
        assert!(!said::<Map>(&json!({"password": "odd"})).contains("even number"));
    }
}
