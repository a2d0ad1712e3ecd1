//! A validation error in words of our own, which never hold the value: jsonschema's messages quote it.
//!
//! Why not its `masked_with`: that names neither the type that was found nor what the alternatives of `anyOf`
//! and our formats expect, cuts the list of allowed values short, and still prints `enum` and `const` of a
//! secret and the name that `propertyNames` rejects.

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use serde_json::Value;

use crate::formats;
use crate::schema_node::kind_of;

/// What was expected and, where the type is at fault, the type that was found. For a secret not even the
/// values that a schema allows are named.
pub(crate) fn message(error: &ValidationError<'_>, secret: bool) -> String {
    match error.kind() {
        Kind::Type { .. } => {
            format!(
                "expected {}, found {}",
                expectation(error, secret),
                with_article(kind_of(error.instance()))
            )
        }
        Kind::Required { .. } => "required".to_owned(),
        Kind::Referencing(error) => format!("a $ref that cannot be resolved: {error}"),
        _ => format!("expected {}", expectation(error, secret)),
    }
}

fn expectation(error: &ValidationError<'_>, secret: bool) -> String {
    match error.kind() {
        Kind::Type { kind: TypeKind::Single(kind) } => with_article(kind.as_str()),
        Kind::Type { kind: TypeKind::Multiple(kinds) } => {
            either(kinds.iter().map(|kind| with_article(kind.as_str())))
        }
        Kind::Enum { .. } | Kind::Constant { .. } if secret => {
            "one of the values its schema lists".to_owned()
        }
        Kind::Enum { options } => format!("one of {}", listed(options)),
        Kind::Constant { expected_value } => format!("the value {expected_value}"),
        Kind::Pattern { pattern } => format!("text that matches the pattern {pattern}"),
        Kind::Format { format } => {
            formats::description(format).map_or_else(|| format!("text in the format {format}"), str::to_owned)
        }
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => alternatives(context, secret),
        Kind::OneOfMultipleValid { .. } => {
            "a value that fits only one of the alternatives; it fits several".to_owned()
        }
        Kind::PropertyNames { error } => {
            format!("other names: each has to be {}", expectation(error, secret))
        }
        Kind::FalseSchema => "nothing here: the schema forbids it".to_owned(),
        Kind::Not { .. } => "a value that the schema does not exclude by `not`".to_owned(),
        Kind::Required { property } => format!("an object with the member {property}"),
        kind => bound(kind),
    }
}

fn bound(kind: &Kind) -> String {
    match kind {
        Kind::Minimum { limit } => format!("a number of at least {limit}"),
        Kind::Maximum { limit } => format!("a number of at most {limit}"),
        Kind::ExclusiveMinimum { limit } => format!("a number above {limit}"),
        Kind::ExclusiveMaximum { limit } => format!("a number below {limit}"),
        Kind::MultipleOf { multiple_of } => format!("a multiple of {multiple_of}"),
        Kind::MinLength { limit } => format!("text of at least {}", counted(*limit, "character")),
        Kind::MaxLength { limit } => format!("text of at most {}", counted(*limit, "character")),
        Kind::MinItems { limit } => format!("at least {}", counted(*limit, "item")),
        Kind::MaxItems { limit } => format!("at most {}", counted(*limit, "item")),
        Kind::AdditionalItems { limit } => format!("at most {}", counted(*limit as u64, "item")),
        Kind::MinProperties { limit } => format!("at least {}", counted(*limit, "member")),
        Kind::MaxProperties { limit } => format!("at most {}", counted(*limit, "member")),
        Kind::UniqueItems => "items that all differ".to_owned(),
        Kind::Contains => "an item that fits the schema of `contains`".to_owned(),
        Kind::AdditionalProperties { unexpected } => {
            format!("no member {}", either(unexpected.iter().cloned()))
        }
        kind => format!("a value that fits the keyword {}", kind.keyword()),
    }
}

/// The alternatives of `anyOf` and `oneOf`, each by the first thing that keeps the value from fitting it.
fn alternatives(context: &[Vec<ValidationError<'static>>], secret: bool) -> String {
    let mut texts: Vec<String> = Vec::new();
    for error in context.iter().filter_map(|errors| errors.first()) {
        let text = expectation(error, secret);
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    if texts.is_empty() { "a value that fits one of the alternatives".to_owned() } else { either(texts) }
}

fn listed(options: &Value) -> String {
    match options {
        Value::Array(options) => options.iter().map(Value::to_string).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

fn either(texts: impl IntoIterator<Item = String>) -> String {
    texts.into_iter().collect::<Vec<_>>().join(" or ")
}

fn counted(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// `a string`, `an object`, `null`.
pub(crate) fn with_article(kind: &str) -> String {
    match kind {
        "null" => kind.to_owned(),
        "array" | "integer" | "object" => format!("an {kind}"),
        _ => format!("a {kind}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn say(schema: &Value, value: &Value, secret: bool) -> String {
        let validator = jsonschema::draft7::new(schema).unwrap();
        let messages: Vec<_> = validator.iter_errors(value).map(|error| message(&error, secret)).collect();
        messages.join("; ")
    }

    #[test]
    fn every_keyword_says_what_it_expects() {
        let cases = [
            (json!({"type": "integer"}), json!("canary"), "expected an integer, found a string"),
            (json!({"type": ["string", "null"]}), json!(1), "expected null or a string, found an integer"),
            (json!({"enum": ["a", 1]}), json!("canary"), "expected one of \"a\", 1"),
            (json!({"const": "a"}), json!("canary"), "expected the value \"a\""),
            (json!({"pattern": "^a$"}), json!("canary"), "expected text that matches the pattern ^a$"),
            (json!({"format": "ipv4"}), json!("canary"), "expected text in the format ipv4"),
            (json!({"minLength": 9}), json!("canary"), "expected text of at least 9 characters"),
            (json!({"maxLength": 1}), json!("canary"), "expected text of at most 1 character"),
            (json!({"minimum": 1}), json!(0), "expected a number of at least 1"),
            (json!({"exclusiveMinimum": 0}), json!(0), "expected a number above 0"),
            (json!({"maximum": 1.5}), json!(2), "expected a number of at most 1.5"),
            (json!({"multipleOf": 2}), json!(3), "expected a multiple of 2"),
            (json!({"minItems": 1}), json!([]), "expected at least 1 item"),
            (json!({"items": [{}], "additionalItems": false}), json!([1, 2]), "expected at most 1 item"),
            (json!({"uniqueItems": true}), json!(["canary", "canary"]), "expected items that all differ"),
            (
                json!({"properties": {"a": true}, "additionalProperties": false}),
                json!({"b": "canary"}),
                "expected no member b",
            ),
            (
                json!({"propertyNames": {"maxLength": 1}}),
                json!({"bb": 1}),
                "expected other names: each has to be text of at most 1 character",
            ),
            (
                json!({"not": {"const": "canary"}}),
                json!("canary"),
                "expected a value that the schema does not exclude by `not`",
            ),
            (json!(false), json!("canary"), "expected nothing here: the schema forbids it"),
            (
                json!({"anyOf": [{"type": "integer"}, {"type": "null"}]}),
                json!("canary"),
                "expected an integer or null",
            ),
            (
                json!({"oneOf": [{"minimum": 5}, {"type": "null"}]}),
                json!(1),
                "expected a number of at least 5 or null",
            ),
            (
                json!({"oneOf": [{}, {}]}),
                json!(1),
                "expected a value that fits only one of the alternatives; it fits several",
            ),
            (json!({"required": ["a"]}), json!({}), "required"),
        ];
        for (schema, value, expected) in cases {
            assert_eq!(say(&schema, &value, false), expected, "{schema}");
        }
    }

    #[test]
    fn of_a_secret_not_even_the_allowed_values_are_named() {
        let said = say(&json!({"enum": ["canary"]}), &json!("x"), true);
        assert_eq!(said, "expected one of the values its schema lists");
    }
}
