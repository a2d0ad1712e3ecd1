//! Follows redirects within the destination.

use std::sync::Arc;

use http::header::LOCATION;
use http::{Extensions, Method};
use reqwest::{Request, Response};
use reqwest_middleware::{Middleware, Next, Result};
use tokio::time::Instant;
use url::Url;

use super::deadline::EndsAt;
use super::{CallDestination, Failed, redacted};
use crate::ClientError;

/// How many redirects of one request are followed.
const MOST: usize = 3;

/// Follows redirects of `GET` and `HEAD` below the destination. A redirect elsewhere is an error, because it would carry `X-Tapis-Token`
/// along. For other methods a redirect is returned like any other response.
pub(super) struct Redirect(pub(super) Arc<CallDestination>);

impl Redirect {
    fn target(&self, method: &Method, from: &Url, response: &Response) -> Result<Option<Url>> {
        let redirects = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
        if !redirects || !matches!(*method, Method::GET | Method::HEAD) {
            return Ok(None);
        }
        let location = response.headers().get_all(LOCATION).iter().next();
        let target = location.and_then(|l| l.to_str().ok()).and_then(|l| from.join(l).ok());
        match target {
            Some(url) if self.0.contains(&url) => Ok(Some(url)),
            Some(_) => Err(refusal(method, from, "a redirect to another origin is not followed")),
            None => Err(refusal(method, from, "a redirect has no valid Location")),
        }
    }
}

fn refusal(method: &Method, url: &Url, reason: &str) -> reqwest_middleware::Error {
    ClientError::InvalidResponse { method: method.clone(), url: redacted(url), reason: reason.to_owned() }
        .failed()
}

#[async_trait::async_trait]
impl Middleware for Redirect {
    async fn handle(
        &self,
        mut req: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response> {
        if let Some(end) = extensions.get::<EndsAt>().filter(|end| end.with_body) {
            *req.timeout_mut() = Some(end.instant.saturating_duration_since(Instant::now()));
        }
        let (method, mut from) = (req.method().clone(), req.url().clone());
        for _ in 0..=MOST {
            let next_request =
                if matches!(method, Method::GET | Method::HEAD) { req.try_clone() } else { None };
            let response = next.clone().run(req, extensions).await?;
            let (Some(target), Some(mut again)) = (self.target(&method, &from, &response)?, next_request)
            else {
                return Ok(response);
            };
            from = target.clone();
            *again.url_mut() = target;
            req = again;
        }
        Err(refusal(&method, &from, "too many redirects"))
    }
}
