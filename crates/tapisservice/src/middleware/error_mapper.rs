//! Renders failures.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{Method, StatusCode};
use pin_project_lite::pin_project;
use tapisservice_core::{Enveloped, Error, ErrorKind, ErrorReport, ResponseFormat};
use tapisservice_logs::redact;
use tower_layer::Layer;
use tower_service::Service;

use crate::middleware::body_limit::Failure;

/// The settings for failures.
#[derive(Debug, Clone)]
pub(crate) struct ErrorMapper {
    pub(crate) show_traceback: bool,
    pub(crate) legacy_error_status: bool,
}

/// Renders every failure as an envelope: an [`Error`] by the settings, and an error response of a library by its status. OPTIONS of a
/// path without a handler for it becomes 204 with `Allow` (rule D6).
#[derive(Debug, Clone)]
pub(crate) struct ErrorMapperLayer {
    mapper: Arc<ErrorMapper>,
}

impl ErrorMapperLayer {
    pub(crate) fn new(mapper: Arc<ErrorMapper>) -> Self {
        Self { mapper }
    }
}

impl<S> Layer<S> for ErrorMapperLayer {
    type Service = ErrorMapperService<S>;

    fn layer(&self, inner: S) -> ErrorMapperService<S> {
        ErrorMapperService { inner, mapper: self.mapper.clone() }
    }
}

/// Renders the failures of its inner service.
#[derive(Debug, Clone)]
pub(crate) struct ErrorMapperService<S> {
    inner: S,
    mapper: Arc<ErrorMapper>,
}

impl<S: Service<Request, Response = Response>> Service<Request> for ErrorMapperService<S> {
    type Response = Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let is_options = request.method() == Method::OPTIONS;
        ResponseFuture { future: self.inner.call(request), mapper: self.mapper.clone(), is_options }
    }
}

pin_project! {
    /// Renders the response when it is ready.
    pub(crate) struct ResponseFuture<F> {
        #[pin]
        future: F,
        mapper: Arc<ErrorMapper>,
        is_options: bool,
    }
}

impl<F: Future<Output = Result<Response, E>>, E> Future for ResponseFuture<F> {
    type Output = Result<Response, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = ready!(this.future.poll(cx))?;
        Poll::Ready(Ok(this.mapper.render(response, *this.is_options)))
    }
}

impl ErrorMapper {
    fn render(&self, response: Response, is_options: bool) -> Response {
        let status = response.status();
        if !status.is_client_error() && !status.is_server_error() && !has::<ErrorReport>(&response) {
            return if status.is_informational() { self.reject_informational(status) } else { response };
        }
        if is_options && status == StatusCode::METHOD_NOT_ALLOWED {
            return allowed_methods(response);
        }
        let report = response.extensions().get::<ErrorReport>().map(|report| report.0.clone());
        match report {
            Some(error) => self.render_error(response, &error),
            None if has::<Enveloped>(&response) => response,
            None => self.render_error(response, &foreign(status)),
        }
    }

    /// The failure for an informational status in place of a response (RFC 9110, 15.2). The server would send a 101 and then close the
    /// connection, because nothing handles the upgrade.
    fn reject_informational(&self, status: StatusCode) -> Response {
        let error = if status == StatusCode::SWITCHING_PROTOCOLS {
            Error::base("The service does not support protocol upgrades such as WebSocket.")
                .with_status(StatusCode::NOT_IMPLEMENTED)
                .with_detail("a handler returned 101, but the server does not support upgrades")
        } else {
            Error::base("The service sent no final response.")
                .with_status(StatusCode::INTERNAL_SERVER_ERROR)
                .with_detail(format!("a handler returned the informational status {status}"))
        };
        self.render_error(Response::default(), &error)
    }

    /// Renders the failure by the settings, with the headers that handlers and layers have set on `response`.
    fn render_error(&self, response: Response, error: &Error) -> Response {
        let of_body = of_body(error);
        let error = of_body.as_ref().unwrap_or(error);
        let status = if self.legacy_error_status { error.legacy_status() } else { error.status() };
        let tells_all =
            self.show_traceback && matches!(error.kind(), ErrorKind::Unrecognized | ErrorKind::Panic);
        let message =
            if tells_all { redact(&error.traceback()).into_owned() } else { error.message().to_owned() };
        let mut rendered = error.render_over(response, status, &message, &ResponseFormat::current());
        rendered.extensions_mut().insert(ErrorReport(Arc::new(error.clone())));
        rendered
    }
}

fn has<T: Send + Sync + 'static>(response: &Response) -> bool {
    response.extensions().get::<T>().is_some()
}

/// The response to OPTIONS where no handler serves it: 204 with the `Allow` of the 405.
fn allowed_methods(refused: Response) -> Response {
    let (mut parts, _) = refused.into_parts();
    parts.status = StatusCode::NO_CONTENT;
    for name in [CONTENT_TYPE, CONTENT_LENGTH] {
        parts.headers.remove(name);
    }
    Response::from_parts(parts, Body::empty())
}

/// The failure of the body behind an unrecognized error, if there is one.
fn of_body(error: &Error) -> Option<Error> {
    let source = error.source().filter(|_| error.kind() == ErrorKind::Unrecognized)?;
    Failure::find(source).map(Failure::to_error)
}

/// A failure of which only the status is used: the text of its author may contain values of the request.
fn foreign(status: StatusCode) -> Error {
    let (kind, message) = match status {
        StatusCode::BAD_REQUEST => (ErrorKind::BadInput, "The request is not valid."),
        StatusCode::NOT_FOUND => (ErrorKind::NotFound, "The path does not exist."),
        StatusCode::METHOD_NOT_ALLOWED => {
            (ErrorKind::MethodNotAllowed, "The method is not allowed for this path.")
        }
        StatusCode::REQUEST_TIMEOUT => (ErrorKind::RequestTimeout, "The request did not arrive in time."),
        StatusCode::PAYLOAD_TOO_LARGE => (ErrorKind::TooLarge, "The request body is too large."),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            (ErrorKind::UnsupportedMediaType, "The media type of the request body is not supported.")
        }
        _ => (ErrorKind::Base, status.canonical_reason().unwrap_or("The request failed.")),
    };
    Error::new(kind, message).with_status(status)
}
