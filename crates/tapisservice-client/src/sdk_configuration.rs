//! Configuration for the official SDK.

use http::Extensions;
use reqwest::{Request, Response};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Middleware, Next};

use crate::call::ResourceClient;

/// Base path and client for the `Configuration` of the official SDK. Leave its own credentials empty.
///
/// Generated paths lack `/v3` where the specification of the service does (`jobs`, `sk`, `pods`, `meta`, and some of `actors` and
/// `streams`). This client adds it, so one base path works for all.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SdkConfiguration {
    /// The base URL, without a slash at its end.
    pub base_path: String,
    /// Adds the credentials, with the retries, timeout and circuit breaker of every call.
    pub client: ClientWithMiddleware,
}

impl SdkConfiguration {
    /// The configuration for calls through `caller`.
    pub fn new(caller: &ResourceClient) -> Self {
        Self {
            base_path: caller.base_url().as_str().trim_end_matches('/').to_owned(),
            client: ClientBuilder::from_client(caller.http_client())
                .with(AddVersion { base: caller.base_url().path().trim_end_matches('/').to_owned() })
                .build(),
        }
    }
}

/// Inserts `/v3` between the base path and a path that lacks it.
struct AddVersion {
    base: String,
}

impl AddVersion {
    fn path(&self, path: &str) -> Option<String> {
        let rest = path.strip_prefix(&self.base).filter(|rest| rest.starts_with('/'))?;
        let versioned = rest == "/v3" || rest.starts_with("/v3/");
        (!versioned).then(|| format!("{}/v3{rest}", self.base))
    }
}

#[async_trait::async_trait]
impl Middleware for AddVersion {
    async fn handle(
        &self,
        mut req: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<Response> {
        if let Some(path) = self.path(req.url().path()) {
            req.url_mut().set_path(&path);
        }
        next.run(req, extensions).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_added_once_and_behind_the_base() {
        let cases = [
            ("", "/v3/systems", None),
            ("", "/v3", None),
            ("", "/jobs/list", Some("/v3/jobs/list")),
            ("", "/v35/list", Some("/v3/v35/list")),
            ("/site", "/site/security/roles", Some("/site/v3/security/roles")),
            ("/site", "/site/v3/systems", None),
            ("/site", "/sitewide", None),
            ("", "/files/a%2Fb", Some("/v3/files/a%2Fb")),
        ];
        for (base, path, expected) in cases {
            assert_eq!(AddVersion { base: base.to_owned() }.path(path).as_deref(), expected, "{base} {path}");
        }
    }
}
