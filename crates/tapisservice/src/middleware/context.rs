//! Starts `g` and names the request.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use tapisservice_core::{RequestContext, ServiceInfo, TrackingId};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACKING_ID: HeaderName = HeaderName::from_static("x-tapis-tracking-id");
const USER_TOKEN_HASH: HeaderName = HeaderName::from_static("x-tapis-user-token-hash");

/// The longest request id that is taken from a caller.
const MAX_REQUEST_ID: usize = 64;

/// Creates the request context, as an extension and as the current one of the task, and returns the request id in
/// `X-Request-ID`. Ids that a caller sends are taken over when they are well-formed, else replaced.
pub(crate) async fn provide(
    State(service): State<Arc<ServiceInfo>>,
    mut request: Request,
    next: Next,
) -> Response {
    let headers = request.headers();
    let mut builder = RequestContext::builder(service)
        .tracking_id(only(headers, &TRACKING_ID).and_then(|id| TrackingId::new(id).ok()))
        .user_token_hash(only(headers, &USER_TOKEN_HASH).filter(|hash| !hash.is_empty()).map(str::to_owned))
        .pretty(wants_pretty(request.uri()));
    if let Some(id) = only(headers, &REQUEST_ID).filter(|id| is_request_id(id)) {
        builder = builder.request_id(id);
    }
    let g = builder.build();
    request.extensions_mut().insert(g.clone());
    // `next.run` calls the inner service when it is first polled, so the scope covers that call too.
    let mut response = g.scope(next.run(request)).await;
    if let Ok(id) = HeaderValue::from_str(g.request_id()) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response.extensions_mut().insert(g);
    response
}

/// The value of a header that has exactly one line of visible ASCII.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut lines = headers.get_all(name).iter();
    match (lines.next(), lines.next()) {
        (Some(value), None) => value.to_str().ok().map(str::trim),
        _ => None,
    }
}

fn is_request_id(id: &str) -> bool {
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    !id.is_empty() && id.len() <= MAX_REQUEST_ID && id.bytes().all(good)
}

fn wants_pretty(uri: &Uri) -> bool {
    uri.query().is_some_and(|query| query.split('&').any(|pair| pair.eq_ignore_ascii_case("pretty=true")))
}
