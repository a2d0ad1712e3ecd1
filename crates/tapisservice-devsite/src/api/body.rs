use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use url::form_urlencoded;

use crate::envelope::ApiError;

/// A JSON or form body. Any other media type is read as JSON, as lenient clients expect.
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Response;

    async fn from_request(req: Request, state: &S) -> Result<Self, Response> {
        let form = is_form(&req);
        let bytes = Bytes::from_request(req, state).await.map_err(IntoResponse::into_response)?;
        let parsed = if form { from_form(&bytes) } else { serde_json::from_slice(&bytes) };
        // serde_json's text may quote a value: pass on only the line and column.
        parsed.map(Self).map_err(|error| {
            let place = format!("line {}, column {}", error.line(), error.column());
            ApiError::bad_request(format!("Invalid body ({place}).")).into_response()
        })
    }
}

fn is_form(req: &Request) -> bool {
    let form = "application/x-www-form-urlencoded";
    req.headers().get_all(CONTENT_TYPE).iter().any(|value| value.as_bytes().starts_with(form.as_bytes()))
}

fn from_form<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, serde_json::Error> {
    let pairs = form_urlencoded::parse(bytes);
    let object: Map<_, _> =
        pairs.map(|(name, value)| (name.into_owned(), Value::String(value.into_owned()))).collect();
    serde_json::from_value(Value::Object(object))
}
