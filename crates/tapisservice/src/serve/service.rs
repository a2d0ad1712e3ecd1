//! Between hyper and the service: what every request gets, and what every answer says about the connection.

use std::{
    convert::Infallible,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
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

/// The service of one connection.
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
        self.activity.request(!request.body().is_end_stream());
        let limit = self.shared.limits.body_timeout;
        let mut request = request.map(|body| RequestBody::wrap(body, Arc::clone(&self.activity), limit));
        request.extensions_mut().insert(ConnectInfo(self.peer));
        AnswerFuture {
            answer: self.service.clone().oneshot(request),
            activity: Arc::clone(&self.activity),
            shared: Arc::clone(&self.shared),
        }
    }
}

pin_project! {
    pub(super) struct AnswerFuture<S>
    where
        S: Service<Request<Body>>,
    {
        #[pin]
        answer: Oneshot<S, Request<Body>>,
        activity: Arc<Activity>,
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
        let Ok(mut answer) = ready!(this.answer.poll(cx));
        let gave_up = gives_up(answer.status()) && this.activity.is_body_abandoned();
        if gave_up || this.shared.shutdown.is_draining() {
            answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        Poll::Ready(Ok(answer.map(|body| AnswerBody::new(body, Arc::clone(this.activity)))))
    }
}

/// Whether an answer tells the caller that the rest of the body is not waited for. hyper closes the connection then, and the caller should
/// not send the next request into it (RFC 9112, 9.6). After other answers hyper may still find the rest and go on.
fn gives_up(status: StatusCode) -> bool {
    matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::PAYLOAD_TOO_LARGE)
}
