//! Turns panics into failures (F19).

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use pin_project_lite::pin_project;
use tapisservice_core::Error;
use tower_layer::Layer;
use tower_service::Service;

/// Responds to a request whose handler panicked. The text of the panic goes to the log.
///
/// Unlike the layer of `tower_http` with this name it does not box bodies, which would cost 3 % of a request with a known token.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CatchPanicLayer;

impl<S> Layer<S> for CatchPanicLayer {
    type Service = CatchPanic<S>;

    fn layer(&self, inner: S) -> CatchPanic<S> {
        CatchPanic { inner }
    }
}

/// Catches the panics of its inner service.
#[derive(Debug, Clone)]
pub(crate) struct CatchPanic<S> {
    inner: S,
}

impl<S: Service<Request, Response = Response>> Service<Request> for CatchPanic<S> {
    type Response = Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        match catch_unwind(AssertUnwindSafe(|| self.inner.call(request))) {
            Ok(future) => ResponseFuture::Running { future },
            Err(payload) => ResponseFuture::Panicked { payload: Some(payload) },
        }
    }
}

pin_project! {
    /// The response, or a failure after a panic.
    #[project = Projection]
    pub(crate) enum ResponseFuture<F> {
        Running { #[pin] future: F },
        Panicked { payload: Option<Box<dyn Any + Send>> },
    }
}

impl<F: Future<Output = Result<Response, E>>, E> Future for ResponseFuture<F> {
    type Output = Result<Response, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let payload = match self.project() {
            // The future that panicked is dropped and never polled again.
            Projection::Running { future } => match catch_unwind(AssertUnwindSafe(|| future.poll(cx))) {
                Ok(polled) => return polled,
                Err(payload) => payload,
            },
            Projection::Panicked { payload } => payload.take().unwrap_or_else(|| Box::new(())),
        };
        Poll::Ready(Ok(Error::panic(text(&*payload)).into_response()))
    }
}

fn text(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::future::{Ready, ready};

    use axum::body::Body;
    use http::StatusCode;
    use tapisservice_core::ErrorReport;
    use tower::{ServiceExt as _, service_fn};

    use super::*;

    fn response() -> Ready<Result<Response, Infallible>> {
        ready(Ok(Response::default()))
    }

    async fn caught<F>(service: impl Fn(Request) -> F + Clone) -> (StatusCode, Option<String>)
    where
        F: Future<Output = Result<Response, Infallible>>,
    {
        let Ok(response) =
            CatchPanicLayer.layer(service_fn(service)).oneshot(Request::new(Body::empty())).await;
        let report = response.extensions().get::<ErrorReport>().map(|report| report.0.traceback());
        (response.status(), report)
    }

    #[tokio::test]
    async fn a_panic_is_an_answer_wherever_it_happens() {
        let expected = |text: &str| {
            let text = format!("Unrecognized exception type panic: {text}");
            (StatusCode::INTERNAL_SERVER_ERROR, Some(text))
        };
        assert_eq!(caught(|_| response()).await, (StatusCode::OK, None));
        let at_once = |request: Request| {
            assert!(request.headers().contains_key("x"), "in the call");
            response()
        };
        assert_eq!(caught(at_once).await, expected("in the call"));
        let later = |request: Request| async move {
            tokio::task::yield_now().await;
            let text = format!("at {}", request.uri());
            assert!(request.uri().path().is_empty(), "{text}");
            response().await
        };
        assert_eq!(caught(later).await, expected("at /"));
        let odd = |_| {
            std::panic::panic_any(7);
            #[expect(unreachable_code, reason = "its type is needed")]
            response()
        };
        assert_eq!(caught(odd).await, expected(""));
    }
}
