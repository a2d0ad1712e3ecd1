//! What schemas say about kinds of values and properties of objects.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Reader;
use super::fault::Fault;
use super::loose;
use super::view::{Followed, View};
use crate::spec::operation::{Property, ValueKind};

/// How deep compositions are looked into.
const MAX_DEPTH: usize = 8;
const COMPOSITIONS: [&str; 3] = ["allOf", "oneOf", "anyOf"];

/// The object that a body is.
#[derive(Debug, Default)]
pub(super) struct Object {
    /// Empty for a free object, and for whatever is no object.
    pub(super) properties: Vec<Property>,
    pub(super) additional_properties: bool,
}

impl<'a> Reader<'a> {
    /// The kind of value that a schema describes.
    pub(super) fn kind(&self, schema: &'a Value) -> Result<ValueKind, Fault> {
        match self.follow(schema)? {
            Followed::Mapping(view) => self.kind_of(&view),
            // A schema that is only the name of a type.
            Followed::Other => Ok(loose::text(schema).map_or(ValueKind::Any, |name| kind_named(&name))),
            Followed::Nothing | Followed::Elsewhere(_) => Ok(ValueKind::Any),
        }
    }

    pub(super) fn kind_of(&self, view: &View<'a>) -> Result<ValueKind, Fault> {
        self.kind_within(view, MAX_DEPTH)
    }

    fn kind_within(&self, view: &View<'a>, depth: usize) -> Result<ValueKind, Fault> {
        let named = view.get("type").map(loose::texts).unwrap_or_default();
        if let Some(kind) =
            agreed(named.iter().map(String::as_str).filter(|name| *name != "null").map(kind_named))
        {
            return Ok(kind);
        }
        if view.get("properties").is_some() {
            return Ok(ValueKind::Object);
        }
        if view.get("items").is_some() {
            return Ok(ValueKind::Array);
        }
        if let Some(values) = view.get("enum").and_then(Value::as_array) {
            return Ok(
                agreed(values.iter().filter(|value| !value.is_null()).map(kind_of_value)).unwrap_or_default()
            );
        }
        self.composed_kind(view, depth)
    }

    fn composed_kind(&self, view: &View<'a>, depth: usize) -> Result<ValueKind, Fault> {
        let Some(depth) = depth.checked_sub(1) else { return Ok(ValueKind::Any) };
        let Some(members) = COMPOSITIONS.iter().find_map(|key| view.get(key)?.as_array()) else {
            return Ok(ValueKind::Any);
        };
        let mut kinds = Vec::new();
        for member in members {
            match self.follow(member)? {
                Followed::Mapping(member) if is_null(&member) => {}
                Followed::Mapping(member) => kinds.push(self.kind_within(&member, depth)?),
                Followed::Nothing | Followed::Elsewhere(_) | Followed::Other => kinds.push(ValueKind::Any),
            }
        }
        Ok(agreed(kinds.into_iter()).unwrap_or_default())
    }

    /// The properties of the object that a schema describes.
    pub(super) fn object(&self, schema: &'a Value) -> Result<Object, Fault> {
        match self.follow(schema)? {
            Followed::Mapping(view) => self.object_of(view),
            Followed::Nothing | Followed::Elsewhere(_) | Followed::Other => {
                Ok(Object { additional_properties: true, ..Object::default() })
            }
        }
    }

    fn object_of(&self, view: View<'a>) -> Result<Object, Fault> {
        let view = self.only_member(view)?;
        let required = view.get("required").map(loose::texts).unwrap_or_default();
        let mut properties = BTreeMap::new();
        if let Some(members) = view.object("properties") {
            self.spend(members.len())?;
            for (name, schema) in members {
                let property = self.property(name, schema, required.contains(name))?;
                properties.insert(name.as_str(), property);
            }
        }
        let more = view.get("additionalProperties").is_some_and(|more| loose::flag(more) != Some(false));
        let composed = COMPOSITIONS.iter().any(|key| view.get(key).is_some());
        // A required name that is not described may be given, and is not asked for: most often it is misspelt.
        let unknown = required.iter().any(|name| !properties.contains_key(name.as_str()));
        let additional_properties = properties.is_empty() || more || composed || unknown;
        Ok(Object { properties: properties.into_values().collect(), additional_properties })
    }

    fn property(&self, name: &str, schema: &'a Value, required: bool) -> Result<Property, Fault> {
        let property = |required, kind, binary| Property { name: name.to_owned(), required, kind, binary };
        let Followed::Mapping(view) = self.follow(schema)? else {
            return Ok(property(required, self.kind(schema)?, false));
        };
        // Swagger's `required: true` on the property itself; a property that is only answered is never asked for.
        let required =
            (required || view.flag("required") == Some(true)) && view.flag("readOnly") != Some(true);
        Ok(property(required, self.kind_of(&view)?, self.binary(&view)?))
    }

    /// Whether the value is bytes: `format: binary`, OpenAPI 3.1's `contentMediaType`, Swagger's `type: file`; or a list
    /// of such.
    pub(super) fn binary(&self, view: &View<'a>) -> Result<bool, Fault> {
        if is_binary(view) {
            return Ok(true);
        }
        let Some(items) = view.get("items") else { return Ok(false) };
        Ok(matches!(self.follow(items)?, Followed::Mapping(items) if is_binary(&items)))
    }

    /// The only member of a composition that adds nothing: `allOf` with one reference is how OpenAPI 3.0 describes one.
    fn only_member(&self, mut view: View<'a>) -> Result<View<'a>, Fault> {
        for _ in 0..MAX_DEPTH {
            if view.get("properties").is_some() {
                break;
            }
            let compositions: Vec<_> =
                COMPOSITIONS.iter().filter_map(|key| view.get(key)?.as_array()).collect();
            let [members] = compositions.as_slice() else { break };
            let mut only = Vec::new();
            for member in *members {
                match self.follow(member)? {
                    Followed::Mapping(member) if is_null(&member) => {}
                    Followed::Mapping(member) => only.push(member),
                    Followed::Nothing | Followed::Elsewhere(_) | Followed::Other => return Ok(view),
                }
            }
            if only.len() != 1 {
                break;
            }
            let Some(member) = only.pop() else { break };
            view = member;
        }
        Ok(view)
    }
}

fn is_null(view: &View<'_>) -> bool {
    view.text("type").as_deref() == Some("null")
}

fn is_binary(view: &View<'_>) -> bool {
    let lower = |key| view.text(key).map(|text| text.to_ascii_lowercase());
    matches!(lower("format").as_deref(), Some("binary" | "file"))
        || lower("type").as_deref() == Some("file")
        || lower("contentMediaType").as_deref() == Some("application/octet-stream")
}

/// The one kind that all are, if they agree; whole numbers are numbers.
fn agreed(kinds: impl Iterator<Item = ValueKind>) -> Option<ValueKind> {
    kinds.reduce(|all, next| match (all, next) {
        _ if all == next => all,
        (ValueKind::Integer, ValueKind::Number) | (ValueKind::Number, ValueKind::Integer) => {
            ValueKind::Number
        }
        _ => ValueKind::Any,
    })
}

fn kind_named(name: &str) -> ValueKind {
    match name.to_ascii_lowercase().as_str() {
        "string" | "str" | "text" | "file" | "binary" | "date" | "date-time" | "datetime" | "uuid" => {
            ValueKind::String
        }
        "integer" | "int" | "int32" | "int64" | "long" => ValueKind::Integer,
        "number" | "float" | "double" | "decimal" => ValueKind::Number,
        "boolean" | "bool" => ValueKind::Boolean,
        "array" | "list" => ValueKind::Array,
        "object" | "dict" | "map" => ValueKind::Object,
        _ => ValueKind::Any,
    }
}

fn kind_of_value(value: &Value) -> ValueKind {
    match value {
        Value::String(_) => ValueKind::String,
        Value::Number(number) if number.is_f64() => ValueKind::Number,
        Value::Number(_) => ValueKind::Integer,
        Value::Bool(_) => ValueKind::Boolean,
        Value::Array(_) => ValueKind::Array,
        Value::Object(_) => ValueKind::Object,
        Value::Null => ValueKind::Any,
    }
}
