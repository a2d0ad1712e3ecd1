//! Creates `g` and the request id.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::extract::Request;
use axum::response::Response;
use http::{HeaderName, HeaderValue, Uri};
use pin_project_lite::pin_project;
use tapisservice_core::framework::SingleHeader;
use tapisservice_core::{RequestContext, ServiceInfo, TrackingId};
use tokio::task::futures::TaskLocalFuture;
use tower_layer::Layer;
use tower_service::Service;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest request id that is accepted from a caller.
const MAX_REQUEST_ID: usize = 64;

/// Creates the request context, as an extension and as the current one of the task, and returns the request id in `X-Request-ID`. Ids of
/// the caller are used if they are well-formed, else replaced.
#[derive(Debug, Clone)]
pub(crate) struct ContextLayer {
    service: Arc<ServiceInfo>,
}

impl ContextLayer {
    pub(crate) fn new(service: Arc<ServiceInfo>) -> Self {
        Self { service }
    }
}

impl<S> Layer<S> for ContextLayer {
    type Service = ContextService<S>;

    fn layer(&self, inner: S) -> ContextService<S> {
        ContextService { inner, service: self.service.clone() }
    }
}

/// Creates the context before its inner service is called.
#[derive(Debug, Clone)]
pub(crate) struct ContextService<S> {
    inner: S,
    service: Arc<ServiceInfo>,
}

impl<S: Service<Request, Response = Response>> Service<Request> for ContextService<S> {
    type Response = Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let g = context_for(&self.service, &request);
        request.extensions_mut().insert(g.clone());
        let future = g.sync_scope(|| self.inner.call(request));
        ResponseFuture { future: g.scope(future) }
    }
}

pin_project! {
    /// Runs the request in the scope of its context.
    pub(crate) struct ResponseFuture<F> {
        #[pin]
        future: TaskLocalFuture<RequestContext, F>,
    }
}

impl<F: Future<Output = Result<Response, E>>, E> Future for ResponseFuture<F> {
    type Output = Result<Response, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut future = self.project().future;
        let mut response = ready!(future.as_mut().poll(cx))?;
        let id = future.take_value().and_then(|g| HeaderValue::from_str(g.request_id()).ok());
        if let Some(id) = id {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        Poll::Ready(Ok(response))
    }
}

fn context_for(service: &Arc<ServiceInfo>, request: &Request) -> RequestContext {
    let [mut request_id, mut tracking_id, mut user_token_hash] = [SingleHeader::Absent; 3];
    // One pass over all lines: looking each name up costs 5 % of a request with a known token.
    for (name, value) in request.headers() {
        match name.as_str() {
            "x-request-id" => request_id.add(value),
            "x-tapis-tracking-id" => tracking_id.add(value),
            "x-tapis-user-token-hash" => user_token_hash.add(value),
            _ => {}
        }
    }
    let mut builder = RequestContext::builder(service.clone())
        .target(request.method().clone(), request.uri().clone())
        .tracking_id(tracking_id.ascii().and_then(|id| TrackingId::new(id).ok()))
        .user_token_hash(user_token_hash.ascii().filter(|hash| !hash.is_empty()).map(str::to_owned))
        .pretty(is_pretty(request.uri()));
    if let Some(id) = request_id.ascii().filter(|id| is_request_id(id)) {
        builder = builder.request_id(id);
    }
    builder.build()
}

fn is_request_id(id: &str) -> bool {
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    !id.is_empty() && id.len() <= MAX_REQUEST_ID && id.bytes().all(good)
}

fn is_pretty(uri: &Uri) -> bool {
    uri.query().is_some_and(|query| query.split('&').any(|pair| pair.eq_ignore_ascii_case("pretty=true")))
}
