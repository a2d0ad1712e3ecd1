//! How long a target may be, and how long a request may take.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use tapisservice_core::{Error, ErrorKind};

use super::deadline::Deadline;
use crate::serve::{Limits, uri_too_long};

/// Answers 414 to a target that is too long and 504 when the answer takes too long, unless the route has a limit of its own
/// ([`RequestTimeoutLayer`](super::deadline::RequestTimeoutLayer)). The size of a body is limited where it is read, so that a
/// route can have a limit of its own there too.
pub(crate) async fn enforce(State(limits): State<Limits>, mut request: Request, next: Next) -> Response {
    if uri_too_long(request.uri(), &limits) {
        let message = format!("The target of the request is longer than {} bytes.", limits.max_uri_bytes);
        return Error::new(ErrorKind::TooLarge, message).with_code(StatusCode::URI_TOO_LONG).into_response();
    }
    let deadline = Deadline::after(limits.request_timeout);
    request.extensions_mut().insert(deadline.clone());
    deadline.bound(next.run(request)).await.unwrap_or_else(|limit| {
        let message = format!("The service took longer than {} s.", limit.as_secs_f64());
        Error::new(ErrorKind::Timeout, message).into_response()
    })
}
