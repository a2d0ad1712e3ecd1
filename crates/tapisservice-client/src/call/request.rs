//! Builds a request from an operation and its arguments, without I/O.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, Method};
use serde_json::Map;
use url::Url;

use super::arguments::{self, Given, Placed};
use super::body::{self, Payload, Whole};
use super::style;
use super::{headers, path};
use crate::spec::{Location, Operation};
use crate::{ArgumentError, ArgumentErrorKind, CallDestination, ClientError, SetupError};

/// The target of a call.
pub(super) enum Target {
    Operation(Arc<Operation>),
    Raw { method: Method, path: String },
}

/// All inputs of a call.
#[derive(Default)]
pub(super) struct Inputs {
    pub(super) given: Given,
    pub(super) whole: Option<Whole>,
    pub(super) media_type: Option<String>,
    /// Headers that the operation does not list.
    pub(super) headers: HeaderMap,
    pub(super) query: Vec<(String, String)>,
}

/// A request that is not prepared yet.
pub(super) struct Built {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) payload: Payload,
}

pub(super) fn build(
    destination: &CallDestination,
    target: &Target,
    inputs: Inputs,
) -> Result<Built, ClientError> {
    match target {
        Target::Operation(operation) => of_operation(destination, operation, inputs),
        Target::Raw { method, path } => raw(destination, method.clone(), path, inputs),
    }
}

fn of_operation(
    destination: &CallDestination,
    operation: &Operation,
    inputs: Inputs,
) -> Result<Built, ClientError> {
    if inputs.whole.is_some() && operation.body.is_none() {
        let accepted = arguments::accepted_by(operation);
        return Err(ArgumentError::new(ArgumentErrorKind::NoBody).for_operation(operation, accepted).into());
    }
    let with_files = !inputs.given.files.is_empty();
    let Placed { parameters, fields, files } =
        arguments::place(operation, inputs.given, inputs.whole.is_some())?;
    let at = |location| parameters.iter().filter(move |(p, _)| p.location == location);

    let filled = path::fill(&operation.path, |name| {
        at(Location::Path).find(|(p, _)| p.name == name).map(|(p, shape)| (*p, shape))
    })?;
    let query = at(Location::Query).flat_map(|(p, shape)| style::pairs(p, shape)).collect();
    let mut headers = HeaderMap::new();
    for (parameter, shape) in at(Location::Header) {
        let (name, value) = headers::checked(&parameter.name, style::header(parameter, shape).as_bytes())?;
        headers.insert(name, value);
    }
    let cookies: Vec<_> = at(Location::Cookie).flat_map(|(p, shape)| style::pairs(p, shape)).collect();
    if !cookies.is_empty() {
        let line = body::joined(&cookies, "; ");
        let line = HeaderValue::try_from(line)
            .map_err(|_| SetupError::Request("the cookies cannot be sent in a header".to_owned()))?;
        headers.insert(http::header::COOKIE, line);
    }
    headers.extend(inputs.headers);

    let required = operation.body.as_ref().is_some_and(|b| b.required);
    let payload = match (inputs.whole, body::form_of(operation, with_files)) {
        (Some(whole), _) => body::whole(whole, inputs.media_type, Some(operation))?,
        (None, Some(form)) if required || !fields.is_empty() || !files.is_empty() => {
            body::named(fields, files, form, inputs.media_type)?
        }
        (None, _) => Payload::None,
    };
    let url = path::url(destination, &filled, &query_text(query, &inputs.query))?;
    Ok(Built { method: operation.method.clone(), url, headers, payload })
}

fn raw(
    destination: &CallDestination,
    method: Method,
    path: &str,
    inputs: Inputs,
) -> Result<Built, ClientError> {
    if !inputs.given.arguments.is_empty() {
        return Err(ArgumentErrorKind::RawCall.into());
    }
    let Given { fields, files, .. } = inputs.given;
    let payload = match inputs.whole {
        Some(_) if !(fields.is_empty() && files.is_empty()) => {
            return Err(ArgumentErrorKind::BodySetTwice.into());
        }
        Some(whole) => body::whole(whole, inputs.media_type, None)?,
        None if !files.is_empty() => body::named(fields, files, &free(body::MULTIPART), None)?,
        None if !fields.is_empty() => body::named(fields, files, &free(body::JSON), inputs.media_type)?,
        None => Payload::None,
    };
    let url = path::url(destination, &path::raw(path)?, &query_text(Vec::new(), &inputs.query))?;
    Ok(Built { method, url, headers: inputs.headers, payload })
}

fn free(media_type: &str) -> crate::spec::BodyContent {
    crate::spec::BodyContent {
        media_type: media_type.to_owned(),
        properties: Vec::new(),
        additional_properties: true,
    }
}

fn query_text(mut encoded: Vec<(String, String)>, extra: &[(String, String)]) -> String {
    let extra = extra.iter().map(|(name, value)| (style::encode(name), style::encode(value)));
    encoded.extend(extra);
    body::joined(&encoded, "&")
}

/// The members of an object, for several arguments at once.
pub(super) fn members(value: serde_json::Value) -> Result<Map<String, serde_json::Value>, ClientError> {
    match value {
        serde_json::Value::Object(members) => Ok(members),
        _ => Err(ArgumentErrorKind::NotAnObject.into()),
    }
}
