//! A site, a service on it, and requests to that service.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::body::Body;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tapisservice::serve::Server;
use tapisservice::{App, AppBuilder, Routes, Settings};
use tapisservice_devsite::DevSite;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tower::ServiceExt as _;

/// A devsite and an app that has read its registry.
pub(crate) struct Running {
    pub(crate) site: DevSite,
    pub(crate) app: App,
}

/// A response, read whole.
#[derive(Debug)]
pub(crate) struct TestResponse {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl TestResponse {
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
        Settings::loader().environment([("TAPIS_CONFIG_PATH", path.to_str().unwrap())]).load().unwrap();
    Settings::from_config(&config).unwrap()
}

/// Starts a site and assembles a service on it.
pub(crate) async fn start(
    routes: Routes,
    changes: Value,
    assemble: impl FnOnce(AppBuilder) -> AppBuilder,
) -> Running {
    let site = DevSite::builder().server("dev").start().await.unwrap();
    let app = assemble(App::builder(settings(&site, &changes)).routes(routes)).build().unwrap();
    app.tenants().refresh().await.unwrap();
    Running { site, app }
}

impl Running {
    pub(crate) fn alice(&self) -> String {
        self.site.token_for_user("tacc", "alice")
    }

    /// Serves it on a free port.
    pub(crate) async fn serve(&self) -> SocketAddr {
        let server = Server::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = server.local_addr();
        tokio::spawn(self.app.clone().serve(server));
        address
    }

    /// GET, signed in as alice.
    pub(crate) async fn get(&self, path: &str) -> TestResponse {
        self.send(
            request(Method::GET, path).header("x-tapis-token", self.alice()).body(Body::empty()).unwrap(),
        )
        .await
    }

    /// GET without a token.
    pub(crate) async fn get_anonymously(&self, path: &str) -> TestResponse {
        self.send(request(Method::GET, path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> TestResponse {
        send(&self.app, request).await
    }
}

pub(crate) async fn send(app: &App, request: Request<Body>) -> TestResponse {
    let (parts, body) = app.service().oneshot(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    TestResponse { status: parts.status, headers: parts.headers, body }
}

/// Sends this and nothing more; the response's status and body, once the server has closed or said all it has to say.
pub(crate) async fn exchange(address: SocketAddr, head: &str, body: &[u8]) -> (u16, Value) {
    let (text, _) = raw_exchange(address, head, body).await;
    let status = text.split(' ').nth(1).unwrap_or_default().parse().unwrap_or_default();
    let body = text.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default();
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}

/// The same, as text, with the time it took to the last byte of the response.
pub(crate) async fn raw_exchange(address: SocketAddr, head: &str, body: &[u8]) -> (String, Duration) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let sent = [head.as_bytes(), b"Host: localhost:5000\r\n\r\n", body].concat();
    stream.write_all(&sent).await.unwrap();
    let start = Instant::now();
    let (mut response, mut piece) = (Vec::new(), [0; 4096]);
    while !is_whole(&response) {
        let read = timeout(Duration::from_secs(20), stream.read(&mut piece)).await;
        match read.expect("the server answers in time") {
            Ok(0) | Err(_) => break,
            Ok(read) => response.extend(&piece[..read]),
        }
    }
    (String::from_utf8(response).unwrap(), start.elapsed())
}

/// Whether a response has as many bytes as it says.
fn is_whole(response: &[u8]) -> bool {
    let text = String::from_utf8_lossy(response).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    length.is_some_and(|length| length.trim().parse() == Ok(body.len()))
}

/// A request at a development host, whose tenant is the token's.
pub(crate) fn request(method: Method, path: &str) -> http::request::Builder {
    Request::builder().method(method).uri(path).header("host", "localhost:5000")
}
