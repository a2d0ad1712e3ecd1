//! A response of the service.

use http::{HeaderMap, StatusCode};
use serde_json::Value;

/// A response of the service under test, read whole.
#[derive(Debug, Clone)]
pub struct TestResponse {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl TestResponse {
    pub(super) async fn read(request: reqwest::RequestBuilder) -> Result<Self, reqwest::Error> {
        let response = request.send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        Ok(Self { status, headers, text: response.text().await? })
    }

    /// The status. It compares with a number: `assert_eq!(response.status(), 201)`.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The first header of this name, if there is one.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get_all(name).iter().next()?.to_str().ok()
    }

    /// The body as text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The body as JSON: the envelope.
    ///
    /// # Panics
    ///
    /// When it is not JSON.
    #[track_caller]
    pub fn body(&self) -> Value {
        let Ok(body) = serde_json::from_str(&self.text) else {
            panic!("no JSON: {} {}", self.status, self.text)
        };
        body
    }

    /// The `result` in the envelope; null if there is none.
    ///
    /// # Panics
    ///
    /// When the body is not JSON.
    #[track_caller]
    pub fn result(&self) -> Value {
        self.body()["result"].take()
    }

    /// The `metadata` in the envelope; null if there is none.
    ///
    /// # Panics
    ///
    /// When the body is not JSON.
    #[track_caller]
    pub fn metadata(&self) -> Value {
        self.body()["metadata"].take()
    }

    /// The `message` in the envelope.
    ///
    /// # Panics
    ///
    /// When there is none.
    #[track_caller]
    pub fn message(&self) -> String {
        match self.body()["message"].take() {
            Value::String(message) => message,
            _ => panic!("no message: {} {}", self.status, self.text),
        }
    }

    /// Asserts that the status is 200, 201 or another success.
    ///
    /// # Panics
    ///
    /// When it is not, with the body.
    #[track_caller]
    pub fn assert_ok(&self) -> &Self {
        assert!(self.status.is_success(), "expected a success, got {} {}", self.status, self.text);
        self
    }

    /// Asserts that the status is this one.
    ///
    /// # Panics
    ///
    /// When it is not, with the body.
    #[track_caller]
    pub fn assert_status(&self, status: u16) -> &Self {
        assert!(self.status == status, "expected {status}, got {} {}", self.status, self.text);
        self
    }

    /// Asserts that it is an error envelope with this status and message, and without a result.
    ///
    /// # Panics
    ///
    /// When it is not.
    #[track_caller]
    pub fn assert_error(&self, status: u16, message: &str) -> &Self {
        let body = self.body();
        let expected = (status, Some(message), Some("error"));
        let got = (self.status.as_u16(), body["message"].as_str(), body["status"].as_str());
        assert_eq!(got, expected, "{}", self.text);
        assert!(body["result"].is_null(), "an error without a result: {}", self.text);
        self
    }
}
