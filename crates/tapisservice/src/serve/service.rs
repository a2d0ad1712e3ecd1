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
use http::{HeaderValue, Request, Response, StatusCode, header::CONNECTION};
use hyper::body::{Body as _, Incoming};
use pin_project_lite::pin_project;
use tower::{ServiceExt as _, util::Oneshot};
use tower_service::Service;

use super::{
    activity::Activity,
    body::{AnswerBody, RequestBody},
    connection::Shared,
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
        self.activity.request(!request.body().is_end_stream());
        let limit = self.shared.limits.body_timeout;
        let mut request = request.map(|body| RequestBody::wrap(body, Arc::clone(&self.activity), limit));
        request.extensions_mut().insert(ConnectInfo(self.peer));
        AnswerFuture {
            answer: call(&mut self.service.borrow_mut(), request),
            activity: Some(Arc::clone(&self.activity)),
            shared: Arc::clone(&self.shared),
        }
    }
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
        let Ok(mut answer) = ready!(match this.answer.project() {
            Projection::Called { answer } => answer.poll(cx),
            Projection::Waiting { answer } => answer.poll(cx),
        });
        let activity = this.activity.take();
        let is_abandoned = || activity.as_ref().is_some_and(|activity| activity.is_body_abandoned());
        let gave_up = gives_up(answer.status()) && is_abandoned();
        if gave_up || this.shared.shutdown.is_draining() {
            answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        Poll::Ready(Ok(answer.map(|body| AnswerBody::new(body, activity))))
    }
}

/// Whether an answer tells the caller that the rest of the body is not waited for. hyper closes the connection then, and the caller should
/// not send the next request into it (RFC 9112, 9.6). After other answers hyper may still find the rest and go on.
fn gives_up(status: StatusCode) -> bool {
    matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::PAYLOAD_TOO_LARGE)
}
