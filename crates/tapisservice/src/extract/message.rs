//! Messages about invalid input. Those of serde quote the input.

use std::borrow::Cow;
use std::fmt;

use serde_path_to_error::{Path, Segment};
use tapisservice_core::json::{Mismatch, pointer};

/// What was expected, from the text of a serde error, without the value that was found. Whatever is not a text of serde's own may
/// quote anything and is left out.
pub(crate) fn expected(text: &str) -> String {
    match Mismatch::parse(text) {
        Some(Mismatch::MissingField(name)) => format!("missing field `{name}`"),
        Some(Mismatch::DuplicateField(name)) => format!("duplicate field `{name}`"),
        Some(Mismatch::UnknownField { expected: Some(expected) }) => {
            format!("unknown field, expected {expected}")
        }
        Some(Mismatch::UnknownVariant { expected: Some(expected) }) => {
            format!("unknown variant, expected {expected}")
        }
        // The name of a struct says nothing to a caller.
        Some(Mismatch::Invalid { expected: Some(expected) }) if expected.starts_with("struct ") => {
            "expected an object".to_owned()
        }
        Some(Mismatch::Invalid { expected: Some(expected) }) => format!("expected {}", in_words(expected)),
        _ => "not valid".to_owned(),
    }
}

/// The types of Rust in words of JSON.
fn in_words(expected: &str) -> Cow<'_, str> {
    let range = |least: &dyn fmt::Display, most: &dyn fmt::Display| {
        Cow::Owned(format!("a whole number from {least} to {most}"))
    };
    match expected {
        "u8" => range(&u8::MIN, &u8::MAX),
        "u16" => range(&u16::MIN, &u16::MAX),
        "u32" => range(&u32::MIN, &u32::MAX),
        "u64" => range(&u64::MIN, &u64::MAX),
        "i8" => range(&i8::MIN, &i8::MAX),
        "i16" => range(&i16::MIN, &i16::MAX),
        "i32" => range(&i32::MIN, &i32::MAX),
        "i64" => range(&i64::MIN, &i64::MAX),
        "usize" | "u128" => "a whole number of at least 0".into(),
        "isize" | "i128" => "a whole number".into(),
        "f32" | "f64" => "a number".into(),
        "a boolean" => "true or false".into(),
        "char" => "a character".into(),
        "a sequence" => "an array".into(),
        "a map" => "an object".into(),
        "unit" => "null".into(),
        other => other.into(),
    }
}

/// A path as a JSON pointer (RFC 6901). Names that no struct declares come from the caller and are truncated.
pub(crate) fn pointer(path: &Path) -> String {
    let mut text = String::new();
    for segment in path {
        text = match segment {
            Segment::Seq { index } => pointer::item(&text, *index),
            Segment::Map { key } => pointer::member(&text, &key.chars().take(64).collect::<String>()),
            Segment::Enum { variant } => pointer::member(&text, variant),
            Segment::Unknown => pointer::member(&text, "?"),
        };
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_is_never_told() {
        let cases = [
            (
                "invalid type: string \"canary\", expected i8 at line 1 column 9",
                "expected a whole number from -128 to 127",
            ),
            ("invalid type: string \"canary, expected x\", expected a boolean", "expected true or false"),
            ("invalid type: sequence, expected struct Canary at line 1 column 0", "expected an object"),
            ("missing field `name` at line 1 column 2", "missing field `name`"),
            ("unknown field `canary`, expected `a` or `b`", "unknown field, expected `a` or `b`"),
            (
                "unknown variant `canary`, expected one of `x`, `y`",
                "unknown variant, expected one of `x`, `y`",
            ),
            ("bad thing canary", "not valid"),
            ("bad thing canary, expected canary", "not valid"),
        ];
        for (text, told) in cases {
            assert_eq!(expected(text), told);
        }
    }
}
