use std::convert::Infallible;
use std::io;
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::header::{CONTENT_TYPE, HeaderValue, LOCATION};
use http::{Method, StatusCode};
use http_body_util::BodyExt;
use parking_lot::Mutex;

use crate::envelope::ApiError;

/// An injected fault: see [`DevSite::inject_fault`](crate::DevSite::inject_fault).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum InjectedFault {
    /// An error envelope with this status (500 if the number is not a status).
    Status(u16),
    /// Status 200 and an HTML page, as a captive portal sends.
    Html,
    /// Status 302 to this address.
    Redirect(String),
    /// A response of your choice.
    Response {
        /// The status (500 if the number is not a status).
        status: u16,
        /// The media type (dropped if it is not visible ASCII).
        content_type: String,
        /// The body.
        body: Bytes,
    },
    /// The real response, but the connection closes in the middle of its body.
    Truncated,
    /// The real response, after this delay.
    Slow(Duration),
    /// The real response, with one byte of its body per interval.
    Drip(Duration),
    /// No response at all.
    Hang,
    /// The connection closes without a response.
    Disconnect,
}

/// Closes the connection without a response.
#[derive(Debug, thiserror::Error)]
#[error("disconnected by a fault")]
pub(crate) struct Disconnected;

impl InjectedFault {
    /// The response with this fault; `serve` produces the real one.
    pub(crate) async fn respond<F: Future<Output = Response>>(
        self,
        serve: F,
    ) -> Result<Response, Disconnected> {
        Ok(match self {
            Self::Status(code) => ApiError::new(status(code), "Injected fault.").into_response(),
            Self::Html => page(StatusCode::OK, "text/html", "<!DOCTYPE html><title>Oops</title>".into()),
            Self::Redirect(target) => redirect(&target),
            Self::Response { status: code, content_type, body } => page(status(code), &content_type, body),
            Self::Truncated => truncated(serve.await).await,
            Self::Slow(delay) => {
                tokio::time::sleep(delay).await;
                serve.await
            }
            Self::Drip(pause) => throttled(serve.await, pause).await,
            Self::Hang => std::future::pending().await,
            Self::Disconnect => return Err(Disconnected),
        })
    }
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn page(status: StatusCode, content_type: &str, body: Bytes) -> Response {
    let mut res = Response::new(Body::from(body));
    *res.status_mut() = status;
    if let Ok(value) = HeaderValue::from_str(content_type) {
        res.headers_mut().insert(CONTENT_TYPE, value);
    }
    res
}

fn redirect(target: &str) -> Response {
    let mut res = StatusCode::FOUND.into_response();
    if let Ok(value) = HeaderValue::from_str(target) {
        res.headers_mut().insert(LOCATION, value);
    }
    res
}

/// Declares the length of the whole body and fails after half of it.
async fn truncated(res: Response) -> Response {
    with_full_body(res, |bytes| {
        let half = bytes.slice(..bytes.len() / 2);
        let end = async {
            // Yield once so that hyper writes what it has: it discards that when the body fails.
            tokio::task::yield_now().await;
            Err(io::Error::from(io::ErrorKind::UnexpectedEof))
        };
        Body::from_stream(stream::once(async { Ok(half) }).chain(stream::once(end)))
    })
    .await
}

async fn throttled(res: Response, pause: Duration) -> Response {
    with_full_body(res, move |bytes| {
        Body::from_stream(stream::unfold(bytes, move |mut rest| async move {
            if rest.is_empty() {
                return None;
            }
            tokio::time::sleep(pause).await;
            Some((Ok::<_, Infallible>(rest.split_to(1)), rest))
        }))
    })
    .await
}

/// The response with a new body, and the `Content-Length` of the real one.
async fn with_full_body(res: Response, remake: impl FnOnce(Bytes) -> Body) -> Response {
    let (mut parts, body) = res.into_parts();
    let bytes = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    parts.headers.insert(http::header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    Response::from_parts(parts, remake(bytes))
}

#[derive(Debug)]
struct Planned {
    request: String,
    fault: InjectedFault,
    /// How many times are left; `None` for no limit.
    left: Option<u32>,
}

/// The active faults, at most one per prefix.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<Vec<Planned>>);

impl Faults {
    pub(crate) fn set(&self, request: &str, fault: InjectedFault, left: Option<u32>) {
        let mut all = self.0.lock();
        all.retain(|planned| planned.request != request);
        all.push(Planned { request: request.to_owned(), fault, left });
    }

    pub(crate) fn clear(&self) {
        self.0.lock().clear();
    }

    /// The fault for this request, by the longest prefix.
    pub(crate) fn trigger(&self, method: &Method, path: &str) -> Option<InjectedFault> {
        let mut all = self.0.lock();
        let matching = all
            .iter_mut()
            .filter(|planned| planned.left != Some(0) && matches(&planned.request, method, path));
        let planned = matching.max_by_key(|planned| planned.request.len())?;
        planned.left = planned.left.map(|left| left - 1);
        Some(planned.fault.clone())
    }
}

/// Whether `[METHOD ]/path` matches the request: the path itself and everything below it.
fn matches(request: &str, method: &Method, path: &str) -> bool {
    let (wanted, prefix) =
        request.split_once(' ').map_or((None, request), |(wanted, prefix)| (Some(wanted), prefix));
    let below = path.strip_prefix(prefix.trim_end_matches('/'));
    wanted.is_none_or(|wanted| wanted == method)
        && below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_covers_its_path_and_what_is_below() {
        let cases = [
            ("/v3/tenants", "/v3/tenants", true),
            ("/v3/tenants", "/v3/tenants/tacc", true),
            ("/v3/tenants", "/v3/tenantsX", false),
            ("/v3/tenants/", "/v3/tenants", true),
            ("GET /v3/tenants", "/v3/tenants", true),
            ("POST /v3/tenants", "/v3/tenants", false),
            ("/", "/v3/tenants", true),
        ];
        for (request, path, matching) in cases {
            assert_eq!(matches(request, &Method::GET, path), matching, "{request} {path}");
        }
    }

    #[test]
    fn a_fault_can_be_used_up_and_gives_way_to_the_wider_one() {
        let faults = Faults::default();
        faults.set("/v3", InjectedFault::Html, None);
        faults.set("/v3/sites", InjectedFault::Hang, Some(1));
        assert!(matches!(faults.trigger(&Method::GET, "/v3/sites"), Some(InjectedFault::Hang)));
        assert!(matches!(faults.trigger(&Method::GET, "/v3/sites"), Some(InjectedFault::Html)));
        faults.clear();
        assert!(faults.trigger(&Method::GET, "/v3/sites").is_none());
    }
}
