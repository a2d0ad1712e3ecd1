//! Safe paths.
//!
//! `Url::parse` resolves `..` and `%2e%2e`, and `path_segments_mut` drops them: a value such as `../../tokens` would choose the operation.
//! So the path is built as text, dot segments are rejected in every encoding, and the parser must return the URL unchanged.

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use url::Url;

use super::style::{self, Shape};
use crate::spec::Parameter;
use crate::{CallDestination, ClientError, SetupError};

/// Characters that a path cannot contain: the path percent-encode set of the URL standard. Percent signs stay.
const NOT_IN_PATHS: AsciiSet = CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'}');

/// How often a value is decoded to find dot segments. Servers behind proxies decode more than once.
const DECODINGS: usize = 4;

/// Expands a path template. `value` returns a parameter and its value by name.
pub(super) fn fill<'a>(
    template: &str,
    value: impl Fn(&str) -> Option<(&'a Parameter, &'a Shape)>,
) -> Result<String, ClientError> {
    let mut path = String::with_capacity(template.len() + 32);
    let mut rest = template;
    while let Some((before, tail)) = rest.split_once('{') {
        let (name, after) = tail.split_once('}').unwrap_or((tail, ""));
        let (parameter, shape) = value(name).ok_or_else(|| {
            SetupError::Request(format!(
                "the path {template} names {name}, which is not among its parameters"
            ))
        })?;
        path.push_str(before);
        path.push_str(&segment(parameter, shape)?);
        rest = after;
    }
    path.push_str(rest);
    Ok(path)
}

fn segment(parameter: &Parameter, shape: &Shape) -> Result<String, ClientError> {
    let refuse =
        |reason: &str| ClientError::InvalidValue { name: parameter.name.clone(), reason: reason.to_owned() };
    let texts = shape.texts();
    if texts.is_empty() || texts.iter().any(|text| text.is_empty()) {
        return Err(refuse("a path parameter cannot be empty"));
    }
    if texts.iter().any(|text| text.chars().any(char::is_control)) {
        return Err(refuse("a path cannot contain control characters"));
    }
    if texts.iter().any(|text| has_dot_segment(text)) {
        return Err(refuse("a path cannot contain the segments `.` and `..`"));
    }
    Ok(style::path(parameter, shape))
}

/// Whether a text has a dot segment: also percent-encoded, between backslashes, or with path parameters.
pub(super) fn has_dot_segment(text: &str) -> bool {
    let mut text = text.to_owned();
    for _ in 0..DECODINGS {
        let dots = |segment: &str| matches!(segment.split(';').next(), Some("." | ".."));
        if text.split(['/', '\\']).any(dots) {
            return true;
        }
        let decoded = percent_decode_str(&text).decode_utf8_lossy().into_owned();
        if decoded == text {
            return false;
        }
        text = decoded;
    }
    // No legitimate value is encoded this often.
    true
}

/// Checks the path of a raw call, and encodes the characters that a URL cannot contain.
pub(super) fn raw(path: &str) -> Result<String, ClientError> {
    let refuse =
        |reason: &str| ClientError::InvalidValue { name: "path".to_owned(), reason: reason.to_owned() };
    if !path.starts_with('/') {
        return Err(refuse("a path must start with a slash"));
    }
    if path.contains(['?', '#']) {
        return Err(refuse("pass a query with `query`, and write `?` and `#` as %3F and %23"));
    }
    if path.contains('\\') || path.chars().any(char::is_control) {
        return Err(refuse("a path cannot contain backslashes or control characters"));
    }
    if has_dot_segment(path) {
        return Err(refuse("a path cannot contain the segments `.` and `..`"));
    }
    Ok(utf8_percent_encode(path, &NOT_IN_PATHS).to_string())
}

/// The URL of a path and an encoded query below the destination.
pub(super) fn url(destination: &CallDestination, path: &str, query: &str) -> Result<Url, ClientError> {
    let base = &destination.base_url;
    let full = format!("{}{path}", destination.prefix());
    let mark = if query.is_empty() { "" } else { "?" };
    let text = format!("{}{full}{mark}{query}", base.origin().ascii_serialization());
    let stays = |url: &Url| {
        url.path() == full
            && url.query().unwrap_or_default() == query
            && url.fragment().is_none()
            && destination.contains(url)
    };
    Url::parse(&text).ok().filter(stays).ok_or_else(|| ClientError::InvalidValue {
        name: "path".to_owned(),
        reason: "the path would change on its way to the service".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{Location, Style, ValueKind};

    fn parameter(allows_slashes: bool) -> Parameter {
        Parameter {
            name: "id".to_owned(),
            location: Location::Path,
            required: true,
            style: Style::Simple,
            explode: false,
            kind: ValueKind::String,
            allows_slashes,
        }
    }

    fn filled(value: &str, allows_slashes: bool) -> Result<Url, ClientError> {
        let parameter = parameter(allows_slashes);
        let shape = Shape::Scalar(value.to_owned());
        let path = fill("/v3/things/{id}", |_| Some((&parameter, &shape)))?;
        url(&CallDestination::new("https://tacc.tapis.io/base", "tacc", "things").unwrap(), &path, "")
    }

    #[test]
    fn no_spelling_of_a_dot_segment_gets_into_a_path() {
        for value in [
            ".",
            "..",
            "./",
            "../",
            "/..",
            "a/..",
            "a/../b",
            "../../tokens",
            "..\\tokens",
            "a\\..\\b",
            "%2e",
            "%2E%2e",
            ".%2e",
            "%2e%2e/tokens",
            "%2e%2e%2ftokens",
            "%252e%252e",
            "%25252e.",
            "..;/tokens",
            "..;a=b",
            ".;",
            "a/./b",
            "%5c..%5c",
            "%2525252525252e",
        ] {
            for allows_slashes in [false, true] {
                let error = filled(value, allows_slashes).unwrap_err();
                assert!(matches!(error, ClientError::InvalidValue { .. }), "{value} {allows_slashes}");
            }
            let path = format!("/v3/things/{value}");
            assert!(raw(&path).is_err(), "raw {value}");
        }
    }

    #[test]
    fn nothing_empty_and_no_control_character_gets_into_a_path() {
        for value in ["", "\0", "a\nb", "a\r\nHost: evil", "\u{7f}", "\t"] {
            assert!(filled(value, false).is_err() && filled(value, true).is_err(), "{value:?}");
        }
    }

    #[test]
    fn every_other_value_arrives_as_it_is() {
        for value in [
            "a",
            "...",
            "..a",
            ".hidden",
            "a..b",
            "a b",
            "a?b=c",
            "a#b",
            "a/b",
            "//evil.test/x",
            "a//b",
            "/a",
            "100%",
            "%41",
            "ü€😀",
            "a;b",
            "a:b@c",
            "a|b^`{}<>\"",
            "a+b&c=d",
            "'*!()$,~",
        ] {
            let one = filled(value, false).unwrap();
            let last = one.path().strip_prefix("/base/v3/things/").unwrap();
            assert!(!last.contains('/'), "{value}: {last}");
            assert_eq!(percent_decode_str(last).decode_utf8().unwrap(), value);

            let kept = filled(value, true).unwrap();
            let rest = kept.path().strip_prefix("/base/v3/things/").unwrap();
            assert_eq!(rest.matches('/').count(), value.matches('/').count(), "{value}: {rest}");
            assert_eq!(percent_decode_str(rest).decode_utf8().unwrap(), value);
            assert_eq!((kept.host_str(), kept.query(), kept.fragment()), (Some("tacc.tapis.io"), None, None));
        }
    }

    #[test]
    fn a_raw_path_is_absolute_and_has_neither_query_nor_fragment() {
        for bad in ["", "v3/x", "https://evil.test/", "/v3/x?y=z", "/v3/x#y", "/v3\\x", "/v3/\nx"] {
            assert!(raw(bad).is_err(), "{bad}");
        }
        assert_eq!(raw("/v3/a b/%2Fü//c").unwrap(), "/v3/a%20b/%2F%C3%BC//c");
    }

    #[test]
    fn a_template_that_names_an_unknown_parameter_is_an_error_and_no_panic() {
        for template in ["/v3/{x}", "/v3/{x", "/v3/{", "{}"] {
            assert!(fill(template, |_| None).is_err(), "{template}");
        }
        assert_eq!(fill("/v3/x}", |_| None).unwrap(), "/v3/x}");
    }
}
