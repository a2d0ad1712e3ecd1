//! A server on a free port with a few telling routes, and a client that says exactly what it is told.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{ConnectInfo, Request, State},
    routing::{any, get, post},
};
use http::StatusCode;
use http_body_util::BodyExt as _;
use tapisservice_serve::ResponseTimeoutLayer;
use tapisservice_serve::{
    CloseReason, Limits, Server, ServerStats, Shutdown, Stopped, is_body_timeout, uri_too_long,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::Semaphore,
    task::JoinHandle,
    time::{sleep, timeout},
};

/// Longer than anything takes that works.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// Long enough to see that something does not happen, where seeing it too late is harmless.
pub(crate) const MOMENT: Duration = Duration::from_millis(300);

/// Limits that no test runs into unless it lowers one of them.
pub(crate) fn patient() -> Limits {
    let mut limits = Limits::default();
    for timeout in [&mut limits.header_timeout, &mut limits.idle_timeout, &mut limits.body_timeout] {
        *timeout = Duration::from_mins(2);
    }
    limits.drain = Duration::from_millis(50);
    limits.shutdown = Duration::from_mins(2);
    limits
}

/// The same with some of them changed.
pub(crate) fn patient_but(change: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = patient();
    change(&mut limits);
    limits
}

pub(crate) struct TestServer {
    pub(crate) address: SocketAddr,
    pub(crate) shutdown: Shutdown,
    pub(crate) stats: ServerStats,
    /// `/gate` and the second half of `/halves` take one permit each.
    pub(crate) gate: Arc<Semaphore>,
    pub(crate) running: JoinHandle<Stopped>,
}

impl TestServer {
    pub(crate) async fn start(limits: Limits) -> Self {
        let server = Server::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let (address, stats, shutdown) = (server.local_addr(), server.stats(), Shutdown::new());
        let gate = Arc::new(Semaphore::new(0));
        let app = app(Arc::clone(&gate));
        let running = server.serve(app, limits, shutdown.clone());
        let running = tokio::spawn(async move { running.await.unwrap() });
        Self { address, shutdown, stats, gate, running }
    }

    pub(crate) async fn connect(&self) -> Client {
        Client { stream: TcpStream::connect(self.address).await.unwrap(), rest: Vec::new() }
    }

    /// Waits until this many connections have ended for the reason.
    pub(crate) async fn closed(&self, reason: CloseReason, count: u64) {
        self.wait_for(|stats| stats.closed(reason) == count).await;
    }

    pub(crate) async fn wait_for(&self, condition: impl Fn(&ServerStats) -> bool) {
        let waiting = async {
            while !condition(&self.stats) {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, waiting).await.expect("the condition holds in time");
    }

    pub(crate) async fn stopped(self) -> Stopped {
        timeout(PATIENCE, self.running).await.expect("the server stops in time").unwrap()
    }
}

pub(crate) fn app(gate: Arc<Semaphore>) -> Router {
    Router::new()
        .route("/hello", get(async || "hello"))
        .route("/number/{n}", get(async |axum::extract::Path(n): axum::extract::Path<String>| n))
        .route("/peer", get(async |ConnectInfo(peer): ConnectInfo<SocketAddr>| peer.to_string()))
        .route("/uri", get(uri))
        .route("/hosts", get(hosts))
        .route("/panic", get(panics))
        .route("/echo", post(echo))
        .route("/refuse", post(async || (StatusCode::PAYLOAD_TOO_LARGE, "too large")))
        .route("/unread", any(async || (StatusCode::UNAUTHORIZED, "no token")))
        .route("/unread-ok", any(async || "read nothing"))
        .route("/unread-gate", post(drop_and_wait))
        .route("/kept-elsewhere", post(keep_elsewhere))
        .route("/large", get(large))
        .route("/megabyte", get(async || vec![b'x'; 1 << 20]))
        .route("/large-stream", get(large).layer(ResponseTimeoutLayer::streaming()))
        .route("/gate", get(through_the_gate))
        .route("/halves", get(halves))
        .with_state(gate)
}

async fn large() -> Vec<u8> {
    vec![b'x'; 64 << 20]
}

async fn drop_and_wait(State(gate): State<Arc<Semaphore>>, body: Body) -> &'static str {
    drop(body);
    through_the_gate(State(gate)).await
}

/// Another task lets go of the body, after the answer.
async fn keep_elsewhere(State(gate): State<Arc<Semaphore>>, body: Body) -> &'static str {
    tokio::spawn(async move {
        gate.acquire().await.unwrap().forget();
        drop(body);
    });
    "kept"
}

async fn uri(request: Request) -> String {
    format!("too long: {}", uri_too_long(request.uri(), &Limits::default()))
}

async fn hosts(request: Request) -> String {
    let hosts = request.headers().get_all("host");
    let hosts: Vec<_> = hosts.iter().map(|host| host.to_str().unwrap()).collect();
    format!("{hosts:?} {:?}", request.uri().host())
}

async fn panics() {
    panic!("as asked");
}

async fn echo(body: Body) -> (StatusCode, Bytes) {
    match body.collect().await {
        Ok(body) => (StatusCode::OK, body.to_bytes()),
        Err(error) if is_body_timeout(&error) => (StatusCode::REQUEST_TIMEOUT, Bytes::new()),
        Err(_) => (StatusCode::BAD_REQUEST, Bytes::new()),
    }
}

async fn through_the_gate(State(gate): State<Arc<Semaphore>>) -> &'static str {
    gate.acquire().await.unwrap().forget();
    "through"
}

async fn halves(State(gate): State<Arc<Semaphore>>) -> Body {
    let (mut send, body) = http_body_util::channel::Channel::<Bytes, std::convert::Infallible>::new(1);
    tokio::spawn(async move {
        let _ = send.send_data("first half, ".into()).await;
        gate.acquire().await.unwrap().forget();
        let _ = send.send_data("second half".into()).await;
    });
    Body::new(body)
}

pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    rest: Vec<u8>,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn status(&self) -> u16 {
        self.head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status line")
    }

    pub(crate) fn closes(&self) -> bool {
        self.head.to_ascii_lowercase().contains("\r\nconnection: close\r\n")
    }
}

impl Client {
    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.ask(path).await;
        self.answer().await
    }

    pub(crate) async fn ask(&mut self, path: &str) {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: test\r\n\r\n")).await;
    }

    /// The next answer, which must say its length.
    pub(crate) async fn answer(&mut self) -> Answer {
        let end = b"\r\n\r\n";
        let head = loop {
            if let Some(at) = self.rest.windows(end.len()).position(|window| window == end) {
                break self.take(at + end.len());
            }
            assert!(self.more().await > 0, "the connection ended before an answer");
        };
        let length = head.to_ascii_lowercase().split_once("content-length: ").map_or(0, |(_, rest)| {
            rest.split_once("\r\n").and_then(|(length, _)| length.parse().ok()).expect("a length")
        });
        while self.rest.len() < length {
            assert!(self.more().await > 0, "the connection ended in the middle of an answer");
        }
        Answer { head, body: self.take(length) }
    }

    /// What arrives until the server closes the connection.
    pub(crate) async fn until_closed(mut self) -> String {
        while self.more().await > 0 {}
        let length = self.rest.len();
        self.take(length)
    }

    /// Whether nothing arrives for a moment and the connection stays open.
    pub(crate) async fn hears_nothing(&mut self) -> bool {
        timeout(MOMENT, self.stream.readable()).await.is_err()
    }

    async fn more(&mut self) -> usize {
        let read = timeout(PATIENCE, self.stream.read_buf(&mut self.rest));
        // A reset is an end too.
        read.await.expect("something happens in time").unwrap_or(0)
    }

    fn take(&mut self, length: usize) -> String {
        String::from_utf8(self.rest.drain(..length).collect()).unwrap()
    }
}
