//! Layers that are put together wrongly refuse everything and name what is missing.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};

use axum_core::body::Body;
use axum_core::response::Response;
use http::Request;
use tapisservice_auth::{AuthLayer, Authn, Callbacks, Policy, PolicyLayer};
use tapisservice_core::{ErrorReport, RequestContext};
use tower::{Layer, Service, ServiceExt as _, service_fn};

use super::{alice, authenticator, request, whoami};

/// What the log is told about a response.
fn logged(response: &Response) -> (u16, String) {
    let report = response.extensions().get::<ErrorReport>().unwrap();
    (response.status().as_u16(), report.0.traceback())
}

#[tokio::test]
async fn without_a_context_every_request_is_a_500_that_names_the_context_layer() {
    let authenticator = authenticator().await;
    let policy = PolicyLayer::new(Policy::public(), authenticator.clone(), Callbacks::default());
    let bare = |lines| {
        let mut request = request("GET", lines);
        request.extensions_mut().remove::<RequestContext>();
        request
    };
    for lines in [&[][..], &[("x-tapis-token", "")]] {
        let outer = AuthLayer::new(authenticator.clone()).layer(service_fn(whoami));
        let (status, text) = logged(&outer.oneshot(bare(lines)).await.unwrap());
        assert!(status == 500 && text.contains("ContextLayer is missing"), "{status} {text}");
        let inner = policy.layer(service_fn(whoami));
        let (status, text) = logged(&inner.oneshot(bare(lines)).await.unwrap());
        assert!(status == 500 && text.contains("ContextLayer is missing"), "{status} {text}");
    }
}

/// A policy takes a request without an identity for one without a token; without the layer that looks for tokens, a forged
/// one would have reached the `authn` callback.
#[tokio::test]
async fn without_the_authentication_layer_every_request_is_a_500_that_names_it() {
    let callbacks = Callbacks::default().authn(|_| async { Ok(Authn::Anonymous) });
    let (alice, forged) = (alice(), "a.b.c".to_owned());
    for policy in [Policy::public(), Policy::authenticated()] {
        let service =
            PolicyLayer::new(policy, authenticator().await, callbacks.clone()).layer(service_fn(whoami));
        for lines in
            [vec![], vec![("x-tapis-token", alice.as_str())], vec![("x-tapis-token", forged.as_str())]]
        {
            let (status, text) = logged(&service.clone().oneshot(request("GET", &lines)).await.unwrap());
            assert!(status == 500 && text.contains("AuthLayer is missing"), "{status} {text}");
        }
    }
}

/// A service that may be called only after it said that it is ready; a clone has to be asked anew.
#[derive(Default)]
struct Picky {
    ready: bool,
}

impl Clone for Picky {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Service<Request<Body>> for Picky {
    type Response = Response;
    type Error = Infallible;
    type Future = Ready<Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Body>) -> Self::Future {
        assert!(std::mem::take(&mut self.ready), "called before it was ready");
        ready(Ok(Response::default()))
    }
}

#[tokio::test]
async fn the_service_that_was_ready_is_the_one_that_is_called() {
    let authenticator = authenticator().await;
    let policy = PolicyLayer::new(Policy::public(), authenticator.clone(), Callbacks::default());
    let mut service = AuthLayer::new(authenticator).layer(policy.layer(Picky::default()));
    for _ in 0..2 {
        let response = service.ready().await.unwrap().call(request("GET", &[])).await.unwrap();
        assert_eq!(response.status(), 200);
    }
}
