//! The example service on a site of its own, called without a socket.

use axum::body::Body;
use axum::extract::Request;
use http::{Method, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::Value;
use bookmarks::Bookmarks;
use tapisservice::{App, Settings, program};
use tapisservice_devsite::DevSite;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt as _;

/// The service. It runs only while it handles a request.
pub struct Service {
    runtime: Runtime,
    app: App,
    token: String,
    _site: DevSite,
    _folder: TempDir,
}

/// A response, which is always an envelope.
#[derive(Debug)]
pub struct TestResponse {
    pub status: StatusCode,
    pub envelope: Value,
}

impl Service {
    /// Starts it on an empty database.
    pub fn start() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let database = format!("sqlite://{}?mode=rwc", folder.path().join("bookmarks.db").display());
        let (site, app) = runtime.block_on(async {
            let site = DevSite::builder().server("dev").start().await.unwrap();
            let mut values = site.config_json("bookmarks").unwrap();
            values["sql_db_url"] = database.into();
            let config = program::loader::<Bookmarks>()
                .environment([("", ""); 0])
                .default_config_path("")
                .default_schema_path("")
                .fallback_config("fuzz", values.to_string())
                .load()
                .unwrap();
            let settings = Settings::from_config(&config).unwrap();
            let app = program::assemble::<Bookmarks>(&config, settings).await.unwrap().build().unwrap();
            app.tenants().refresh().await.unwrap();
            (site, app)
        });
        let token = site.token_for_user("tacc", "alice");
        Self { runtime, app, token, _site: site, _folder: folder }
    }

    /// Sends a request as alice. The response is an envelope, and no server error.
    pub fn send(&self, method: Method, path_and_query: &str, body: &[u8]) -> TestResponse {
        let request = Request::builder()
            .method(method)
            .uri(format!("/v3/bookmarks{path_and_query}"))
            .header("host", "localhost")
            .header("x-tapis-token", &self.token)
            .header("content-type", "application/json")
            .body(Body::from(body.to_vec()))
            .unwrap();
        self.runtime.block_on(async {
            let response = self.app.service().oneshot(request).await.unwrap();
            let status = response.status();
            let bytes = response.into_body().collect().await.unwrap().to_bytes();
            assert!(!status.is_server_error(), "{status} {}", String::from_utf8_lossy(&bytes));
            TestResponse { status, envelope: serde_json::from_slice(&bytes).expect("an envelope") }
        })
    }

    /// Makes a bookmark and returns its id.
    pub fn keep(&self, bookmark: &Value) -> String {
        let response = self.send(Method::POST, "", bookmark.to_string().as_bytes());
        assert_eq!(response.status, StatusCode::CREATED, "{response:?}");
        response.envelope["result"]["bookmark_id"].as_str().unwrap().to_owned()
    }
}

impl TestResponse {
    /// The message of the envelope.
    pub fn message(&self) -> &str {
        self.envelope["message"].as_str().unwrap()
    }
}
