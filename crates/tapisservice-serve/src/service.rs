//! Between hyper and the service: what every request carries, and what every response says about the connection.

use std::{
    cell::RefCell,
    convert::Infallible,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker, ready},
};

use axum::{body::Body, extract::ConnectInfo};
use http::{
    HeaderMap, HeaderValue, Request, Response, Version,
    header::{CONNECTION, EXPECT},
};
use hyper::body::{Body as _, Incoming};
use pin_project_lite::pin_project;
use tower::{ServiceExt as _, util::Oneshot};
use tower_service::Service;

use super::{
    activity::Activity,
    body::{RequestBody, ResponseBody},
    connection::Shared,
    discard::BodyState,
};

/// The service of one connection. hyper calls it for one request after the other.
pub(super) struct ConnectionService<S> {
    pub(super) service: RefCell<S>,
    pub(super) peer: SocketAddr,
    pub(super) activity: Arc<Activity>,
    pub(super) shared: Arc<Shared>,
}

impl<S> hyper::service::Service<Request<Incoming>> for ConnectionService<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone,
{
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = ResponseFuture<S>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let interim = request.version() == Version::HTTP_11;
        self.activity.request(interim);
        let limit = self.shared.limits.body_timeout;
        let unasked = interim && !request.body().is_end_stream() && expects_continue(request.headers());
        let mut request = request.map(|body| RequestBody::wrap(body, unasked, &self.activity, limit));
        request.extensions_mut().insert(ConnectInfo(self.peer));
        ResponseFuture {
            future: call(&mut self.service.borrow_mut(), request),
            waiting: None,
            activity: Some(Arc::clone(&self.activity)),
            shared: Arc::clone(&self.shared),
        }
    }
}

/// Calls the service itself if it is ready, as services of axum always are, and otherwise a clone of it once that is.
// hyper's `Service` has no `poll_ready`. A clone for every request counts up and down the references of each layer, which all
// cores write: 3 % of the CPU time of a request, though only 190 instructions.
fn call<S: Service<Request<Body>, Error = Infallible> + Clone>(
    service: &mut S,
    request: Request<Body>,
) -> Call<S> {
    match service.poll_ready(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(())) => Call::Started { future: service.call(request) },
        Poll::Pending => Call::Waiting { future: service.clone().oneshot(request) },
    }
}

fn expects_continue(headers: &HeaderMap) -> bool {
    headers.get_all(EXPECT).iter().any(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"))
}

pin_project! {
    #[project = CallProjection]
    enum Call<S>
    where
        S: Service<Request<Body>>,
    {
        Started { #[pin] future: S::Future },
        Waiting { #[pin] future: Oneshot<S, Request<Body>> },
    }
}

pin_project! {
    pub(super) struct ResponseFuture<S>
    where
        S: Service<Request<Body>>,
    {
        #[pin]
        future: Call<S>,
        // The response while it waits for the rest of a body. Boxed, because hardly any does.
        waiting: Option<Box<Response<Body>>>,
        // Until the body of the response takes it.
        activity: Option<Arc<Activity>>,
        shared: Arc<Shared>,
    }
}

impl<S> Future for ResponseFuture<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
{
    type Output = Result<Response<ResponseBody>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut response = if let Some(response) = this.waiting.take() {
            *response
        } else {
            let Ok(response) = ready!(match this.future.project() {
                CallProjection::Started { future } => future.poll(cx),
                CallProjection::Waiting { future } => future.poll(cx),
            });
            response
        };
        let mut closes = this.shared.shutdown.is_draining();
        if let Some(activity) = this.activity {
            match poll_upload(activity, closes) {
                Poll::Ready(unread) => closes |= unread,
                Poll::Pending => {
                    *this.waiting = Some(Box::new(response));
                    return Poll::Pending;
                }
            }
            activity.response(response.extensions().get().copied(), &this.shared.limits);
        }
        if closes {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        let activity = this.activity.take();
        Poll::Ready(Ok(response.map(|body| ResponseBody::new(body, activity))))
    }
}

/// Whether the connection has to close because the end of the request's body will not be reached within bounds.
fn poll_upload(activity: &Activity, closes: bool) -> Poll<bool> {
    if activity.upload.is_complete() { Poll::Ready(false) } else { poll_unread(activity, closes) }
}

#[cold]
fn poll_unread(activity: &Activity, closes: bool) -> Poll<bool> {
    // The head of the response has to say that the connection closes (RFC 9112, 9.6), or the client sends its next request into a
    // connection that ends.
    match activity.upload.state() {
        // A small body is discarded after the response: the client may be waiting for that.
        BodyState::Complete | BodyState::Short | BodyState::Discarding => Poll::Ready(false),
        BodyState::Long | BodyState::Lost => Poll::Ready(true),
        BodyState::DiscardingChunked if closes => Poll::Ready(true),
        // Nobody knows the length of a chunked body, so the response waits a moment for its end. No waker is registered: the task
        // of the connection polls this future too, discards the body, and comes back.
        BodyState::DiscardingChunked => {
            activity.response_waits();
            Poll::Pending
        }
    }
}
