//! Schemas of envelopes, for `responses(..)`.

use utoipa::{IntoResponses, ToSchema};

/// The schema of an [`Envelope`](tapisservice_core::Envelope) around a `T`: `body = EnvelopeOf<Bookmark>`.
#[derive(Debug, ToSchema)]
#[schema(description = "A success.")]
#[expect(dead_code, reason = "it describes; the envelope itself is what is sent")]
pub struct EnvelopeOf<T> {
    /// What happened, for people.
    message: String,
    /// The result.
    result: T,
    /// `success`.
    #[schema(example = "success")]
    status: String,
    /// The version of the service.
    version: String,
}

/// The schema of the envelope of a failure: `(status = 409, description = "..", body = ErrorEnvelope)`.
///
/// Failures that policies and limits can cause need not be declared: the document has them.
#[derive(Debug, ToSchema)]
#[schema(description = "A failure.")]
#[expect(dead_code, reason = "it describes; the envelope itself is what is sent")]
pub struct ErrorEnvelope {
    /// What went wrong, for people.
    message: String,
    /// Null.
    #[schema(value_type = Option<Object>, required)]
    result: (),
    /// `error`.
    #[schema(example = "error")]
    status: String,
    /// The version of the service.
    version: String,
}

/// The failures of most operations, to be declared by hand: `responses((status = 200, ..), StandardErrors)`.
///
/// Operations that are mounted with [`handlers!`](crate::handlers) do not need it: the document has what follows from their policy and
/// limits. It is for operations that a service documents in another way.
#[derive(Debug, IntoResponses)]
pub enum StandardErrors {
    /// The request is not valid.
    #[response(status = 400)]
    BadRequest(ErrorEnvelope),
    /// There is no valid Tapis access token.
    #[response(status = 401)]
    Unauthorized(ErrorEnvelope),
    /// The caller may not do this.
    #[response(status = 403)]
    Forbidden(ErrorEnvelope),
    /// Something this service depends on is not available. Try again later.
    #[response(status = 503)]
    Unavailable(ErrorEnvelope),
}
