//! JSON bodies.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, Request};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use serde::de::DeserializeOwned;
use tapisservice_core::{Error, ErrorKind};

use super::message;
use super::objects::Objects;
use crate::middleware::body_limit::Failure;

/// The JSON body of a request.
///
/// The rejection is 415 when `Content-Type` is not JSON, 413 when the body is too large, 408 when it does not arrive in time, and 400 with
/// a JSON pointer (RFC 6901) when it is not a `T`. A struct is deserialized only from an object.
#[derive(Debug, Clone, Copy, Default)]
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        if !has_json_content_type(request.headers()) {
            let message = "The Content-Type of the body must be application/json.";
            return Err(Error::new(ErrorKind::UnsupportedMediaType, message));
        }
        let body = Bytes::from_request(request, state).await.map_err(refused)?;
        parse(&body).map(Self)
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(Objects(&mut deserializer)).map_err(|error| {
        let (pointer, cause) = (message::pointer(error.path()), error.into_inner());
        if cause.is_data() {
            let place = if pointer.is_empty() {
                "Invalid body".to_owned()
            } else {
                format!("Invalid value at {pointer:?}")
            };
            Error::bad_input(format!("{place}: {}.", message::expected(&cause.to_string())))
        } else {
            not_json(&cause)
        }
    })?;
    deserializer.end().map_err(|error| not_json(&error))?;
    Ok(value)
}

fn not_json(error: &serde_json::Error) -> Error {
    Error::bad_input(format!("The body is not valid JSON: line {}, column {}.", error.line(), error.column()))
}

/// Whether the media type is JSON, whatever its parameters.
fn has_json_content_type(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (types.next(), types.next()) else { return false };
    let essence =
        value.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

fn refused(rejection: BytesRejection) -> Error {
    Failure::find(&rejection).unwrap_or(Failure::Broken).to_error().with_source(rejection)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[expect(dead_code, reason = "only parsing is tested")]
    struct Item {
        name: String,
        tags: Vec<u8>,
    }

    #[test]
    fn a_fault_is_named_by_its_place() {
        let cases = [
            (r#"{"name": 5, "tags": []}"#, r#"Invalid value at "/name": expected a string."#),
            (
                r#"{"name": "canary", "tags": [1, "canary"]}"#,
                r#"Invalid value at "/tags/1": expected a whole number from 0 to 255."#,
            ),
            (r#"["x", []]"#, "Invalid body: expected an object."),
            (r#"{"name": "x"}"#, "Invalid body: missing field `tags`."),
            ("{nope", "The body is not valid JSON: line 1, column 2."),
            ("", "The body is not valid JSON: line 1, column 0."),
            (r#"{"name": "x", "tags": []} x"#, "The body is not valid JSON: line 1, column 27."),
        ];
        for (body, message) in cases {
            assert_eq!(parse::<Item>(body.as_bytes()).unwrap_err().message(), message, "{body}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_an_item_or_a_400(body in proptest::collection::vec(proptest::num::u8::ANY, 0..60)) {
            if let Err(error) = parse::<Item>(&body) {
                proptest::prop_assert_eq!(error.status(), 400);
            }
        }
    }
}
