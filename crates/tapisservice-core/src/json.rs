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

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use smallvec::SmallVec;

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
    let mut deserializer = serde_json::Deserializer::from_str(text_of(bytes)?);
    let value = Strict { depth_left: max_depth }.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

/// Checks a document by the rules of [`parse`] and builds nothing of it: a document can be made to cost many times its own size
/// as a tree.
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
/// When `bytes` are not such a document.
pub fn check(bytes: &[u8], max_depth: usize) -> Result<(), JsonError> {
    let mut deserializer = serde_json::Deserializer::from_str(text_of(bytes)?);
    Checked(Strict { depth_left: max_depth }).deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(())
}

/// The value of one member of an object, as [`members`] tells it.
#[derive(Debug, Clone, PartialEq)]
pub enum Member<'a> {
    /// A string; borrowed from the document unless something in it is escaped.
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

    /// The string, if it is one, borrowed where it can be.
    pub fn into_text(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(text) => Some(text),
            Self::Other(_) => None,
        }
    }

    /// The value, to keep it.
    pub fn into_value(self) -> Value {
        match self {
            Self::Text(text) => text.into(),
            Self::Other(value) => value,
        }
    }
}

/// Tells the members of a document that is one object, in their order, by the rules of [`parse`] and without building a map of
/// them. What was told counts only when the whole document turned out to be good.
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
/// When `bytes` are not such a document.
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
        JsonError(serde_json::Error::custom(format_args!("not UTF-8 after byte {}", e.valid_up_to())))
    })
}

struct Members<F> {
    strict: Strict,
    each: F,
}

impl<'de, F: FnMut(&str, Member<'de>)> Visitor<'de> for Members<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let mut seen = Names::new();
        while let Some(name) = map.next_key_seed(Text)? {
            let value = map.next_value_seed(MemberSeed(self.strict))?;
            (self.each)(&name, value);
            if let Some(name) = seen.add(name) {
                return Err(twice(&name));
            }
        }
        Ok(())
    }
}

fn twice<E: serde::de::Error>(name: &str) -> E {
    E::custom(format_args!("{name:?} appears twice in one object"))
}

/// So many names have their room on the stack; a token has about a dozen.
const USUAL_NAMES: usize = 16;

/// Names of members, of which there are mostly few.
struct Names<'a> {
    few: SmallVec<[Cow<'a, str>; USUAL_NAMES]>,
    many: HashSet<Cow<'a, str>>,
}

impl<'a> Names<'a> {
    const FEW: usize = 32;

    fn new() -> Self {
        Self { few: SmallVec::new(), many: HashSet::new() }
    }

    /// Adds a name, or gives it back when it is there already.
    fn add(&mut self, name: Cow<'a, str>) -> Option<Cow<'a, str>> {
        if self.few.contains(&name) || self.many.contains(&name) {
            return Some(name);
        }
        if self.few.len() < Self::FEW {
            self.few.push(name);
        } else {
            self.many.insert(name);
        }
        None
    }
}

/// A string, borrowed where that is possible.
struct Text;

impl<'de> DeserializeSeed<'de> for Text {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Text {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E>(self, v: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(v))
    }

    fn visit_str<E>(self, v: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(v.to_owned()))
    }
}

#[derive(Clone, Copy)]
struct MemberSeed(Strict);

impl<'de> DeserializeSeed<'de> for MemberSeed {
    type Value = Member<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for MemberSeed {
    type Value = Member<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    fn visit_borrowed_str<E: serde::de::Error>(self, v: &'de str) -> Result<Self::Value, E> {
        Text.visit_borrowed_str(v).map(Member::Text)
    }

    fn visit_str<E: serde::de::Error>(self, v: &str) -> Result<Self::Value, E> {
        Text.visit_str(v).map(Member::Text)
    }

    fn visit_bool<E: serde::de::Error>(self, v: bool) -> Result<Self::Value, E> {
        self.0.visit_bool(v).map(Member::Other)
    }

    fn visit_i64<E: serde::de::Error>(self, v: i64) -> Result<Self::Value, E> {
        self.0.visit_i64(v).map(Member::Other)
    }

    fn visit_u64<E: serde::de::Error>(self, v: u64) -> Result<Self::Value, E> {
        self.0.visit_u64(v).map(Member::Other)
    }

    fn visit_f64<E: serde::de::Error>(self, v: f64) -> Result<Self::Value, E> {
        self.0.visit_f64(v).map(Member::Other)
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Self::Value, E> {
        self.0.visit_unit().map(Member::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        self.0.visit_seq(seq).map(Member::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        self.0.visit_map(map).map(Member::Other)
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
                return Err(twice(&name));
            }
            let value = map.next_value_seed(inner)?;
            members.insert(name, value);
        }
        Ok(Value::Object(members))
    }
}

/// Walks through a value as [`Strict`] does, and keeps nothing.
#[derive(Clone, Copy)]
struct Checked(Strict);

impl<'de> DeserializeSeed<'de> for Checked {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Checked {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: serde::de::Error>(self, v: f64) -> Result<(), E> {
        self.0.visit_f64(v).map(drop)
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let inner = Self(self.0.deeper()?);
        while seq.next_element_seed(inner)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let inner = Self(self.0.deeper()?);
        let mut seen = Names::new();
        while let Some(name) = map.next_key_seed(Text)? {
            if let Some(name) = seen.add(name) {
                return Err(twice(&name));
            }
            map.next_value_seed(inner)?;
        }
        Ok(())
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
