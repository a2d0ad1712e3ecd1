//! What is measured: a service with the whole default stack, and bare axum that sends the same bytes.

use std::cell::RefCell;
use std::convert::Infallible;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::response::Response;
use axum::routing::get;
use http::Request;
use http::header::CONTENT_TYPE;
use http_body_util::BodyExt as _;
use tapisservice::logs::{self, LogGuard};
use tapisservice::prelude::*;
use tapisservice::{App, Settings};
use tapisservice_devsite::DevSite;
use tower::ServiceExt as _;
use tower_service::Service;

const PATH: &str = "/v3/demo/greeting";

/// A site, a service on it that has read the registry, and bare axum.
pub(crate) struct Rig<S> {
    site: DevSite,
    service: RefCell<S>,
    bare: Router,
    _logs: LogGuard,
}

/// The whole stack.
pub(crate) trait Stack: Service<Request<Body>, Response = Response, Error = Infallible> {}

impl<S: Service<Request<Body>, Response = Response, Error = Infallible>> Stack for S {}

async fn greet(identity: Identity) -> Envelope<String> {
    Envelope::new(format!("hello {}", identity.username()))
}

/// Starts the site and assembles the service, as in production: with logs at their default level.
pub(crate) async fn start() -> Rig<impl Stack> {
    let site = DevSite::builder().server("dev").start().await.expect("a site");
    let settings = settings(&site);
    let logs = logs::init(&settings.logs).expect("logs");
    let routes = Routes::new().route(Policy::authenticated(), "/greeting", get(greet));
    let app = App::builder(settings).routes(routes).build().expect("a service");
    app.tenants().refresh().await.expect("a registry");
    let mut rig = Rig { site, service: RefCell::new(app.service()), bare: Router::new(), _logs: logs };
    let body = read(rig.call(rig.request(&rig.token(0))).await).await;
    let call = move || {
        let body = body.clone();
        async move { ([(CONTENT_TYPE, "application/json")], body) }
    };
    rig.bare = Router::new().route(PATH, get(call));
    rig
}

impl<S: Stack> Rig<S> {
    /// A token of alice, another one for every number.
    pub(crate) fn token(&self, number: u32) -> String {
        self.site.token().for_user("tacc", "alice").claim("number", number).mint()
    }

    /// A request with a token, as a client sends it.
    pub(crate) fn request(&self, token: &str) -> Request<Body> {
        Request::get(PATH)
            .header("host", format!("localhost:{}", self.site.port()))
            .header("user-agent", "rig/1")
            .header("accept", "*/*")
            .header("x-tapis-token", token)
            .body(Body::empty())
            .expect("a request")
    }

    /// What the whole stack answers; as our server does, with one service for all requests of a connection.
    pub(crate) async fn call(&self, request: Request<Body>) -> Response {
        let call = self.service.borrow_mut().call(request);
        let Ok(response) = call.await;
        assert_eq!(response.status(), 200);
        response
    }

    /// What bare axum answers; as its server does, with a clone of the service for every request.
    pub(crate) async fn call_bare(&self, request: Request<Body>) -> Response {
        let Ok(response) = self.bare.clone().oneshot(request).await;
        assert_eq!(response.status(), 200);
        response
    }
}

fn settings(site: &DevSite) -> Settings {
    let mut values = site.config_json("demo").expect("a configuration");
    values["server"] = "prod".into();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("config.json");
    std::fs::write(&path, values.to_string()).expect("a file");
    let path = path.to_str().expect("a path in UTF-8");
    let config = Settings::loader().environment([("TAPIS_CONFIG_PATH", path)]).load().expect("settings");
    Settings::from_config(&config).expect("settings")
}

/// The body, whole.
pub(crate) async fn read(response: Response) -> Bytes {
    response.into_body().collect().await.expect("a body").to_bytes()
}
