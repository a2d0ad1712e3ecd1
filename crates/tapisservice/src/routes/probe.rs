//! Finds out which methods a route handles by sending it requests, because a [`MethodRouter`] does not expose them.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::MethodRouter;
use futures_util::FutureExt as _;
use http::Method;
use tower_layer::Layer;
use tower_service::Service;

/// The methods that a [`MethodRouter`] can have a handler for, except HEAD, which the handler of GET serves.
const METHODS: [Method; 8] = [
    Method::GET,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
    Method::TRACE,
    Method::CONNECT,
];

/// The methods that a route handles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HandledMethods {
    /// The methods with their own handlers.
    pub(super) methods: Vec<Method>,
    /// Whether a handler serves all other methods: `any`, a fallback, a nested service.
    pub(super) fallback: bool,
}

impl HandledMethods {
    /// Probes a route without calling its handlers.
    pub(super) fn of<S: Clone + Send + Sync + 'static>(methods: &MethodRouter<S>, state: &S) -> Self {
        let marked = methods.clone().layer(MarkLayer);
        let with_fallback = Router::new()
            .route("/", marked.clone())
            .method_not_allowed_fallback(|| async {})
            .with_state(state.clone());
        let own = Router::new().route("/", marked.fallback(|| async {})).with_state(state.clone());
        // No handler can be registered for a method with such a name.
        let other = Method::from_bytes(b"X-OTHER").unwrap_or_default();
        let mut handled: Vec<_> = METHODS.into_iter().filter(|method| is_marked(&own, method)).collect();
        if !handled.contains(&Method::GET) && is_marked(&own, &Method::HEAD) {
            handled.push(Method::HEAD);
        }
        Self { methods: handled, fallback: is_marked(&with_fallback, &other) }
    }

    /// The same of a route without a state, which no request can be sent to: read from what it prints for debugging. For descriptions only,
    /// since that text is no API of axum.
    #[cfg(feature = "cli")]
    pub(super) fn declared<S: Clone>(methods: &MethodRouter<S>) -> Self {
        let printed = format!("{methods:?}");
        let has = |field: &str, absent: &str| {
            let value = printed.split_once(&format!(" {field}: ")).map(|(_, rest)| rest);
            value.is_some_and(|value| !value.starts_with(absent))
        };
        let handles = |method: &Method| has(&method.as_str().to_ascii_lowercase(), "None");
        let mut declared: Vec<_> = METHODS.into_iter().filter(handles).collect();
        if !declared.contains(&Method::GET) && handles(&Method::HEAD) {
            declared.push(Method::HEAD);
        }
        Self { methods: declared, fallback: has("fallback", "Default(") }
    }

    pub(super) fn has_own_options(&self) -> bool {
        self.methods.contains(&Method::OPTIONS)
    }

    /// The methods, in the format of lists of routes.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.methods.iter().map(Method::as_str).chain(self.fallback.then_some("*"))
    }
}

fn is_marked(router: &Router, method: &Method) -> bool {
    let mut request = Request::new(Body::empty());
    *request.method_mut() = method.clone();
    let response = Service::call(&mut router.clone(), request).now_or_never();
    response
        .is_some_and(|response| response.is_ok_and(|response| response.extensions().get::<Mark>().is_some()))
}

/// The extension of a response of [`Marked`].
#[derive(Clone)]
struct Mark;

#[derive(Clone)]
struct MarkLayer;

impl<S> Layer<S> for MarkLayer {
    type Service = Marked;

    fn layer(&self, _: S) -> Marked {
        Marked
    }
}

/// Responses in place of a handler, at once.
#[derive(Clone)]
struct Marked;

impl Service<Request> for Marked {
    type Response = Response;
    type Error = Infallible;
    type Future = Ready<Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request) -> Self::Future {
        let mut response = Response::default();
        response.extensions_mut().insert(Mark);
        ready(Ok(response))
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::{MethodFilter, any, any_service, get, on, options, post};
    use tower::service_fn;

    use super::*;

    async fn ran() {
        unreachable!("a handler ran")
    }

    #[test]
    fn a_route_says_what_it_answers_without_running_a_handler() {
        let service = service_fn(|_: Request| async { Ok::<Response, Infallible>(Response::default()) });
        let cases: [(MethodRouter, &str); 11] = [
            (MethodRouter::new(), ""),
            (get(ran), "GET"),
            (get(ran).post(ran).options(ran), "GET POST OPTIONS"),
            (on(MethodFilter::HEAD, ran), "HEAD"),
            (on(MethodFilter::TRACE.or(MethodFilter::CONNECT), ran), "TRACE CONNECT"),
            (any(ran), "*"),
            (any(ran).get(ran), "GET *"),
            (post(ran).fallback(ran), "POST *"),
            (options(ran).fallback_service(service), "OPTIONS *"),
            (any_service(service), "*"),
            (get(ran).layer(tower::layer::util::Identity::new()), "GET"),
        ];
        for (methods, expected) in cases {
            let handled = HandledMethods::of(&methods, &());
            assert_eq!(handled.names().collect::<Vec<_>>().join(" "), expected);
            #[cfg(feature = "cli")]
            assert_eq!(HandledMethods::declared(&methods), handled, "{methods:?}");
        }
    }
}
