//! Messages about invalid input. Those of serde quote the input.

use serde_path_to_error::{Path, Segment};
use tapisservice_core::json::{Mismatch, in_words, pointer};

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
        // The crate `uuid` says it in its own way.
        _ if text.starts_with("UUID parsing failed") => "expected a UUID".to_owned(),
        _ => "not valid".to_owned(),
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
            ("UUID parsing failed: invalid character: found `c` at 0", "expected a UUID"),
            ("bad thing canary", "not valid"),
            ("bad thing canary, expected canary", "not valid"),
        ];
        for (text, told) in cases {
            assert_eq!(expected(text), told);
        }
    }
}
