//! Keeps requests within the destination.

use std::sync::Arc;

use http::Extensions;
use reqwest::{Request, Response};
use reqwest_middleware::{Middleware, Next, Result};

use super::{CallDestination, Failed, redacted};
use crate::{ClientError, SetupError};

/// Rejects a request outside of the destination, before credentials are added.
pub(super) struct Guard(pub(super) Arc<CallDestination>);

#[async_trait::async_trait]
impl Middleware for Guard {
    async fn handle(&self, req: Request, extensions: &mut Extensions, next: Next<'_>) -> Result<Response> {
        if self.0.contains(req.url()) {
            return next.run(req, extensions).await;
        }
        let (url, base_url) = (redacted(req.url()), redacted(&self.0.base_url));
        Err(ClientError::from(SetupError::OutsideDestination { url, base_url }).failed())
    }
}
