//! An error as a response.

use std::sync::Arc;

use axum_core::body::Body;
use axum_core::response::{IntoResponse, Response};
use http::header::{self, CONTENT_RANGE, HeaderMap, HeaderName, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};

use super::Error;
use crate::ResponseFormat;
use crate::envelope::{Enveloped, JSON_MEDIA_TYPE, Metadata, error_bytes};

/// The `WWW-Authenticate` challenge of a 401 (RFC 9110, 11.6.1).
const CHALLENGE: HeaderValue = HeaderValue::from_static("TapisJWT realm=\"tapis\"");

/// Headers that describe the original body, which the envelope replaces (RFC 9110, 8; RFC 9112, 6; RFC 9530).
const BODY_HEADERS: [HeaderName; 8] = [
    header::CONTENT_TYPE,
    header::CONTENT_LENGTH,
    header::CONTENT_ENCODING,
    header::CONTENT_LANGUAGE,
    header::TRANSFER_ENCODING,
    header::TRAILER,
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("repr-digest"),
];

/// A response extension: the error that a response was rendered from, for the error mapper.
#[derive(Debug, Clone)]
pub struct ErrorReport(pub Arc<Error>);

impl Error {
    /// The response to the caller: the envelope with `message`, the headers of this error and those required by `status`.
    pub fn render(&self, status: StatusCode, message: &str, shape: &ResponseFormat) -> Response {
        self.render_over(Response::default(), status, message, shape)
    }

    /// As [`render`](Self::render), but keeps the extensions and headers of `response`, except for headers that describe its
    /// body. A response that was rendered from an error already has that error's headers, and layers may have changed
    /// them: they stay unchanged.
    pub fn render_over(
        &self,
        response: Response,
        status: StatusCode,
        message: &str,
        shape: &ResponseFormat,
    ) -> Response {
        let (mut parts, _) = response.into_parts();
        drop_body_headers(&mut parts.headers, status);
        if parts.status != status {
            // The challenge of the first rendering belongs to a 401 only.
            parts.headers.remove(WWW_AUTHENTICATE);
        }
        if parts.extensions.get::<ErrorReport>().is_none() {
            parts.headers.extend(self.headers().clone());
            drop_body_headers(&mut parts.headers, status);
        }
        parts.status = status;
        self.set_headers(&mut parts.headers, status);
        parts.extensions.insert(Enveloped);
        let body = error_bytes(message, self.metadata_with_code().as_ref(), shape);
        Response::from_parts(parts, Body::from(body))
    }

    fn set_headers(&self, headers: &mut HeaderMap, status: StatusCode) {
        headers.insert(header::CONTENT_TYPE, JSON_MEDIA_TYPE);
        if status == StatusCode::UNAUTHORIZED {
            headers.entry(WWW_AUTHENTICATE).or_insert(CHALLENGE);
        }
        if status == StatusCode::SERVICE_UNAVAILABLE || self.has_retry_after() {
            headers.entry(RETRY_AFTER).or_insert_with(|| self.retry_after_seconds());
        }
    }

    fn metadata_with_code(&self) -> Option<Metadata> {
        let code = self.code().map(|code| ("code".to_owned(), code.into()));
        match (self.metadata().cloned(), code) {
            (None, None) => None,
            (metadata, code) => {
                let mut metadata = metadata.unwrap_or_default();
                metadata.extend(code);
                Some(metadata)
            }
        }
    }
}

/// A 416 keeps `Content-Range`, which states the length of the resource (RFC 9110, 15.5.17).
fn drop_body_headers(headers: &mut HeaderMap, status: StatusCode) {
    for name in BODY_HEADERS {
        headers.remove(name);
    }
    if status != StatusCode::RANGE_NOT_SATISFIABLE {
        headers.remove(CONTENT_RANGE);
    }
}

/// A complete envelope. The error mapper renders it again with the configuration.
impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let mut response = self.render(self.status(), self.message(), &ResponseFormat::current());
        response.extensions_mut().insert(ErrorReport(Arc::new(self)));
        response
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE, SET_COOKIE};

    use super::*;

    #[test]
    fn refusals_carry_the_headers_of_their_status() {
        let response = Error::no_token("x").into_response();
        assert!(response.headers()[WWW_AUTHENTICATE].to_str().unwrap().starts_with("TapisJWT"));
        let busy = Error::unavailable("x").with_retry_after(Duration::from_millis(1200)).into_response();
        assert_eq!(busy.headers()[RETRY_AFTER], "2");
        let never = Error::unavailable("x").with_retry_after(Duration::MAX).into_response();
        assert_eq!(never.headers()[RETRY_AFTER], u64::MAX.to_string());
    }

    #[test]
    fn headers_of_an_error_are_sent_but_for_those_that_describe_a_body() {
        let error = Error::permissions("x")
            .with_header(SET_COOKIE, HeaderValue::from_static("a=1"))
            .with_header(SET_COOKIE, HeaderValue::from_static("b=2"))
            .with_header(CONTENT_LENGTH, HeaderValue::from_static("4711"))
            .with_header(CONTENT_TYPE, HeaderValue::from_static("text/html"))
            .with_header(CONTENT_RANGE, HeaderValue::from_static("bytes */9"));
        let headers = error.clone().into_response().headers().clone();
        assert_eq!(headers.get_all(SET_COOKIE).iter().collect::<Vec<_>>(), ["a=1", "b=2"]);
        assert_eq!(headers[CONTENT_TYPE], "application/json");
        assert!(!headers.contains_key(CONTENT_LENGTH) && !headers.contains_key(CONTENT_RANGE), "{headers:?}");
        let unsatisfiable = error.with_status(StatusCode::RANGE_NOT_SATISFIABLE).into_response();
        assert_eq!(unsatisfiable.headers()[CONTENT_RANGE], "bytes */9");
    }

    #[test]
    fn rendering_over_a_response_keeps_what_others_put_on_it() {
        #[derive(Clone)]
        struct Note;
        let mut response = Error::no_token("x").into_response();
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET"));
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("9"));
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("4711"));
        response.extensions_mut().insert(Note);
        let shape = ResponseFormat::default();
        let again = |response, status| Error::unavailable("y").render_over(response, status, "y", &shape);
        let unavailable = again(response, StatusCode::SERVICE_UNAVAILABLE);
        let headers = unavailable.headers();
        assert_eq!(
            (&headers[ALLOW], &headers[RETRY_AFTER]),
            (&"GET".parse().unwrap(), &"9".parse().unwrap())
        );
        assert!(
            !headers.contains_key(CONTENT_LENGTH) && !headers.contains_key(WWW_AUTHENTICATE),
            "{headers:?}"
        );
        assert!(unavailable.extensions().get::<Note>().is_some());
    }

    #[test]
    fn headers_that_a_layer_changed_after_the_first_rendering_stay_changed() {
        let error = Error::base("x")
            .with_header(SET_COOKIE, HeaderValue::from_static("error=1"))
            .with_header(ALLOW, HeaderValue::from_static("GET"));
        let mut response = error.clone().into_response();
        response.headers_mut().append(SET_COOKIE, HeaderValue::from_static("layer=1"));
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("PUT"));
        let again = error.render_over(response, error.status(), "x", &ResponseFormat::default());
        assert_eq!(again.headers().get_all(SET_COOKIE).iter().collect::<Vec<_>>(), ["error=1", "layer=1"]);
        assert_eq!(again.headers().get_all(ALLOW).iter().collect::<Vec<_>>(), ["PUT"]);
    }

    #[test]
    fn a_challenge_of_the_authors_own_goes_when_the_status_becomes_another() {
        let error =
            Error::authentication("x").with_header(WWW_AUTHENTICATE, HeaderValue::from_static("Basic"));
        let response = error.clone().into_response();
        assert_eq!(response.headers()[WWW_AUTHENTICATE], "Basic");
        let legacy = error.render_over(response, error.legacy_status(), "x", &ResponseFormat::default());
        assert_eq!(
            (legacy.status(), legacy.headers().contains_key(WWW_AUTHENTICATE)),
            (StatusCode::BAD_REQUEST, false)
        );
    }

    #[test]
    fn retry_after_is_sent_with_any_status_that_says_it() {
        let busy = Error::base("x").with_status(StatusCode::TOO_MANY_REQUESTS);
        assert!(!busy.clone().into_response().headers().contains_key(RETRY_AFTER));
        let busy = busy.with_retry_after(Duration::from_secs(30)).into_response();
        assert_eq!(busy.headers()[RETRY_AFTER], "30");
    }

    #[test]
    fn a_code_and_metadata_are_the_fifth_stanza() {
        let body = |error: &Error| {
            let bytes =
                error_bytes(error.message(), error.metadata_with_code().as_ref(), &ResponseFormat::default());
            serde_json::from_slice::<serde_json::Value>(&bytes).unwrap()["metadata"].clone()
        };
        let plain = Error::conflict("x");
        assert_eq!(body(&plain), serde_json::Value::Null);
        assert_eq!(body(&plain.clone().with_code("")), serde_json::Value::Null);
        let coded = plain.with_code("quota_exceeded");
        assert_eq!(body(&coded), serde_json::json!({"code": "quota_exceeded"}));
        let full = coded.with_metadata(Metadata::from_iter([("limit".to_owned(), 12.into())]));
        assert_eq!(body(&full), serde_json::json!({"limit": 12, "code": "quota_exceeded"}));
    }
}
