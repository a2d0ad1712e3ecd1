//! Between hyper and the service: what every request gets, and what every answer says about the connection.

use std::{
    convert::Infallible,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
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
    pub(super) service: S,
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

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let interim = request.version() == Version::HTTP_11;
        self.activity.request(interim);
        let limit = self.shared.limits.body_timeout;
        let unasked = interim && !request.body().is_end_stream() && expects_continue(request.headers());
        let mut request = request.map(|body| RequestBody::wrap(body, unasked, &self.activity, limit));
        request.extensions_mut().insert(ConnectInfo(self.peer));
        AnswerFuture {
            answer: self.service.clone().oneshot(request),
            waiting: None,
            activity: Some(Arc::clone(&self.activity)),
            shared: Arc::clone(&self.shared),
        }
    }
}

fn expects_continue(headers: &HeaderMap) -> bool {
    headers.get_all(EXPECT).iter().any(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"))
}

pin_project! {
    pub(super) struct AnswerFuture<S>
    where
        S: Service<Request<Body>>,
    {
        #[pin]
        answer: Oneshot<S, Request<Body>>,
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

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut answer = if let Some(answer) = this.waiting.take() {
            *answer
        } else {
            let Ok(answer) = ready!(this.answer.poll(cx));
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
