//! Between hyper and the service: what every request gets, and what every answer says about the connection.

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
    body::{AnswerBody, RequestBody},
    connection::Shared,
    discard::BodyState,
};

/// The service of one connection, whose requests come one after the other.
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
    type Response = Response<AnswerBody>;
    type Error = Infallible;
    type Future = AnswerFuture<S>;

    #[inline]
    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let interim = request.version() == Version::HTTP_11;
        self.activity.request(interim);
        let limit = self.shared.limits.body_timeout;
        let unasked = interim && !request.body().is_end_stream() && expects_continue(request.headers());
        let mut request = request.map(|body| RequestBody::wrap(body, unasked, &self.activity, limit));
        request.extensions_mut().insert(ConnectInfo(self.peer));
        AnswerFuture {
            answer: call(&mut self.service.borrow_mut(), request),
            waiting: None,
            activity: Some(Arc::clone(&self.activity)),
            shared: Arc::clone(&self.shared),
        }
    }
}

fn expects_continue(headers: &HeaderMap) -> bool {
    headers.get_all(EXPECT).iter().any(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"))
}

/// Calls the service itself when it is ready, as services of axum always are, else a clone of it when that is.
fn call<S: Service<Request<Body>, Error = Infallible> + Clone>(
    service: &mut S,
    request: Request<Body>,
) -> Answer<S> {
    match service.poll_ready(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(())) => Answer::Called { answer: service.call(request) },
        Poll::Pending => Answer::Waiting { answer: service.clone().oneshot(request) },
    }
}

pin_project! {
    #[project = Projection]
    enum Answer<S>
    where
        S: Service<Request<Body>>,
    {
        Called { #[pin] answer: S::Future },
        Waiting { #[pin] answer: Oneshot<S, Request<Body>> },
    }
}

pin_project! {
    pub(super) struct AnswerFuture<S>
    where
        S: Service<Request<Body>>,
    {
        #[pin]
        answer: Answer<S>,
        // The answer while it waits for the rest of a body. Boxed, since hardly any does.
        waiting: Option<Box<Response<Body>>>,
        // Until the answer takes it along.
        activity: Option<Arc<Activity>>,
        shared: Arc<Shared>,
    }
}

impl<S> Future for AnswerFuture<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
{
    type Output = Result<Response<AnswerBody>, Infallible>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut answer = if let Some(answer) = this.waiting.take() {
            *answer
        } else {
            let Ok(answer) = ready!(match this.answer.project() {
                Projection::Called { answer } => answer.poll(cx),
                Projection::Waiting { answer } => answer.poll(cx),
            });
            answer
        };
        let mut closes = this.shared.shutdown.is_draining();
        if let Some(activity) = this.activity {
            match before_answer(activity, closes) {
                Poll::Ready(ends) => closes |= ends,
                Poll::Pending => {
                    *this.waiting = Some(Box::new(answer));
                    return Poll::Pending;
                }
            }
            activity.answer(answer.extensions().get().copied());
        }
        if closes {
            answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        let activity = this.activity.take();
        Poll::Ready(Ok(answer.map(|body| AnswerBody::new(body, activity))))
    }
}

#[inline]
fn before_answer(activity: &Activity, closes: bool) -> Poll<bool> {
    if activity.upload.is_complete() { Poll::Ready(false) } else { with_rest(activity, closes) }
}

/// Whether the answer has to say that the connection closes (RFC 9112, 9.6), since the end of the request's body will not be reached
/// within bounds: the caller should not send the next request into a connection that ends. It has to be known before the head of the
/// answer leaves, so an answer to a body in chunks, whose length nobody knows, waits a moment for the rest; the task of the connection
/// reads it and comes back.
#[cold]
fn with_rest(activity: &Activity, closes: bool) -> Poll<bool> {
    match activity.upload.state() {
        // Short ones are read after the answer: the client may be waiting for it.
        BodyState::Complete | BodyState::Short | BodyState::Discarding => Poll::Ready(false),
        BodyState::Long | BodyState::Lost => Poll::Ready(true),
        BodyState::DiscardingChunked if closes => Poll::Ready(true),
        BodyState::DiscardingChunked => {
            activity.answer_waits();
            Poll::Pending
        }
    }
}
