//! The request body of a call.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Map, Value};

use super::style::{self, Shape};
use super::{Multipart, Upload};
use crate::spec::{BodyContent, Location, Operation, Parameter, Style, ValueKind};
use crate::{ArgumentError, ArgumentErrorKind, ClientError};

pub(super) const JSON: &str = "application/json";
pub(super) const FORM: &str = "application/x-www-form-urlencoded";
pub(super) const MULTIPART: &str = "multipart/form-data";
pub(super) const BYTES: &str = "application/octet-stream";

/// A body that is set as a whole.
pub(super) enum Whole {
    Json(Vec<u8>),
    Form(Value),
    Bytes(Upload),
    Multipart(Multipart),
}

/// A body ready to be sent.
pub(super) enum Payload {
    None,
    Bytes { media_type: String, bytes: Bytes },
    Upload { media_type: String, upload: Upload },
    Multipart(Multipart),
}

/// A media type without its parameters, in lower case.
pub(super) fn essence(media_type: &str) -> String {
    media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

pub(super) fn is_json(media_type: &str) -> bool {
    let essence = essence(media_type);
    matches!(essence.as_str(), "application/json" | "text/json") || essence.ends_with("+json")
}

/// The content that named arguments build: multipart if there are files, else the first that is not multipart.
pub(super) fn form_of(operation: &Operation, with_files: bool) -> Option<&BodyContent> {
    let content = &operation.body.as_ref()?.content;
    let fits = |form: &&BodyContent| (essence(&form.media_type) == MULTIPART) == with_files;
    content.iter().find(fits).or_else(|| content.first())
}

/// The body that was set as a whole, with the media type of the call, else of the operation, else the usual one.
pub(super) fn whole(
    body: Whole,
    asked: Option<String>,
    operation: Option<&Operation>,
) -> Result<Payload, ClientError> {
    let declared = |fits: fn(&str) -> bool| {
        let content =
            operation.and_then(|o| o.body.as_ref()).map(|b| b.content.as_slice()).unwrap_or_default();
        content.iter().map(|f| f.media_type.clone()).find(|m| fits(m))
    };
    Ok(match body {
        Whole::Json(json) => {
            let media_type = asked.or_else(|| declared(is_json)).unwrap_or_else(|| JSON.to_owned());
            Payload::Bytes { media_type, bytes: json.into() }
        }
        Whole::Form(value) => {
            let Value::Object(fields) = value else {
                return Err(ArgumentErrorKind::FormNotAnObject.into());
            };
            Payload::Bytes {
                media_type: asked.unwrap_or_else(|| FORM.to_owned()),
                bytes: urlencoded(&fields)?.into(),
            }
        }
        Whole::Bytes(upload) => {
            let usual =
                || declared(|m| essence(m) == BYTES).or_else(|| declared(|m| essence(m) != MULTIPART));
            let media_type = upload.media_type.clone().or(asked).or_else(usual);
            Payload::Upload { media_type: media_type.unwrap_or_else(|| BYTES.to_owned()), upload }
        }
        Whole::Multipart(_) if asked.is_some() => {
            return Err(ArgumentErrorKind::MultipartMediaType.into());
        }
        Whole::Multipart(parts) => Payload::Multipart(parts),
    })
}

/// The body built from named arguments and files.
pub(super) fn named(
    fields: Map<String, Value>,
    files: BTreeMap<String, Upload>,
    form: &BodyContent,
    asked: Option<String>,
) -> Result<Payload, ClientError> {
    let media_type = asked.unwrap_or_else(|| form.media_type.clone());
    match essence(&form.media_type).as_str() {
        MULTIPART => Ok(Payload::Multipart(multipart(fields, files))),
        FORM => Ok(Payload::Bytes { media_type, bytes: urlencoded(&fields)?.into() }),
        other if is_json(other) || other == "*/*" => {
            let media_type = if other == "*/*" { JSON.to_owned() } else { media_type };
            Ok(Payload::Bytes { media_type, bytes: Value::Object(fields).to_string().into() })
        }
        other => Err(ArgumentErrorKind::UnsupportedMediaType(other.to_owned()).into()),
    }
}

/// Text fields as text parts, arrays and objects as JSON text in one (OpenAPI 3.0 section 4.7.15).
fn multipart(fields: Map<String, Value>, files: BTreeMap<String, Upload>) -> Multipart {
    let text = |value: Value| style::scalar(&value).unwrap_or_else(|| value.to_string());
    let parts =
        fields.into_iter().fold(Multipart::new(), |parts, (name, value)| parts.text(name, text(value)));
    files.into_iter().fold(parts, |parts, (name, upload)| parts.file(name, upload))
}

/// Fields as `application/x-www-form-urlencoded`, with exploded arrays: the default of OpenAPI.
fn urlencoded(fields: &Map<String, Value>) -> Result<String, ClientError> {
    let mut pairs = Vec::new();
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
        let shape = match value {
            // An object in a form is JSON text: exploding it would lose its name.
            Value::Object(_) => Shape::Scalar(value.to_string()),
            other => Shape::of(other)
                .ok_or_else(|| ArgumentError::new(ArgumentErrorKind::NestedInForm).for_argument(name))?,
        };
        pairs.extend(style::pairs(&form_field(name), &shape));
    }
    Ok(joined(&pairs, "&"))
}

fn form_field(name: &str) -> Parameter {
    Parameter {
        name: name.to_owned(),
        location: Location::Query,
        required: false,
        style: Style::Form,
        explode: true,
        kind: ValueKind::Any,
        allows_slashes: false,
    }
}

/// Encoded pairs as one text.
pub(super) fn joined(pairs: &[(String, String)], between: &str) -> String {
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(between)
}
