//! The layers, asked by request: who passes which policy, and when the callbacks of a service run.

mod assembly;
mod callbacks;
mod connection;
mod policies;

use std::convert::Infallible;
use std::sync::Arc;

use axum_core::body::Body;
use axum_core::response::{IntoResponse as _, Response};
use http::Request;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tapisservice_auth::{AuthLayer, Authenticator, Callbacks, Policy, PolicyLayer};
use tapisservice_core::{AccessToken, Envelope, RequestContext, ServiceInfo};
use tapisservice_tenants::TenantCache;
use tower::{Service, ServiceBuilder, ServiceExt as _, service_fn};

use crate::signer::{ACME, ADMIN};
use crate::site::{self, Script};

/// 2100-01-01: the layers read the wall clock.
pub(crate) const FAR: u64 = 4_102_444_800;

/// Header lines, in their order.
pub(crate) type Lines<'a> = &'a [(&'a str, &'a str)];

/// What the context layer puts into every request.
pub(crate) fn context() -> RequestContext {
    let service = ServiceInfo::new("bookmarks", "1.2.3");
    RequestContext::builder(Arc::new(service)).build()
}

/// `bookmarks` at `tacc`, with all tenants known.
async fn authenticator() -> Authenticator {
    let tenants = TenantCache::builder(Script::new(Some(site::data()))).build();
    tenants.refresh().await.unwrap();
    Authenticator::new(tenants, site::settings())
}

pub(crate) fn alice() -> String {
    ACME.token(&site::user("alice", "acme", FAR))
}

fn jobs() -> String {
    ADMIN.token(&site::service_account("jobs", "admin", "tacc", FAR))
}

/// A request to the host of acme, with a context.
pub(crate) fn request(method: &str, lines: Lines<'_>) -> Request<Body> {
    let start = Request::builder().method(method).uri("/v3/bookmarks").extension(context());
    let host = lines.iter().all(|line| line.0 != "host").then_some(("host", "acme.tapis.test"));
    let lines = host.iter().chain(lines);
    lines.fold(start, |request, (name, value)| request.header(*name, *value)).body(Body::empty()).unwrap()
}

/// Sends a request through both layers to [`whoami`].
async fn send(policy: impl Into<Policy>, callbacks: Callbacks, request: Request<Body>) -> Response {
    let authenticator = authenticator().await;
    let policy = PolicyLayer::new(policy, authenticator.clone(), callbacks);
    let service =
        ServiceBuilder::new().layer(AuthLayer::new(authenticator)).layer(policy).service(service_fn(whoami));
    service.oneshot(request).await.unwrap()
}

/// As [`send`], to a route that answers OPTIONS itself.
async fn send_to_own_options(
    policy: impl Into<Policy>,
    callbacks: Callbacks,
    request: Request<Body>,
) -> Response {
    let authenticator = authenticator().await;
    let policy = PolicyLayer::new(policy, authenticator.clone(), callbacks).with_options_handler(true);
    let service =
        ServiceBuilder::new().layer(AuthLayer::new(authenticator)).layer(policy).service(service_fn(whoami));
    service.oneshot(request).await.unwrap()
}

/// [`whoami`] on a public route.
pub(crate) fn public(
    authenticator: Authenticator,
) -> impl Service<Request<Body>, Response = Response, Error = Infallible> + Clone {
    let policy = PolicyLayer::new(Policy::public(), authenticator.clone(), Callbacks::default());
    ServiceBuilder::new().layer(AuthLayer::new(authenticator)).layer(policy).service(service_fn(whoami))
}

/// Answers what `g` knows.
pub(crate) async fn whoami(request: Request<Body>) -> Result<Response, Infallible> {
    let g: &RequestContext = request.extensions().get().unwrap();
    let claims = g.token().map(AccessToken::claims);
    let seen = json!({
        "request_username": g.request_username(), "request_tenant_id": g.request_tenant_id(),
        "request_tenant_base_url": g.request_tenant_base_url(), "request_site_id": g.request_site_id(),
        "username": claims.map(|claims| &claims.username), "tenant_id": claims.map(|claims| &claims.tenant_id),
    });
    Ok(Envelope::new(seen).into_response())
}

/// The status and the envelope of a response.
pub(crate) async fn read_envelope(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap())
}
