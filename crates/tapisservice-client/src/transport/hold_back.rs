//! The link of the chain that asks the circuit breaker.

use std::sync::Arc;

use http::Extensions;
use reqwest::{Request, Response};
use reqwest_middleware::{Error, Middleware, Next, Result};

use super::Failed;
use super::breaker::{Breaker, Outcome};
use crate::ClientError;

/// No connection, a timeout and 502, 503, 504 are failures. A 4xx is an answer, and so is a 500: one operation may be broken where
/// the others work.
fn judge(outcome: &Result<Response>) -> Outcome {
    match outcome {
        Ok(response) if matches!(response.status().as_u16(), 502..=504) => Outcome::Failed,
        Ok(_) => Outcome::Answered,
        Err(Error::Reqwest(e)) if e.is_connect() || e.is_request() || e.is_timeout() => Outcome::Failed,
        Err(Error::Reqwest(_)) => Outcome::Nothing,
        Err(Error::Middleware(any)) => match any.downcast_ref() {
            Some(ClientError::Connection { .. }) => Outcome::Failed,
            Some(ClientError::Answer { .. }) => Outcome::Answered,
            _ => Outcome::Nothing,
        },
    }
}

/// Asks the breaker before the call and tells it the outcome.
pub(super) struct HoldBack(pub(super) Arc<Breaker>);

#[async_trait::async_trait]
impl Middleware for HoldBack {
    async fn handle(&self, req: Request, extensions: &mut Extensions, next: Next<'_>) -> Result<Response> {
        let permit = self.0.admit().map_err(|retry_after| {
            let (site, service) = (self.0.site.clone(), self.0.service.clone());
            ClientError::CircuitOpen { site, service, retry_after }.failed()
        })?;
        let outcome = next.run(req, extensions).await;
        permit.settle(judge(&outcome));
        outcome
    }
}
