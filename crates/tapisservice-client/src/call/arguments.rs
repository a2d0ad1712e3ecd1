//! Arguments against the operation they are for.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use http::HeaderName;
use serde_json::{Map, Value};

use super::headers::is_protected;
use super::style::Shape;
use super::{Upload, body};
use crate::ClientError;
use crate::spec::nearest;
use crate::spec::{BodyForm, Location, Operation, Parameter, Property, ValueKind};

/// The most names an error lists.
const MOST_NAMES: usize = 60;

/// What a call was given by name.
#[derive(Default)]
pub(super) struct Given {
    /// For a parameter, or else for a property of the body. Null counts as not given.
    pub(super) arguments: BTreeMap<String, Value>,
    /// For a property of the body only, sent as it is.
    pub(super) fields: Map<String, Value>,
    /// Files of a multipart body.
    pub(super) files: BTreeMap<String, Upload>,
}

/// Arguments in their places.
#[derive(Default)]
pub(super) struct Placed<'a> {
    pub(super) parameters: Vec<(&'a Parameter, Shape)>,
    pub(super) fields: Map<String, Value>,
    pub(super) files: BTreeMap<String, Upload>,
}

/// The parameters that calls give. A header parameter that is not for calls to set does not count: OpenAPI files list `Authorization` and
/// the token in places.
pub(super) fn parameters(operation: &Operation) -> impl Iterator<Item = &Parameter> {
    let protected = |parameter: &Parameter| {
        parameter.location == Location::Header
            && HeaderName::from_bytes(parameter.name.as_bytes()).is_ok_and(|name| is_protected(&name))
    };
    operation.parameters.iter().filter(move |parameter| !protected(parameter))
}

/// Puts arguments in their places; `whole` says that the body was given as a whole.
pub(super) fn place(operation: &Operation, given: Given, whole: bool) -> Result<Placed<'_>, ClientError> {
    let checker = Checker { operation, form: body::form_of(operation, !given.files.is_empty()), whole };
    let mut placed = Placed { files: given.files, ..Placed::default() };
    for (name, value) in given.arguments {
        let mut taken = false;
        for parameter in parameters(operation).filter(|p| p.name == name) {
            taken = true;
            if !value.is_null() {
                placed.parameters.push((parameter, checker.shape(parameter, &value)?));
            }
        }
        if !taken {
            checker.property(&name, Some(&value))?;
            if !value.is_null() {
                placed.fields.insert(name, value);
            }
        }
    }
    for (name, value) in given.fields {
        checker.property(&name, None)?;
        placed.fields.insert(name, value);
    }
    for name in placed.files.keys() {
        checker.file(name)?;
    }
    checker.missing(&placed)?;
    Ok(placed)
}

struct Checker<'a> {
    operation: &'a Operation,
    form: Option<&'a BodyForm>,
    whole: bool,
}

impl Checker<'_> {
    fn shape(&self, parameter: &Parameter, value: &Value) -> Result<Shape, ClientError> {
        let name = &parameter.name;
        if !fits_parameter(parameter.kind, value) {
            return Err(self.wrong_kind(name, parameter.kind, value));
        }
        Shape::of(value).ok_or_else(|| {
            self.error(&format!("the value of {name} nests, which no parameter can: give it as text"))
        })
    }

    /// Checks a property of the body and, if it is given, its value.
    fn property(&self, name: &str, value: Option<&Value>) -> Result<(), ClientError> {
        let Some(form) = self.form else { return Err(self.unknown(name)) };
        if self.whole {
            return Err(self.error(&format!("the body is given whole, so {name} cannot be added to it")));
        }
        match form.properties.iter().find(|p| p.name == name) {
            Some(property) if property.binary && is_multipart(form) => {
                Err(self.error(&format!("{name} is a file: give it by `file`")))
            }
            Some(property) => match value {
                Some(value) if !fits_property(property, form, value) => {
                    Err(self.wrong_kind(name, property.kind, value))
                }
                _ => Ok(()),
            },
            None if form.open => Ok(()),
            None => Err(self.unknown(name)),
        }
    }

    fn file(&self, name: &str) -> Result<(), ClientError> {
        let Some(form) = self.form.filter(|form| is_multipart(form)) else {
            return Err(self.error(&format!("it takes no files, so {name} cannot be one")));
        };
        let known = form.open || form.properties.iter().any(|p| p.name == name);
        if known { Ok(()) } else { Err(self.unknown(name)) }
    }

    /// What is required and not there, all at once.
    fn missing(&self, placed: &Placed<'_>) -> Result<(), ClientError> {
        let has = |parameter: &Parameter| placed.parameters.iter().any(|(p, _)| std::ptr::eq(*p, parameter));
        let mut missing: Vec<String> = parameters(self.operation)
            .filter(|parameter| {
                (parameter.required || parameter.location == Location::Path) && !has(parameter)
            })
            .map(|parameter| format!("{} ({})", parameter.name, parameter.location))
            .collect();
        let given = !placed.fields.is_empty() || !placed.files.is_empty();
        let required = self.operation.body.as_ref().is_some_and(|b| b.required);
        if let Some(form) = self.form.filter(|_| !self.whole && (given || required)) {
            let has =
                |p: &&Property| placed.fields.contains_key(&p.name) || placed.files.contains_key(&p.name);
            let properties = form.properties.iter().filter(|p| p.required && !has(p));
            missing.extend(properties.map(|p| format!("{} (body)", p.name)));
            if !given && form.properties.is_empty() {
                missing.push(format!("the body ({})", form.media_type));
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        Err(self.error(&format!("missing: {}", missing.join(", "))))
    }

    fn wrong_kind(&self, name: &str, kind: ValueKind, value: &Value) -> ClientError {
        self.error(&format!("{name} takes {}, not {}", kind_name(kind), value_name(value)))
    }

    fn unknown(&self, name: &str) -> ClientError {
        let suggestion = nearest::suggestion(name, self.names().map(|(known, _)| known));
        self.error(&format!("it has no argument {}{suggestion}", nearest::quoted(name)))
    }

    fn names(&self) -> impl Iterator<Item = (&str, &'static str)> {
        let place = |location| match location {
            Location::Path => "path",
            Location::Query => "query",
            Location::Header => "header",
            Location::Cookie => "cookie",
        };
        let properties = self.form.map(|f| f.properties.as_slice()).unwrap_or_default();
        parameters(self.operation)
            .map(move |p| (p.name.as_str(), place(p.location)))
            .chain(properties.iter().map(|p| (p.name.as_str(), "body")))
    }

    fn error(&self, what: &str) -> ClientError {
        let Operation { resource, operation_id, .. } = self.operation;
        let mut text = format!("{resource}.{operation_id}: {what}");
        let mut names: Vec<String> = self.names().map(|(name, place)| format!("{name} ({place})")).collect();
        let all = names.len();
        names.truncate(MOST_NAMES);
        let _ = match all {
            0 => write!(text, ". It takes no named arguments"),
            _ => write!(text, ". It takes {}", names.join(", ")),
        };
        if all > MOST_NAMES {
            let _ = write!(text, " and {} more", all - MOST_NAMES);
        }
        ClientError::Arguments(text)
    }
}

fn is_multipart(form: &BodyForm) -> bool {
    body::essence(&form.media_type) == body::MULTIPART
}

/// Whether a value can be sent for a parameter, where everything becomes text: so text that reads as the kind is of the kind, and text is
/// an array or object in the spelling that the service wants.
fn fits_parameter(kind: ValueKind, value: &Value) -> bool {
    match (kind, value) {
        (ValueKind::Integer, Value::String(text)) => text.parse::<i128>().is_ok(),
        (ValueKind::Number, Value::String(text)) => text.parse::<f64>().is_ok_and(f64::is_finite),
        (ValueKind::Boolean, Value::String(text)) => matches!(text.as_str(), "true" | "false"),
        (ValueKind::String | ValueKind::Array | ValueKind::Object, Value::String(_))
        | (ValueKind::String, Value::Bool(_) | Value::Number(_))
        | (_, Value::Null) => true,
        (kind, value) => fits(kind, value),
    }
}

fn fits_property(property: &Property, form: &BodyForm, value: &Value) -> bool {
    if body::is_json(&form.media_type) {
        value.is_null() || fits(property.kind, value)
    } else {
        fits_parameter(property.kind, value)
    }
}

fn fits(kind: ValueKind, value: &Value) -> bool {
    match kind {
        ValueKind::Any => true,
        ValueKind::String => value.is_string(),
        ValueKind::Boolean => value.is_boolean(),
        ValueKind::Number => value.is_number(),
        ValueKind::Integer => {
            value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|n| n.fract() == 0.0)
        }
        ValueKind::Array => value.is_array(),
        ValueKind::Object => value.is_object(),
    }
}

fn kind_name(kind: ValueKind) -> &'static str {
    match kind {
        ValueKind::String => "a string",
        ValueKind::Integer => "an integer",
        ValueKind::Number => "a number",
        ValueKind::Boolean => "a boolean",
        ValueKind::Array => "an array",
        ValueKind::Object => "an object",
        ValueKind::Any => "any value",
    }
}

fn value_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number of that size or kind",
        Value::String(_) => "this string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
