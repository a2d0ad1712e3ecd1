//! The envelope of responses (docs/PROTOCOL.md, section 4).

use std::borrow::Cow;

use axum_core::body::Body;
use axum_core::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{Error, RequestContext};

/// The message of a successful response that sets no other.
pub const DEFAULT_MESSAGE: &str = "The request was successful";

/// The media type of an envelope. It has no charset parameter, because clients compare it literally.
pub const JSON_MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/json");

/// Initial capacity: enough for a typical response, so that the buffer does not grow while it is written. That saves
/// 9 % of a request with a known token.
const USUAL_BYTES: usize = 1024;

/// The fifth stanza: an object about the result (`recordCount`, `totalCount`, ...).
pub type Metadata = Map<String, Value>;

/// A response extension of errors: the body already is an envelope.
#[derive(Debug, Clone, Copy)]
pub struct Enveloped;

/// How a response is formatted, by the request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResponseFormat {
    /// The `version` stanza.
    pub version: String,
    /// Whether the JSON is indented (`?pretty=true`).
    pub pretty: bool,
}

impl ResponseFormat {
    /// The format for the current request; the default outside a request.
    pub fn current() -> Self {
        RequestContext::current().map_or_else(|_| Self::default(), |g| Self::for_request(&g))
    }

    /// The format for the request of `g`.
    pub fn for_request(g: &RequestContext) -> Self {
        Self { version: g.service().version.clone(), pretty: g.pretty() }
    }
}

/// A successful response: `message`, `result`, `status`, `version` and, if set, `metadata`.
///
/// ```
/// use tapisservice_core::Envelope;
///
/// let answer = Envelope::new(vec!["a", "b"]).with_message("two things");
/// let text = String::from_utf8(answer.to_bytes(&Default::default()).unwrap()).unwrap();
/// assert_eq!(text, r#"{"message":"two things","result":["a","b"],"status":"success","version":""}"#);
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Envelope<T> {
    message: Cow<'static, str>,
    result: T,
    metadata: Option<Metadata>,
    status: StatusCode,
}

#[derive(Serialize)]
struct Stanzas<'a, T> {
    message: &'a str,
    result: &'a T,
    status: &'static str,
    version: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<&'a Metadata>,
}

impl<T: Serialize> Envelope<T> {
    /// A 200 with the default message.
    pub fn new(result: T) -> Self {
        Self { message: DEFAULT_MESSAGE.into(), result, metadata: None, status: StatusCode::OK }
    }

    /// A 201 for a created resource.
    pub fn created(result: T) -> Self {
        Self::new(result).with_status(StatusCode::CREATED)
    }

    /// Replaces the message.
    pub fn with_message(mut self, message: impl Into<Cow<'static, str>>) -> Self {
        self.message = message.into();
        self
    }

    /// Adds the fifth stanza.
    pub fn with_metadata(mut self, metadata: Metadata) -> Self {
        self.metadata = Some(metadata);
        self
    }

    /// Replaces the HTTP status, which should be a success.
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// The response as JSON.
    ///
    /// # Errors
    ///
    /// When `T` does not serialize.
    pub fn to_bytes(&self, shape: &ResponseFormat) -> Result<Vec<u8>, serde_json::Error> {
        self.write(&shape.version, shape.pretty)
    }

    fn write(&self, version: &str, pretty: bool) -> Result<Vec<u8>, serde_json::Error> {
        write(
            &Stanzas {
                message: &self.message,
                result: &self.result,
                status: "success",
                version,
                metadata: self.metadata.as_ref(),
            },
            pretty,
        )
    }
}

impl<T: Serialize> IntoResponse for Envelope<T> {
    fn into_response(self) -> Response {
        let body = match RequestContext::current() {
            Ok(g) => self.write(&g.service().version, g.pretty()),
            Err(_) => self.write("", false),
        };
        match body {
            Ok(body) => json_response(self.status, body),
            Err(error) => Error::from(error).into_response(),
        }
    }
}

/// The error envelope: `result` is null.
pub(crate) fn error_bytes(message: &str, metadata: Option<&Metadata>, shape: &ResponseFormat) -> Vec<u8> {
    let stanzas = Stanzas { message, result: &(), status: "error", version: &shape.version, metadata };
    write(&stanzas, shape.pretty).expect("strings, null and JSON values always serialize")
}

fn json_response(status: StatusCode, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, JSON_MEDIA_TYPE);
    if status.is_client_error() || status.is_server_error() {
        response.extensions_mut().insert(Enveloped);
    }
    response
}

fn write<T: Serialize>(stanzas: &Stanzas<'_, T>, pretty: bool) -> Result<Vec<u8>, serde_json::Error> {
    let mut body = Vec::with_capacity(USUAL_BYTES);
    if pretty {
        serde_json::to_writer_pretty(&mut body, stanzas)?;
        body.push(b'\n');
    } else {
        serde_json::to_writer(&mut body, stanzas)?;
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_there_only_when_supplied() {
        let metadata = Metadata::from_iter([("count".to_owned(), 2.into())]);
        let with = Envelope::new(()).with_metadata(metadata).to_bytes(&ResponseFormat::default()).unwrap();
        assert!(String::from_utf8(with).unwrap().ends_with(r#""metadata":{"count":2}}"#));
    }

    #[test]
    fn pretty_is_indented() {
        let shape = ResponseFormat { version: "1".into(), pretty: true };
        let text = Envelope::new(()).to_bytes(&shape).unwrap();
        assert!(text.starts_with(b"{\n  \"message\""));
        assert!(error_bytes("no", None, &shape).starts_with(b"{\n"));
    }

    #[test]
    fn the_media_type_has_no_charset() {
        let response = Envelope::new(1).into_response();
        assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
    }
}
