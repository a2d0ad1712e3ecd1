//! Checks of operations, from an OpenAPI file or from an index on disk.

use std::collections::BTreeSet;

use http::{HeaderName, HeaderValue, Method};
use percent_encoding::percent_decode_str;

use super::operation::{Location, Operation};

/// The longest name, id or path.
const MAX_NAME: usize = 1000;
/// The methods of OpenAPI.
const METHODS: [Method; 8] = [
    Method::GET,
    Method::PUT,
    Method::POST,
    Method::DELETE,
    Method::OPTIONS,
    Method::HEAD,
    Method::PATCH,
    Method::TRACE,
];

/// Checks that requests for the operation can only go to its path.
pub(super) fn operation(operation: &Operation) -> Result<(), String> {
    name(&operation.operation_id, "the operationId")?;
    if !METHODS.contains(&operation.method) {
        return Err("the method is not an OpenAPI method".to_owned());
    }
    let braces = path(&operation.path)?;
    let mut in_path = BTreeSet::new();
    for parameter in &operation.parameters {
        name(&parameter.name, "the name of a parameter")?;
        if !parameter.style.fits(parameter.location) {
            return Err(format!("the style of {:?} is not allowed for its location", parameter.name));
        }
        match parameter.location {
            Location::Path => {
                in_path.insert(parameter.name.as_str());
            }
            Location::Header if HeaderName::try_from(parameter.name.as_str()).is_err() => {
                return Err(format!("{:?} is not the name of a header field", parameter.name));
            }
            Location::Header | Location::Query | Location::Cookie => {}
        }
    }
    if in_path != braces {
        return Err("the path parameters differ from those in the path template".to_owned());
    }
    operation.body.iter().flat_map(|body| &body.content).try_for_each(|form| {
        let usable = form.media_type.contains('/') && HeaderValue::try_from(&form.media_type).is_ok();
        if usable { Ok(()) } else { Err("a media type cannot be sent".to_owned()) }
    })
}

/// The parameters of a path template.
fn path(path: &str) -> Result<BTreeSet<&str>, String> {
    if path.len() > MAX_NAME || !(path == "/v3" || path.starts_with("/v3/")) {
        return Err("the path does not start with /v3/, or is too long".to_owned());
    }
    let mut braces = BTreeSet::new();
    let mut literal = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').ok_or("a brace in the path template is not closed")?;
        if name.is_empty() || name.contains('{') || !braces.insert(name) {
            return Err("a parameter in the path template is empty or repeated".to_owned());
        }
        // Code that splits a template at slashes, as routers do, would find wrong segments.
        if name.contains('/') {
            return Err("the name of a path parameter contains a slash".to_owned());
        }
        literal.push_str(before);
        literal.push('\u{1F}');
        rest = after;
    }
    literal.push_str(rest);
    if literal
        .contains(|c: char| (c.is_control() && c != '\u{1F}') || c.is_whitespace() || "\\?#}".contains(c))
    {
        return Err("the path contains an invalid character".to_owned());
    }
    if literal.split('/').any(is_dots) {
        return Err("the path contains a dot segment".to_owned());
    }
    Ok(braces)
}

/// Whether a segment is `.` or `..`, encoded or not.
fn is_dots(segment: &str) -> bool {
    matches!(percent_decode_str(segment).decode_utf8_lossy().as_ref(), "." | "..")
}

fn name(text: &str, what: &str) -> Result<(), String> {
    if text.is_empty() || text.len() > MAX_NAME || text.contains(char::is_control) {
        return Err(format!("{what} is empty, too long or contains control characters"));
    }
    Ok(())
}
