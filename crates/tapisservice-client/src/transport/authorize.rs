//! Adds the credentials.

use std::sync::Arc;

use http::header::AUTHORIZATION;
use http::{Extensions, HeaderMap, HeaderName, StatusCode};
use reqwest::{Request, Response};
use reqwest_middleware::{Middleware, Next, Result};

use super::Failed;
use crate::{ClientError, Credentials};

/// Sets the credentials of each attempt, in place of any others. After the first 401 of a call the token is renewed and the request is
/// sent once more, whatever its method, if its body can be sent again: after a 401 nothing was done.
pub(super) struct Authorize(pub(super) Arc<dyn Credentials>);

/// Marks a call that has had its 401.
#[derive(Clone, Copy)]
struct Refused;

/// The headers that identify the caller.
const IDENTITY: [HeaderName; 4] = [
    AUTHORIZATION,
    HeaderName::from_static("x-tapis-token"),
    HeaderName::from_static("x-tapis-tenant"),
    HeaderName::from_static("x-tapis-user"),
];

impl Authorize {
    async fn sign(&self, req: &mut Request) -> Result<HeaderMap> {
        let fields = self.0.headers().await.map_err(Failed::failed)?;
        if fields.is_empty() {
            let reason = "the credentials are empty".to_owned();
            return Err(ClientError::Credentials { reason, temporary: false }.failed());
        }
        let headers = req.headers_mut();
        for name in &IDENTITY {
            headers.remove(name);
        }
        for (name, value) in &fields {
            let mut value = value.clone();
            value.set_sensitive(true);
            headers.insert(name.clone(), value);
        }
        Ok(fields)
    }
}

#[async_trait::async_trait]
impl Middleware for Authorize {
    async fn handle(
        &self,
        mut req: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response> {
        let sent = self.sign(&mut req).await?;
        let retry_request = req.try_clone();
        let response = next.clone().run(req, extensions).await?;
        if response.status() != StatusCode::UNAUTHORIZED || extensions.insert(Refused).is_some() {
            return Ok(response);
        }
        // Also when the request cannot be sent again: the next one should have a valid token.
        let renewed = self.0.renew(&sent).await;
        match (renewed, retry_request) {
            (Ok(true), Some(mut again)) => {
                self.sign(&mut again).await?;
                next.run(again, extensions).await
            }
            (Err(error), Some(_)) => Err(error.failed()),
            (_, _) => Ok(response),
        }
    }
}
