//! The text of a variable as a value of the type that a schema asks for (C5, C6).

use serde_json::Value;
use tapisservice_core::json;

/// The scalar types of JSON Schema.
pub(crate) fn is_scalar(kind: &str) -> bool {
    matches!(kind, "string" | "integer" | "number" | "boolean" | "null")
}

/// The text as the first of `kinds` that it fits; as a string when it fits none, for the validation to
/// refuse.
pub(crate) fn coerce(text: &str, kinds: &[&str]) -> Value {
    kinds.iter().find_map(|kind| as_kind(text, kind)).unwrap_or_else(|| Value::String(text.to_owned()))
}

fn as_kind(text: &str, kind: &str) -> Option<Value> {
    match kind {
        "string" => Some(Value::String(text.to_owned())),
        // Python people write True.
        "boolean" if text.trim().eq_ignore_ascii_case("true") => Some(Value::Bool(true)),
        "boolean" if text.trim().eq_ignore_ascii_case("false") => Some(Value::Bool(false)),
        "integer" => number(text).filter(|n| n.is_i64() || n.is_u64()),
        "number" => number(text),
        "null" if text == "null" => Some(Value::Null),
        _ => None,
    }
}

/// A number as JSON writes it: no `+`, no leading zeros, no `NaN`; a trailing newline is forgiven.
fn number(text: &str) -> Option<Value> {
    json::parse(text.as_bytes(), 0).ok().filter(Value::is_number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_first_type_that_fits_is_taken() {
        let cases: &[(&str, &[&str], Value)] = &[
            ("8080", &["integer"], json!(8080)),
            ("-1\n", &["integer"], json!(-1)),
            ("8080", &["string"], json!("8080")),
            ("8080", &["integer", "string"], json!(8080)),
            ("8080", &["string", "integer"], json!("8080")),
            ("x", &["integer", "string"], json!("x")),
            ("1.5", &["number"], json!(1.5)),
            ("1.5", &["integer"], json!("1.5")),
            ("0x10", &["integer"], json!("0x10")),
            ("+5", &["integer"], json!("+5")),
            ("007", &["integer"], json!("007")),
            ("NaN", &["number"], json!("NaN")),
            ("True", &["boolean"], json!(true)),
            ("false", &["boolean"], json!(false)),
            ("1", &["boolean"], json!("1")),
            ("maybe", &["boolean"], json!("maybe")),
            ("null", &["integer", "null"], json!(null)),
            ("null", &["string", "null"], json!("null")),
            ("[1]", &["array"], json!("[1]")),
            ("8080", &[], json!("8080")),
        ];
        for (text, kinds, expected) in cases {
            assert_eq!(&coerce(text, kinds), expected, "{text} as {kinds:?}");
        }
    }
}
