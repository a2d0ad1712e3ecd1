//! A caller of the service.

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::request::TestRequest;

const TOKEN: HeaderName = HeaderName::from_static("x-tapis-token");
const TENANT: HeaderName = HeaderName::from_static("x-tapis-tenant");
const USER: HeaderName = HeaderName::from_static("x-tapis-user");

/// A caller of the service under test, such as [`TestService::alice`](super::TestService::alice). Cheap to clone; it borrows nothing.
///
/// Paths are those of the routes: `/stations`, with a query if there is one.
#[derive(Clone)]
pub struct TestClient {
    http: reqwest::Client,
    base_url: String,
    headers: HeaderMap,
}

impl TestClient {
    pub(super) fn new(http: reqwest::Client, base_url: String) -> Self {
        Self { http, base_url, headers: HeaderMap::new() }
    }

    /// A caller without a token of whatever serves at this URL, such as a process that the test has started. Paths are appended to it.
    pub fn at(base_url: impl Into<String>) -> Self {
        Self::new(http_client(), base_url.into())
    }

    /// With another token, which may be an invalid one.
    ///
    /// # Panics
    ///
    /// When it cannot be sent in a header.
    #[must_use]
    pub fn with_token(self, token: &str) -> Self {
        self.with_header(TOKEN, token)
    }

    /// As a service that acts for a user: with the headers `X-Tapis-Tenant` and `X-Tapis-User`.
    ///
    /// # Panics
    ///
    /// When one of them cannot be sent in a header.
    #[must_use]
    pub fn on_behalf_of(self, tenant: &str, username: &str) -> Self {
        self.with_header(TENANT, tenant).with_header(USER, username)
    }

    fn with_header(mut self, name: HeaderName, value: &str) -> Self {
        let value = HeaderValue::from_str(value);
        self.headers.insert(name, value.expect("a value without control characters"));
        self
    }

    /// The token, if there is one.
    pub fn token(&self) -> Option<&str> {
        self.headers.get_all(TOKEN).iter().next()?.to_str().ok()
    }

    /// The public URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base_url)
    }

    /// A request. It is sent when it is awaited.
    pub fn request(&self, method: Method, path: &str) -> TestRequest {
        TestRequest::new(self.http.request(method, self.url(path)).headers(self.headers.clone()))
    }

    /// GET.
    pub fn get(&self, path: &str) -> TestRequest {
        self.request(Method::GET, path)
    }

    /// POST; most often with [`TestRequest::json`].
    pub fn post(&self, path: &str) -> TestRequest {
        self.request(Method::POST, path)
    }

    /// PUT; most often with [`TestRequest::json`].
    pub fn put(&self, path: &str) -> TestRequest {
        self.request(Method::PUT, path)
    }

    /// PATCH; most often with [`TestRequest::json`].
    pub fn patch(&self, path: &str) -> TestRequest {
        self.request(Method::PATCH, path)
    }

    /// DELETE.
    pub fn delete(&self, path: &str) -> TestRequest {
        self.request(Method::DELETE, path)
    }
}

/// It goes where it is told: neither elsewhere by a redirect nor through a proxy of the environment.
pub(super) fn http_client() -> reqwest::Client {
    #[expect(clippy::disallowed_methods, reason = "the proxies are taken away here")]
    let builder = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    builder.build().expect("a client without settings of its own can be built")
}

impl fmt::Debug for TestClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestClient").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}
