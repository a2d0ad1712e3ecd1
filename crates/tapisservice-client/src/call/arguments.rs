//! Checks arguments against the operation.

use std::collections::BTreeMap;

use http::HeaderName;
use serde_json::{Map, Value};

use super::headers::is_protected;
use super::style::Shape;
use super::{Upload, body};
use crate::spec::nearest;
use crate::spec::{BodyContent, Location, Operation, Parameter, Property, ValueKind};
use crate::{AcceptedArgument, ArgumentError, ArgumentErrorKind, ClientError};

/// The named inputs of a call.
#[derive(Default)]
pub(super) struct Given {
    /// Parameters, or else properties of the body. Null counts as not set.
    pub(super) arguments: BTreeMap<String, Value>,
    /// Properties of the body, sent unchanged.
    pub(super) fields: Map<String, Value>,
    /// Files of a multipart body.
    pub(super) files: BTreeMap<String, Upload>,
}

/// Arguments by where they are sent.
#[derive(Default)]
pub(super) struct Placed<'a> {
    pub(super) parameters: Vec<(&'a Parameter, Shape)>,
    pub(super) fields: Map<String, Value>,
    pub(super) files: BTreeMap<String, Upload>,
}

/// The parameters that a call can set. Protected headers are left out: some OpenAPI files list `Authorization` and the token as parameters.
pub(super) fn parameters(operation: &Operation) -> impl Iterator<Item = &Parameter> {
    let protected = |parameter: &Parameter| {
        parameter.location == Location::Header
            && HeaderName::from_bytes(parameter.name.as_bytes()).is_ok_and(|name| is_protected(&name))
    };
    operation.parameters.iter().filter(move |parameter| !protected(parameter))
}

/// Sorts arguments by where they are sent. `whole` means that the body was set as a whole.
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
    form: Option<&'a BodyContent>,
    whole: bool,
}

impl Checker<'_> {
    fn shape(&self, parameter: &Parameter, value: &Value) -> Result<Shape, ClientError> {
        let name = &parameter.name;
        if !fits_parameter(parameter.kind, value) {
            return Err(self.wrong_type(name, parameter.kind, value));
        }
        Shape::of(value).ok_or_else(|| self.error(name, ArgumentErrorKind::Nested))
    }

    /// Checks a property of the body and, if it is given, its value.
    fn property(&self, name: &str, value: Option<&Value>) -> Result<(), ClientError> {
        let Some(form) = self.form else { return Err(self.unknown(name)) };
        if self.whole {
            return Err(self.error(name, ArgumentErrorKind::BodyAlreadySet));
        }
        match form.properties.iter().find(|p| p.name == name) {
            Some(property) if property.binary && is_multipart(form) => {
                Err(self.error(name, ArgumentErrorKind::IsFile))
            }
            Some(property) => match value {
                Some(value) if !fits_property(property, form, value) => {
                    Err(self.wrong_type(name, property.kind, value))
                }
                _ => Ok(()),
            },
            None if form.additional_properties => Ok(()),
            None => Err(self.unknown(name)),
        }
    }

    fn file(&self, name: &str) -> Result<(), ClientError> {
        let Some(form) = self.form.filter(|form| is_multipart(form)) else {
            return Err(self.error(name, ArgumentErrorKind::NoFiles));
        };
        let known = form.additional_properties || form.properties.iter().any(|p| p.name == name);
        if known { Ok(()) } else { Err(self.unknown(name)) }
    }

    /// All missing arguments at once.
    fn missing(&self, placed: &Placed<'_>) -> Result<(), ClientError> {
        let has = |parameter: &Parameter| placed.parameters.iter().any(|(p, _)| std::ptr::eq(*p, parameter));
        let needed = |p: &&Parameter| (p.required || p.location == Location::Path) && !has(p);
        let missing = parameters(self.operation).filter(needed);
        let mut arguments: Vec<_> =
            missing.map(|p| AcceptedArgument::parameter(&p.name, p.location)).collect();
        let mut body = None;
        let given = !placed.fields.is_empty() || !placed.files.is_empty();
        let required = self.operation.body.as_ref().is_some_and(|b| b.required);
        if let Some(form) = self.form.filter(|_| !self.whole && (given || required)) {
            let has =
                |p: &&Property| placed.fields.contains_key(&p.name) || placed.files.contains_key(&p.name);
            let properties = form.properties.iter().filter(|p| p.required && !has(p));
            arguments.extend(properties.map(|p| AcceptedArgument::property(&p.name)));
            if !given && form.properties.is_empty() {
                body = Some(form.media_type.clone());
            }
        }
        if arguments.is_empty() && body.is_none() {
            return Ok(());
        }
        Err(self.about_operation(ArgumentError::new(ArgumentErrorKind::Missing { arguments, body })))
    }

    fn wrong_type(&self, name: &str, expected: ValueKind, value: &Value) -> ClientError {
        self.error(name, ArgumentErrorKind::WrongType { expected, found: value_name(value) })
    }

    fn unknown(&self, name: &str) -> ClientError {
        let accepted = accepted(self.operation, self.form);
        let nearest = nearest::nearest(name, accepted.iter().map(|known| known.name.as_str()));
        self.error(name, ArgumentErrorKind::Unknown { nearest: nearest.map(str::to_owned) })
    }

    fn error(&self, name: &str, problem: ArgumentErrorKind) -> ClientError {
        self.about_operation(ArgumentError::new(problem).for_argument(name))
    }

    fn about_operation(&self, error: ArgumentError) -> ClientError {
        error.for_operation(self.operation, accepted(self.operation, self.form)).into()
    }
}

/// The arguments that the operation accepts, without files.
pub(crate) fn accepted_by(operation: &Operation) -> Vec<AcceptedArgument> {
    accepted(operation, body::form_of(operation, false))
}

/// The arguments that the operation accepts with this body content.
fn accepted(operation: &Operation, form: Option<&BodyContent>) -> Vec<AcceptedArgument> {
    let properties = form.map(|form| form.properties.as_slice()).unwrap_or_default();
    parameters(operation)
        .map(|parameter| AcceptedArgument::parameter(&parameter.name, parameter.location))
        .chain(properties.iter().map(|property| AcceptedArgument::property(&property.name)))
        .collect()
}

fn is_multipart(form: &BodyContent) -> bool {
    body::essence(&form.media_type) == body::MULTIPART
}

/// Whether a value can be sent for a parameter. Everything becomes text there, so text that parses as the type is accepted, and for an
/// array or object any text: it may be in a notation that only the service knows.
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

fn fits_property(property: &Property, form: &BodyContent, value: &Value) -> bool {
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

fn value_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
