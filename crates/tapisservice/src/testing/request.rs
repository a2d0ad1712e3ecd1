//! A request to the service.

use std::fmt;
use std::pin::Pin;

use serde::Serialize;

use super::response::TestResponse;

/// A request to the service under test. It is sent when it is awaited.
///
/// ```
/// use serde_json::json;
/// use tapisservice::testing::TestClient;
///
/// # async fn demo(alice: TestClient) {
/// let response = alice.post("/stations").json(&json!({"name": "roof"})).await;
/// response.assert_status(201);
/// # }
/// ```
#[must_use = "a request is sent when it is awaited"]
pub struct TestRequest(reqwest::RequestBuilder);

impl TestRequest {
    pub(super) fn new(request: reqwest::RequestBuilder) -> Self {
        Self(request)
    }

    /// Adds a header, beside those of the caller.
    pub fn header(self, name: &str, value: impl AsRef<str>) -> Self {
        Self(self.0.header(name, value.as_ref()))
    }

    /// Sets the body, as JSON.
    pub fn json(self, body: &impl Serialize) -> Self {
        Self(self.0.json(body))
    }

    /// Sets the body: text or bytes. Say what it is with the header `Content-Type`.
    pub fn body(self, body: impl Into<Vec<u8>>) -> Self {
        Self(self.0.body(body.into()))
    }
}

impl IntoFuture for TestRequest {
    type Output = TestResponse;
    type IntoFuture = Pin<Box<dyn Future<Output = TestResponse> + Send>>;

    /// Sends the request and reads the whole response.
    ///
    /// # Panics
    ///
    /// When there is no response.
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async {
            match TestResponse::read(self.0).await {
                Ok(response) => response,
                Err(error) => panic!("no response: {error:?}"),
            }
        })
    }
}

impl fmt::Debug for TestRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Its headers hold the token.
        f.debug_struct("TestRequest").finish_non_exhaustive()
    }
}
