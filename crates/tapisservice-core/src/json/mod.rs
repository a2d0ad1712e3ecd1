//! Strict JSON, for input that identity and configuration depend on.
//!
//! [`serde_json`] keeps the last of two members with the same name, and parsers may disagree about which
//! one counts. [`parse`] rejects duplicate names, limits the depth and accepts only complete UTF-8
//! documents. [RFC 8259], [RFC 7515 section 4] and [RFC 7519 section 4] allow a parser to reject
//! duplicates; rules A3 and A4 require it.
//!
//! ```
//! use tapisservice_core::json;
//!
//! assert_eq!(json::parse(br#"{"a": [1, 2]}"#, 4).unwrap()["a"][1], 2);
//! let error = json::parse(br#"{"alg": "RS256", "alg": "none"}"#, 4).unwrap_err();
//! assert!(error.to_string().contains("duplicate member \"alg\""));
//! ```
//!
//! [RFC 8259]: https://www.rfc-editor.org/rfc/rfc8259#section-4
//! [RFC 7515 section 4]: https://www.rfc-editor.org/rfc/rfc7515#section-4
//! [RFC 7519 section 4]: https://www.rfc-editor.org/rfc/rfc7519#section-4

mod mismatch;
pub mod pointer;
mod strict;
#[doc(hidden)]
pub mod walk;

use std::borrow::Cow;

use serde::de::{DeserializeSeed as _, Deserializer as _, Error as _};
use serde_json::Value;

pub use mismatch::{Mismatch, in_words};
use strict::{Checked, Members, Strict};
use walk::Walk;

/// Why a document was rejected. The text gives the line and column, never a value.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct JsonError(#[from] serde_json::Error);

impl JsonError {
    /// The line of the error, from 1.
    pub fn line(&self) -> usize {
        self.0.line()
    }

    /// The column of the error, from 1.
    pub fn column(&self) -> usize {
        self.0.column()
    }
}

/// Parses one JSON document whose objects have unique member names and whose nesting is at most
/// `max_depth` containers deep. A byte order mark, trailing text and `NaN` are rejected.
///
/// # Errors
///
/// When `bytes` is not such a document.
pub fn parse(bytes: &[u8], max_depth: usize) -> Result<Value, JsonError> {
    let mut deserializer = serde_json::Deserializer::from_str(text_of(bytes)?);
    let value = Walk(Strict { depth_left: max_depth }).deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

/// Checks a document by the rules of [`parse`] without building a tree, which can take many times the memory of the
/// document.
///
/// ```
/// use tapisservice_core::json;
///
/// assert!(json::check(br#"{"a": [1, 2]}"#, 2).is_ok());
/// assert!(json::check(br#"{"a": [1, 2]}"#, 1).is_err());
/// ```
///
/// # Errors
///
/// When `bytes` is not such a document.
pub fn check(bytes: &[u8], max_depth: usize) -> Result<(), JsonError> {
    let mut deserializer = serde_json::Deserializer::from_str(text_of(bytes)?);
    Walk(Checked(Strict { depth_left: max_depth })).deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(())
}

/// The value of one member of an object, from [`members`].
#[derive(Debug, Clone, PartialEq)]
pub enum Member<'a> {
    /// A string, borrowed from the document unless it contains escapes.
    Text(Cow<'a, str>),
    /// Anything else.
    Other(Value),
}

impl<'a> Member<'a> {
    /// The string, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Other(_) => None,
        }
    }

    /// The string, if it is one, borrowed if possible.
    pub fn into_text(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(text) => Some(text),
            Self::Other(_) => None,
        }
    }

    /// The value, owned.
    pub fn into_value(self) -> Value {
        match self {
            Self::Text(text) => text.into(),
            Self::Other(value) => value,
        }
    }
}

/// Calls `each` with the members of a document that is one object, in order, by the rules of [`parse`] and without building a
/// map. Use the members only if the function returns `Ok`: the document is checked to its end.
///
/// ```
/// use tapisservice_core::json;
///
/// let mut names = Vec::new();
/// json::members(br#"{"a": "b", "c": [1]}"#, 2, |name, _| names.push(name.to_owned())).unwrap();
/// assert_eq!(names, ["a", "c"]);
/// assert!(json::members(br#"{"a": 1, "a": 1}"#, 2, |_, _| {}).is_err());
/// ```
///
/// # Errors
///
/// When `bytes` is not such a document.
pub fn members<'a>(
    bytes: &'a [u8],
    max_depth: usize,
    each: impl FnMut(&str, Member<'a>),
) -> Result<(), JsonError> {
    members_of(text_of(bytes)?, max_depth, each)
}

/// As [`members`], of text.
pub(crate) fn members_of<'a>(
    text: &'a str,
    max_depth: usize,
    each: impl FnMut(&str, Member<'a>),
) -> Result<(), JsonError> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let strict = Strict { depth_left: max_depth }.deeper::<serde_json::Error>()?;
    deserializer.deserialize_map(Members { strict, each })?;
    deserializer.end()?;
    Ok(())
}

pub(crate) fn text_of(bytes: &[u8]) -> Result<&str, JsonError> {
    std::str::from_utf8(bytes).map_err(|e| {
        JsonError(serde_json::Error::custom(format_args!("invalid UTF-8 after byte {}", e.valid_up_to())))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;

    #[test]
    fn refuses_what_parsers_disagree_about() {
        let cases: &[(&[u8], &str)] = &[
            (br#"{"a":1,"a":2}"#, "duplicate member \"a\""),
            (br#"{"b":{"a":1,"\u0061":2}}"#, "duplicate member \"a\""),
            (b"[[[[[1]]]]]", "nested too deep"),
            (b"{\"a\":NaN}", "expected value"),
            (b"1 2", "trailing"),
            (b"", "EOF"),
            (b"\xef\xbb\xbf{}", "expected value"),
            (b"{\"a\":\"\xff\"}", "invalid UTF-8 after byte 6"),
            (br#""\ud800""#, "hex escape"),
            (b"1e400", "out of range"),
        ];
        for (text, reason) in cases {
            let error = parse(text, 4).unwrap_err().to_string();
            assert!(error.contains(reason), "{} gave {error}", String::from_utf8_lossy(text));
            assert_eq!(check(text, 4).unwrap_err().to_string(), error, "{}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn members_are_those_that_parse_finds() {
        let many: Vec<_> = (0..100).map(|n| format!(r#""n{n}":{n},"#)).collect();
        let many = many.concat();
        let documents = [
            "{}".to_owned(),
            r#" {"a":null,"b":"x","c":"\u00e9","\u0064":[1,{"e":"f"}],"g":1.5,"h":-1,"i":true} "#.to_owned(),
            format!(r#"{{{many}"last":0}}"#),
            format!(r#"{{{many}"n99":0}}"#),
            format!(r#"{{{many}"n0":0}}"#),
            r#"{"a":1,"a":1}"#.to_owned(),
            r#"{"a":[[[[]]]]}"#.to_owned(),
            r#"{"a":{"b":1,"b":2}}"#.to_owned(),
            r#"{"a":1e400}"#.to_owned(),
            r#"{"a":1}x"#.to_owned(),
            "[]".to_owned(),
            "7".to_owned(),
        ];
        for text in documents {
            let mut found = Map::new();
            let told = members(text.as_bytes(), 4, |name, value| {
                found.insert(name.to_owned(), value.into_value());
            });
            let parsed = parse(text.as_bytes(), 4);
            assert_eq!(check(text.as_bytes(), 4).is_ok(), parsed.is_ok(), "{text}");
            let expected = parsed.ok().and_then(|value| value.as_object().cloned());
            assert_eq!(told.is_ok().then_some(found), expected, "{text}");
        }
    }

    #[test]
    fn keeps_every_kind_of_value() {
        let text = br#" {"a": [null, true, -1, 18446744073709551615, 1.5, "x\u00e9"], "b": {}} "#;
        let expected: Value = serde_json::from_slice(text).unwrap();
        assert_eq!(parse(text, 3).unwrap(), expected);
    }
}
