//! The limit of request bodies (F21), and the responses for bodies that could not be read (F20).

use std::error::Error as StdError;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use axum::BoxError;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Request};
use axum::response::{IntoResponse, Response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::{LengthLimitError, Limited};
use pin_project_lite::pin_project;
use tapisservice_core::{Error, ErrorKind, ErrorReport};
use tapisservice_serve::is_body_timeout;
use tower_layer::Layer;
use tower_service::Service;

/// The limit of request bodies on a route ([`Routes::body_limit`](crate::Routes::body_limit)).
///
/// It applies to everything that reads the body: `Body` and `Request` as well as `Json`, `Bytes`, `String`, forms and the extractors of
/// other crates. A body whose `Content-Length` is too large is rejected with 413 before the handler is called and before a byte is read;
/// one of unknown length when it grows too large.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyLimit(usize);

impl BodyLimit {
    /// A limit in bytes. 0 allows only empty bodies.
    pub const fn new(bytes: usize) -> Self {
        Self(bytes)
    }

    /// No limit, for handlers that pass the body on as it arrives.
    pub const fn unlimited() -> Self {
        Self(usize::MAX)
    }

    fn is_exceeded_by(self, bytes: u64) -> bool {
        u64::try_from(self.0).is_ok_and(|limit| limit < u64::MAX && bytes > limit)
    }
}

/// The bytes; `none` for no limit.
impl fmt::Display for BodyLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::unlimited() { f.write_str("none") } else { self.0.fmt(f) }
    }
}

/// Limits the bodies of a route. It is inside the policy: callers who may not call the route do not learn its limit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BodyLimitLayer {
    limit: BodyLimit,
}

impl BodyLimitLayer {
    pub(crate) fn new(limit: BodyLimit) -> Self {
        Self { limit }
    }
}

impl<S> Layer<S> for BodyLimitLayer {
    type Service = BodyLimitService<S>;

    fn layer(&self, inner: S) -> BodyLimitService<S> {
        BodyLimitService { inner, limit: self.limit }
    }
}

/// Limits the body before its inner service is called.
#[derive(Debug, Clone)]
pub(crate) struct BodyLimitService<S> {
    inner: S,
    limit: BodyLimit,
}

impl<S: Service<Request, Response = Response>> Service<Request> for BodyLimitService<S> {
    type Response = Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        if request.body().is_end_stream() {
            return ResponseFuture::Running { future: self.inner.call(request), failure: None };
        }
        if self.limit.is_exceeded_by(request.body().size_hint().lower()) {
            return ResponseFuture::Refused { limit: self.limit };
        }
        let (request, failure) = limited(request, self.limit);
        ResponseFuture::Running { future: self.inner.call(request), failure: Some(failure) }
    }
}

/// The request with a limited body, and the cell for a failure to read it.
fn limited(request: Request, limit: BodyLimit) -> (Request, Arc<OnceLock<Failure>>) {
    let failure = Arc::new(OnceLock::new());
    let noted = failure.clone();
    let mut request = request
        .map(|body| Body::new(LimitedBody { body: Limited::new(body, limit.0), limit, failure: noted }));
    // The default limit of axum, 2 MB, would be a second one.
    DefaultBodyLimit::disable().apply(&mut request);
    (request, failure)
}

pin_project! {
    /// The response, or a rejection of a body whose `Content-Length` is too large.
    #[project = Projection]
    pub(crate) enum ResponseFuture<F> {
        Running { #[pin] future: F, failure: Option<Arc<OnceLock<Failure>>> },
        Refused { limit: BodyLimit },
    }
}

impl<F: Future<Output = Result<Response, E>>, E> Future for ResponseFuture<F> {
    type Output = Result<Response, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            Projection::Running { future, failure } => {
                let response = ready!(future.poll(cx))?;
                Poll::Ready(Ok(match failure.as_ref().and_then(|failure| failure.get()) {
                    Some(failure) => failure.override_response(response),
                    None => response,
                }))
            }
            Projection::Refused { limit } => {
                Poll::Ready(Ok(Failure::TooLarge { limit: *limit }.to_error().into_response()))
            }
        }
    }
}

/// Why a body could not be read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It is larger than the route's limit.
    TooLarge { limit: BodyLimit },
    /// It is larger than another limit, axum's `DefaultBodyLimit` for example.
    TooLargeElsewhere,
    /// It stopped arriving.
    TimedOut,
    /// The connection broke, or the body is malformed.
    Broken,
}

impl Failure {
    /// The failure among the sources of an error, if the size or the timeout of the body caused it.
    pub(crate) fn find(error: &(dyn StdError + 'static)) -> Option<Self> {
        let mut causes = std::iter::successors(Some(error), |error| (*error).source());
        if causes.any(<dyn StdError>::is::<LengthLimitError>) {
            return Some(Self::TooLargeElsewhere);
        }
        is_body_timeout(error).then_some(Self::TimedOut)
    }

    pub(crate) fn to_error(self) -> Error {
        match self {
            Self::TooLarge { limit } => {
                let message = format!("The request body is too large: the limit is {} bytes.", limit.0);
                Error::new(ErrorKind::TooLarge, message)
                    .with_detail("the limit is max_body_bytes, or .body_limit(..) of the route")
            }
            Self::TooLargeElsewhere => Error::new(ErrorKind::TooLarge, "The request body is too large."),
            Self::TimedOut => {
                Error::new(ErrorKind::RequestTimeout, "The request body did not arrive in time.")
            }
            Self::Broken => Error::bad_input("The request body could not be read."),
        }
    }

    /// The response after the body failed: the failure, whatever the handler returned, unless the handler returned the same failure.
    fn override_response(self, response: Response) -> Response {
        let error = self.to_error();
        let already_returned =
            response.status() == error.status() && response.extensions().get::<ErrorReport>().is_some();
        if already_returned { response } else { error.into_response() }
    }
}

/// A body that fails beyond its limit, and records why.
struct LimitedBody {
    body: Limited<Body>,
    limit: BodyLimit,
    failure: Arc<OnceLock<Failure>>,
}

impl LimitedBody {
    fn record_failure(&self, error: &BoxError) {
        let failure = match Failure::find(&**error) {
            Some(Failure::TooLargeElsewhere) => Failure::TooLarge { limit: self.limit },
            Some(failure) => failure,
            None => Failure::Broken,
        };
        // The first one counts.
        let _ = self.failure.set(failure);
    }
}

impl HttpBody for LimitedBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if let Some(Err(error)) = &frame {
            self.record_failure(error);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_exceeded_by_the_first_byte_too_many() {
        for (limit, bytes, exceeded) in [
            (BodyLimit::new(0), 0, false),
            (BodyLimit::new(0), 1, true),
            (BodyLimit::new(5), 5, false),
            (BodyLimit::new(5), 6, true),
            (BodyLimit::new(5), u64::MAX, true),
            (BodyLimit::unlimited(), u64::MAX, false),
        ] {
            assert_eq!(limit.is_exceeded_by(bytes), exceeded, "{limit:?} {bytes}");
        }
    }

    #[test]
    fn a_failure_is_found_among_the_sources_of_an_error() {
        #[derive(Debug, thiserror::Error)]
        #[error("upload failed")]
        struct Upload(#[source] axum::Error);

        assert_eq!(Failure::find(&Upload(axum::Error::new(std::fmt::Error))), None);
        let too_large = futures_of(Limited::new(Body::from("123456"), 5));
        assert_eq!(Failure::find(&Upload(axum::Error::new(too_large))), Some(Failure::TooLargeElsewhere));
    }

    fn futures_of(mut body: Limited<Body>) -> BoxError {
        let polled = Pin::new(&mut body).poll_frame(&mut Context::from_waker(std::task::Waker::noop()));
        match polled {
            Poll::Ready(Some(Err(error))) => error,
            other => panic!("{other:?}"),
        }
    }
}
