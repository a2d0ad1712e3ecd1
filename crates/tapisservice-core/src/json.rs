//! Strict JSON for input that decides about identity and configuration.
//!
//! [`serde_json`] keeps the last of two members with one name and two parsers may disagree about which
//! one counts. [`parse`] refuses duplicate names, bounds the depth and accepts nothing but whole UTF-8
//! documents ([RFC 8259], [RFC 7515 section 4] and [RFC 7519 section 4] both allow a parser to refuse
//! duplicates; rules A3 and A4 demand it).
//!
//! ```
//! use tapisservice_core::json;
//!
//! assert_eq!(json::parse(br#"{"a": [1, 2]}"#, 4).unwrap()["a"][1], 2);
//! let error = json::parse(br#"{"alg": "RS256", "alg": "none"}"#, 4).unwrap_err();
//! assert!(error.to_string().contains("\"alg\" appears twice"));
//! ```
//!
//! [RFC 8259]: https://www.rfc-editor.org/rfc/rfc8259#section-4
//! [RFC 7515 section 4]: https://www.rfc-editor.org/rfc/rfc7515#section-4
//! [RFC 7519 section 4]: https://www.rfc-editor.org/rfc/rfc7519#section-4

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Why a document was refused; the text names the place (line and column), never a value.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct JsonError(#[from] serde_json::Error);

impl JsonError {
    /// The line of the fault, counted from 1.
    pub fn line(&self) -> usize {
        self.0.line()
    }

    /// The column of the fault, counted from 1.
    pub fn column(&self) -> usize {
        self.0.column()
    }
}

/// Parses one JSON document whose objects have unique member names and whose nesting is at most
/// `max_depth` containers deep. A byte order mark, trailing text and `NaN` are refused.
///
/// # Errors
///
/// When `bytes` are not such a document.
pub fn parse(bytes: &[u8], max_depth: usize) -> Result<Value, JsonError> {
    let text = std::str::from_utf8(bytes)
        .map_err(|e| serde_json::Error::custom(format_args!("not UTF-8 after byte {}", e.valid_up_to())))?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Strict { depth_left: max_depth }.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

/// As [`parse`], and the document has to be an object.
///
/// # Errors
///
/// When `bytes` are not such a document.
pub fn parse_object(bytes: &[u8], max_depth: usize) -> Result<Map<String, Value>, JsonError> {
    match parse(bytes, max_depth)? {
        Value::Object(members) => Ok(members),
        _ => Err(serde_json::Error::custom("not an object").into()),
    }
}

#[derive(Clone, Copy)]
struct Strict {
    depth_left: usize,
}

impl Strict {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        let depth_left = self.depth_left.checked_sub(1).ok_or_else(|| E::custom("nested too deeply"))?;
        Ok(Self { depth_left })
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, v: bool) -> Result<Value, E> {
        Ok(Value::Bool(v))
    }

    fn visit_i64<E>(self, v: i64) -> Result<Value, E> {
        Ok(Value::Number(v.into()))
    }

    fn visit_u64<E>(self, v: u64) -> Result<Value, E> {
        Ok(Value::Number(v.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, v: f64) -> Result<Value, E> {
        Number::from_f64(v).map(Value::Number).ok_or_else(|| E::custom("a number out of range"))
    }

    fn visit_str<E>(self, v: &str) -> Result<Value, E> {
        Ok(Value::String(v.to_owned()))
    }

    fn visit_string<E>(self, v: String) -> Result<Value, E> {
        Ok(Value::String(v))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(inner)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut members = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            if members.contains_key(&name) {
                return Err(A::Error::custom(format_args!("{name:?} appears twice in one object")));
            }
            let value = map.next_value_seed(inner)?;
            members.insert(name, value);
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_parsers_disagree_about() {
        let cases: &[(&[u8], &str)] = &[
            (br#"{"a":1,"a":2}"#, "appears twice"),
            (br#"{"b":{"a":1,"\u0061":2}}"#, "appears twice"),
            (b"[[[[[1]]]]]", "nested too deeply"),
            (b"{\"a\":NaN}", "expected value"),
            (b"1 2", "trailing"),
            (b"", "EOF"),
            (b"\xef\xbb\xbf{}", "expected value"),
            (b"{\"a\":\"\xff\"}", "not UTF-8 after byte 6"),
            (br#""\ud800""#, "hex escape"),
            (b"1e400", "out of range"),
        ];
        for (text, reason) in cases {
            let error = parse(text, 4).unwrap_err().to_string();
            assert!(error.contains(reason), "{} gave {error}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn keeps_every_kind_of_value() {
        let text = br#" {"a": [null, true, -1, 18446744073709551615, 1.5, "x\u00e9"], "b": {}} "#;
        let expected: Value = serde_json::from_slice(text).unwrap();
        assert_eq!(parse(text, 3).unwrap(), expected);
    }
}
