//! YAML or JSON text as one value, bounded in depth and size.

use std::borrow::Cow;
use std::cell::Cell;

use serde::de::{DeserializeSeed as _, Error, MapAccess, SeqAccess};
use serde_json::{Map, Value};
use tapisservice_core::json::walk::{Build, Scalar, Walk};

/// The largest file that is read, in bytes; those of the Tapis services have up to 160 kB.
pub(in crate::spec) const MAX_BYTES: usize = 4 * 1024 * 1024;
/// How many values a file may have once its aliases are written out; a long text counts for several.
const MAX_VALUES: usize = 1_000_000;
/// How many bytes of text count for one value.
const TEXT_UNIT: usize = 64;
/// How many brackets may be open at a time, those in texts included. The YAML scanner looks at all open ones for every token,
/// so that a megabyte of them would take it hours.
const MAX_OPEN: usize = 256;
/// How many YAML documents are looked through for one that is a mapping.
const MAX_DOCUMENTS: usize = 16;

/// The mapping that the file holds.
pub(super) fn parse(bytes: &[u8]) -> Result<Value, String> {
    if bytes.len() > MAX_BYTES {
        return Err(format!("it has {} bytes, the limit is {MAX_BYTES}", bytes.len()));
    }
    let text = decode(bytes);
    let text = text.trim_start_matches('\u{feff}');
    let json = text.trim_start().starts_with('{').then(|| json(text));
    match json {
        Some(Ok(value)) => Ok(value),
        // YAML takes what JSON does not: trailing commas, comments, single quotes.
        Some(Err(fault)) => yaml(text).map_err(|_| format!("it is not JSON: {fault}")),
        None => yaml(text).map_err(|fault| format!("it is not YAML: {fault}")),
    }
    .and_then(|value| if value.is_object() { Ok(value) } else { Err("it is not a mapping".to_owned()) })
}

/// UTF-8, or UTF-16 as some editors and shells save it. Wrong bytes are replaced: they are in descriptions.
fn decode(bytes: &[u8]) -> Cow<'_, str> {
    let units = |from: fn([u8; 2]) -> u16| {
        let pairs = bytes[2..].as_chunks::<2>().0;
        Cow::Owned(String::from_utf16_lossy(&pairs.iter().map(|pair| from(*pair)).collect::<Vec<_>>()))
    };
    match bytes {
        [0xFF, 0xFE, ..] => units(u16::from_le_bytes),
        [0xFE, 0xFF, ..] => units(u16::from_be_bytes),
        _ => String::from_utf8_lossy(bytes),
    }
}

fn json(text: &str) -> Result<Value, String> {
    let left = Cell::new(MAX_VALUES);
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Walk(Bounded { left: &left }).deserialize(&mut deserializer).map_err(|e| e.to_string())?;
    deserializer.end().map_err(|e| e.to_string())?;
    Ok(value)
}

fn yaml(text: &str) -> Result<Value, String> {
    if most_open(text) > MAX_OPEN {
        return Err(format!("brackets are nested more than {MAX_OPEN} deep"));
    }
    let left = Cell::new(MAX_VALUES);
    let mut last = Ok(Value::Null);
    for document in yaml_serde::Deserializer::from_str(text).take(MAX_DOCUMENTS) {
        last = Walk(Bounded { left: &left }).deserialize(document).map_err(|e| explain(text, &e));
        if !matches!(last, Ok(ref value) if !value.is_object()) {
            return last;
        }
    }
    last
}

fn most_open(text: &str) -> usize {
    let open = text.bytes().scan(0_usize, |open, byte| {
        match byte {
            b'[' | b'{' => *open += 1,
            b']' | b'}' => *open = open.saturating_sub(1),
            _ => {}
        }
        Some(*open)
    });
    open.max().unwrap_or_default()
}

/// The fault, with the one cause people look for longest.
fn explain(text: &str, error: &yaml_serde::Error) -> String {
    let tab = error.location().and_then(|at| {
        let line = text.lines().nth(at.line().checked_sub(1)?)?;
        let indent = &line[..line.len() - line.trim_start().len()];
        indent.contains('\t').then(|| format!("; line {} is indented with a tab", at.line()))
    });
    let fault: String = error.to_string().chars().take(200).collect();
    format!("{fault}{}", tab.unwrap_or_default())
}

/// Builds a value and counts what it builds.
#[derive(Clone, Copy)]
struct Bounded<'a> {
    left: &'a Cell<usize>,
}

impl Bounded<'_> {
    fn spend<E: Error>(self, text: usize) -> Result<(), E> {
        let left = self.left.get().checked_sub(1 + text / TEXT_UNIT);
        self.left.set(left.ok_or_else(|| E::custom("too many values, or aliases that expand to too many"))?);
        Ok(())
    }

    fn text<E: Error>(self, text: &str) -> Result<Value, E> {
        self.spend(text.len())?;
        Ok(Value::String(text.to_owned()))
    }
}

impl<'de> Build<'de> for Bounded<'_> {
    type Value = Value;

    fn scalar<E: Error>(self, scalar: Scalar<'_>) -> Result<Value, E> {
        match scalar {
            Scalar::Text(text) => self.text(text),
            // YAML has numbers that JSON has not; in a specification they say nothing.
            Scalar::Float(value) => self.spend(0).map(|()| value.into()),
            other => self.spend(0).and_then(|()| other.into_value()),
        }
    }

    fn array<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        self.spend(0)?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Walk(self))? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn object<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        self.spend(0)?;
        let mut map = Map::new();
        let mut merged = Vec::new();
        // A key may be any scalar: `200` is one of `responses`.
        while let Some(key) = members.next_key::<String>()? {
            self.spend(key.len())?;
            let value = members.next_value_seed(Walk(self))?;
            if key == "<<" { merged.push(value) } else { insert(&mut map, key, value) }
        }
        for value in merged {
            merge(&mut map, value);
        }
        Ok(Value::Object(map))
    }
}

/// A key that appears twice: mappings are joined, so that a path written twice keeps its methods; else the last one counts.
fn insert(map: &mut Map<String, Value>, key: String, value: Value) {
    match (map.get_mut(&key), value) {
        (Some(Value::Object(known)), Value::Object(more)) => known.extend(more),
        (_, value) => {
            map.insert(key, value);
        }
    }
}

/// YAML's merge key `<<`: what is there already counts.
fn merge(map: &mut Map<String, Value>, value: Value) {
    match value {
        Value::Object(more) => {
            for (key, value) in more {
                map.entry(key).or_insert(value);
            }
        }
        Value::Array(items) => items.into_iter().filter(Value::is_object).for_each(|item| merge(map, item)),
        _ => {}
    }
}
