//! `g` and the identity as extractors.

use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;

use crate::{Error, Identity, MissingContext, RequestContext};

impl<S: Send + Sync> FromRequestParts<S> for RequestContext {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| MissingContext.into())
    }
}

/// Rejects a request without an identity with 401.
impl<S: Send + Sync> FromRequestParts<S> for Identity {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let g = RequestContext::from_request_parts(parts, state).await?;
        g.identity().cloned().ok_or_else(|| Error::no_token("No Tapis access token found in the request."))
    }
}

/// `Option<Identity>`: `None` for an anonymous request.
impl<S: Send + Sync> OptionalFromRequestParts<S> for Identity {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, Error> {
        let g = RequestContext::from_request_parts(parts, state).await?;
        Ok(g.identity().cloned())
    }
}
