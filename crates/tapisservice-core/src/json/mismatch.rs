//! What a value should have been, from the text of a serde error.

use std::borrow::Cow;
use std::fmt;

/// What a serde error says about an invalid value, without the value.
///
/// The text of a serde error quotes what was found, which may be a secret or very long, before what was expected.
/// This is the only place that parses such a text, so a change of serde's wording breaks only here.
///
/// ```
/// use tapisservice_core::json::Mismatch;
///
/// let error = serde_json::from_str::<u16>(r#""hunter2""#).unwrap_err().to_string();
/// assert_eq!(Mismatch::parse(&error), Some(Mismatch::Invalid { expected: Some("u16") }));
/// assert_eq!(Mismatch::parse("the author's own text"), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mismatch<'a> {
    /// A field is missing.
    MissingField(&'a str),
    /// A field is duplicated.
    DuplicateField(&'a str),
    /// A field that the type does not have. Its name comes from the input.
    UnknownField {
        /// The known names; `None` if there are none.
        expected: Option<&'a str>,
    },
    /// A variant that the enum does not have. Its name comes from the input.
    UnknownVariant {
        /// The known names; `None` if there are none.
        expected: Option<&'a str>,
    },
    /// A value of another type, of another length, or out of range.
    Invalid {
        /// What was expected.
        expected: Option<&'a str>,
    },
}

impl<'a> Mismatch<'a> {
    /// Parses the text of an error. `None` if the text does not come from serde itself but from the `Deserialize` of a type:
    /// such a text may quote anything.
    pub fn parse(text: &'a str) -> Option<Self> {
        let text = without_place(text);
        let name = |prefix: &str| text.strip_prefix(prefix)?.strip_suffix('`');
        if let Some(name) = name("missing field `") {
            return Some(Self::MissingField(name));
        }
        if let Some(name) = name("duplicate field `") {
            return Some(Self::DuplicateField(name));
        }
        // What was found comes first, and may contain the words too.
        let expected = text.rsplit_once(", expected ").map(|(_, expected)| expected);
        let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| text.starts_with(prefix));
        if starts(&["unknown field `"]) {
            Some(Self::UnknownField { expected })
        } else if starts(&["unknown variant `"]) {
            Some(Self::UnknownVariant { expected })
        } else if starts(&["invalid type: ", "invalid value: ", "invalid length "]) {
            Some(Self::Invalid { expected })
        } else {
            None
        }
    }
}

/// What serde expected, with the types of Rust in words of JSON.
///
/// ```
/// use tapisservice_core::json::in_words;
///
/// assert_eq!(in_words("u16"), "a whole number from 0 to 65535");
/// assert_eq!(in_words("an IP address"), "an IP address");
/// ```
pub fn in_words(expected: &str) -> Cow<'_, str> {
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

/// The text without the ` at line 1 column 9` that `serde_json` appends.
fn without_place(text: &str) -> &str {
    let is_place = |place: &str| {
        let numbers = place.split_once(" column ");
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        numbers.is_some_and(|(line, column)| is_number(line) && is_number(column))
    };
    match text.rsplit_once(" at line ") {
        Some((head, place)) if is_place(place) => head,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde::de::DeserializeOwned;
    use serde_json::{Value, json};

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only the deserialization is looked at")]
    struct Entry {
        #[serde(alias = "title")]
        name: String,
        level: Option<Level>,
        pair: Option<(u8, u8)>,
    }

    #[derive(Debug, Deserialize)]
    enum Level {
        Low,
        High,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Empty {}

    fn error<T: DeserializeOwned + std::fmt::Debug>(value: &Value) -> [String; 2] {
        let text = value.to_string();
        [
            serde_json::from_str::<T>(&text).unwrap_err().to_string(),
            T::deserialize(value).unwrap_err().to_string(),
        ]
    }

    /// The texts are made by the serde that is in use, so that a word that it changes fails here.
    #[test]
    fn every_text_of_serde_is_understood_with_a_place_and_without() {
        let levels = Some("`Low` or `High`");
        let cases = [
            (error::<Entry>(&json!({})), Mismatch::MissingField("name")),
            (error::<Entry>(&json!({"name": "a", "title": "b"})), Mismatch::DuplicateField("name")),
            (
                error::<Entry>(&json!({"canary": 1})),
                Mismatch::UnknownField { expected: Some("one of `name`, `title`, `level`, `pair`") },
            ),
            (error::<Empty>(&json!({"canary": 1})), Mismatch::UnknownField { expected: None }),
            (
                error::<Entry>(&json!({"name": "a", "level": "canary, expected x"})),
                Mismatch::UnknownVariant { expected: levels },
            ),
            (error::<Entry>(&json!({"name": 4711})), Mismatch::Invalid { expected: Some("a string") }),
            (error::<u8>(&json!(4711)), Mismatch::Invalid { expected: Some("u8") }),
            (error::<u8>(&json!("canary at line 1 column 2")), Mismatch::Invalid { expected: Some("u8") }),
            (
                error::<Entry>(&json!({"name": "a", "pair": [1]})),
                Mismatch::Invalid { expected: Some("a tuple of size 2") },
            ),
        ];
        for (texts, expected) in cases {
            for text in texts {
                assert_eq!(Mismatch::parse(&text), Some(expected), "{text}");
            }
        }
    }

    #[test]
    fn a_text_of_somebody_else_is_left_alone() {
        for text in [
            "",
            "bad thing canary",
            "bad thing canary, expected canary",
            "missing fields",
            "at line 1 column 2",
        ] {
            assert_eq!(Mismatch::parse(text), None, "{text}");
        }
    }
}
