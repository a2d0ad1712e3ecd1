//! A server that keeps what it was sent and answers by a script, and credentials that count.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use http::{HeaderMap, HeaderValue, Method};
use parking_lot::Mutex;
use tapisservice_client::transport::RetryPolicy;
use tapisservice_client::{
    BoxFuture, CallDestination, ClientError, Credentials, ResourceClient, Transport, TransportSettings,
};
use tokio::net::TcpListener;

/// A request as it came over the wire.
#[derive(Debug, Clone)]
pub(crate) struct Recorded {
    pub(crate) method: Method,
    /// Path and query as they were sent.
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Recorded {
    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap()
    }

    pub(crate) fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }

    /// The one field line of that name.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.get_all(name).iter();
        let first = all.next()?;
        assert!(all.next().is_none(), "{name} came twice");
        Some(std::str::from_utf8(first.as_bytes()).unwrap())
    }
}

#[derive(Clone, Default)]
struct Shared {
    seen: Arc<Mutex<Vec<Recorded>>>,
    script: Arc<Mutex<VecDeque<Response>>>,
}

/// A server on a port of its own.
pub(crate) struct Server {
    shared: Shared,
    pub(crate) base_url: String,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let shared = Shared::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let app = axum::Router::new().fallback(record).with_state(shared.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { shared, base_url }
    }

    /// The next response; without one it is an envelope with the result null.
    pub(crate) fn respond(&self, response: Response) {
        self.shared.script.lock().push_back(response);
    }

    /// The next responses by their statuses.
    pub(crate) fn statuses(&self, statuses: &[u16]) {
        for status in statuses {
            self.respond(response(*status, &[], "{}"));
        }
    }

    /// What came since the last time.
    pub(crate) fn take(&self) -> Vec<Recorded> {
        std::mem::take(&mut self.shared.seen.lock())
    }

    pub(crate) fn take_one(&self) -> Recorded {
        let mut all = self.take();
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    pub(crate) fn destination(&self) -> CallDestination {
        CallDestination::new(&self.base_url, "tacc", "recorder").unwrap()
    }

    pub(crate) fn resource_client(&self) -> ResourceClient {
        ResourceClient::new(&transport(2), self.destination(), None)
    }
}

async fn record(State(shared): State<Shared>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default().to_vec();
    let target = parts.uri.path_and_query().map_or_else(String::new, ToString::to_string);
    shared.seen.lock().push(Recorded { method: parts.method, target, headers: parts.headers, body });
    let scripted = shared.script.lock().pop_front();
    scripted
        .unwrap_or_else(|| json(r#"{"message": "m", "result": null, "status": "success", "version": "1"}"#))
}

pub(crate) fn response(status: u16, headers: &[(&str, &str)], body: impl Into<Body>) -> Response {
    let mut builder = Response::builder().status(status);
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    builder.body(body.into()).unwrap()
}

pub(crate) fn json(body: impl Into<Body>) -> Response {
    response(200, &[("content-type", "application/json")], body)
}

/// A transport that repeats so many times, without waiting, and whose breakers stay closed.
pub(crate) fn transport(retries: u32) -> Transport {
    let mut settings = TransportSettings::default();
    settings.client_breaker_failures = 0;
    transport_with(retries, &settings)
}

pub(crate) fn transport_with(retries: u32, settings: &TransportSettings) -> Transport {
    let policy =
        RetryPolicy::default().with_retries(retries).with_base(Duration::ZERO).with_cap(Duration::ZERO);
    Transport::builder(settings).retry_policy(policy).build().unwrap()
}

/// Credentials whose token has a number that renewing raises.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    pub(crate) number: AtomicUsize,
    pub(crate) renewals: AtomicUsize,
    /// Whether renewing does nothing.
    pub(crate) stuck: bool,
    /// Whether there is no token at all.
    pub(crate) none: bool,
}

impl Credentials for Tokens {
    fn headers(&self) -> BoxFuture<'_, Result<HeaderMap, ClientError>> {
        Box::pin(async {
            if self.none {
                return Err(ClientError::Credentials { reason: "no token".to_owned(), temporary: true });
            }
            let token = format!("token-{}", self.number.load(Ordering::SeqCst));
            let mut headers = HeaderMap::new();
            headers.insert("x-tapis-token", HeaderValue::try_from(token).unwrap());
            headers.insert("x-tapis-user", HeaderValue::from_static("alice"));
            Ok(headers)
        })
    }

    fn renew<'a>(&'a self, refused: &'a HeaderMap) -> BoxFuture<'a, Result<bool, ClientError>> {
        Box::pin(async {
            assert!(refused.contains_key("x-tapis-token"));
            self.renewals.fetch_add(1, Ordering::SeqCst);
            if self.stuck {
                return Ok(false);
            }
            self.number.fetch_add(1, Ordering::SeqCst);
            Ok(true)
        })
    }
}
