//! A site, a service on it, and requests to that service.

use axum::body::Body;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tapisservice::config::Config;
use tapisservice::{App, AppBuilder, Routes, Settings};
use tapisservice_devsite::DevSite;
use tower::ServiceExt as _;

/// A devsite and an app that has read its registry.
pub(crate) struct Running {
    pub(crate) site: DevSite,
    pub(crate) app: App,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn message(&self) -> &str {
        self.body["message"].as_str().unwrap()
    }
}

/// Settings of a service on `site`, with some of them changed.
pub(crate) fn settings(site: &DevSite, changes: &Value) -> Settings {
    let mut values = site.config_json("demo").unwrap();
    values["version"] = json!("1.2.3");
    for (key, value) in changes.as_object().unwrap() {
        values[key] = value.clone();
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.json");
    std::fs::write(&path, values.to_string()).unwrap();
    let config =
        Config::loader().environment([("TAPIS_CONFIG_PATH", path.to_str().unwrap())]).load().unwrap();
    Settings::from_config(&config).unwrap()
}

/// Starts a site and assembles a service on it.
pub(crate) async fn start(
    routes: Routes,
    changes: Value,
    assemble: impl FnOnce(AppBuilder<()>) -> AppBuilder<()>,
) -> Running {
    let site = DevSite::builder().server("dev").start().await.unwrap();
    let app = assemble(App::builder(settings(&site, &changes), routes)).build().unwrap();
    app.tenants().refresh().await.unwrap();
    Running { site, app }
}

impl Running {
    pub(crate) fn alice(&self) -> String {
        self.site.user_token("alice", "tacc")
    }

    /// GET, signed in as alice.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(
            request(Method::GET, path).header("x-tapis-token", self.alice()).body(Body::empty()).unwrap(),
        )
        .await
    }

    /// GET without a token.
    pub(crate) async fn get_anonymously(&self, path: &str) -> Answer {
        self.send(request(Method::GET, path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        send(&self.app, request).await
    }
}

pub(crate) async fn send(app: &App, request: Request<Body>) -> Answer {
    let (parts, body) = app.service().oneshot(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    Answer { status: parts.status, headers: parts.headers, body }
}

/// A request at a development host, whose tenant is the token's.
pub(crate) fn request(method: Method, path: &str) -> http::request::Builder {
    Request::builder().method(method).uri(path).header("host", "localhost:5000")
}
