//! The metric of outgoing requests, by the semantic conventions of OpenTelemetry for HTTP clients.

use http::{Extensions, Method, Version};
use metrics::{Label, Unit, describe_histogram, histogram};
use reqwest::{Request, RequestBuilder, Response, Url};
use reqwest_middleware::{Error, Middleware, Next};
use tokio::time::Instant;

use super::Transport;

const DURATION: &str = "http_client_request_duration_seconds";

impl Transport {
    /// Describes `http_client_request_duration_seconds` to the recorder of the [`metrics`](https://docs.rs/metrics) crate that is installed.
    /// A service does it when it serves its metrics; a program with a recorder of its own calls this once.
    ///
    /// Each request that is sent is recorded, retries and redirects too, with the labels `http_request_method`, `server_address`,
    /// `server_port`, `http_response_status_code`, `network_protocol_version` and `error_type`: the status of an error, `timeout`,
    /// `connect`, `cancelled` or `_OTHER`.
    pub fn describe_metrics() {
        describe_histogram!(
            DURATION,
            Unit::Seconds,
            "Duration of HTTP client requests, up to the head of the response."
        );
    }
}

/// Sends a request by `send`, and records how long it took.
async fn measured<E>(
    method: &Method,
    url: &Url,
    send: impl Future<Output = Result<Response, E>>,
    error_type: impl FnOnce(&E) -> &'static str,
) -> Result<Response, E> {
    let mut request = ClientRequest { method, url, start: Instant::now(), ended: false };
    let outcome = send.await;
    match &outcome {
        Ok(response) => request.answered(response.status().as_u16(), response.version()),
        Err(error) => request.failed(error_type(error)),
    }
    outcome
}

/// Sends a request of a plain client, outside of the chain, and records how long it took.
pub(crate) async fn send(request: RequestBuilder) -> reqwest::Result<Response> {
    let (client, request) = request.build_split();
    let request = request?;
    let (method, url) = (request.method().clone(), request.url().clone());
    measured(&method, &url, client.execute(request), error_type).await
}

/// Records each request. It is the innermost middleware, so it sees what is sent.
pub(super) struct Metrics;

#[async_trait::async_trait]
impl Middleware for Metrics {
    async fn handle(
        &self,
        req: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<Response> {
        let (method, url) = (req.method().clone(), req.url().clone());
        let error_type = |error: &Error| match error {
            Error::Reqwest(error) => error_type(error),
            Error::Middleware(_) => "_OTHER",
        };
        measured(&method, &url, next.run(req, extensions), error_type).await
    }
}

/// The type of an error, as the label says it.
fn error_type(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        "timeout"
    } else if error.is_connect() {
        "connect"
    } else {
        "_OTHER"
    }
}

/// A request under way. Dropped before it ended, it was cancelled: its caller's time was up, or nobody waits for it any more.
struct ClientRequest<'a> {
    method: &'a Method,
    url: &'a Url,
    start: Instant,
    ended: bool,
}

impl ClientRequest<'_> {
    fn answered(&mut self, status: u16, version: Version) {
        let mut labels = vec![
            Label::new("http_response_status_code", status.to_string()),
            Label::new("network_protocol_version", if version == Version::HTTP_2 { "2" } else { "1.1" }),
        ];
        if status >= 400 {
            labels.push(Label::new("error_type", status.to_string()));
        }
        self.record(labels);
    }

    fn failed(&mut self, error_type: &'static str) {
        self.record(vec![Label::new("error_type", error_type)]);
    }

    fn record(&mut self, outcome: Vec<Label>) {
        self.ended = true;
        let mut labels = vec![
            Label::new("http_request_method", self.method.as_str().to_owned()),
            Label::new("server_address", self.url.host_str().unwrap_or_default().to_owned()),
            Label::new("server_port", self.url.port_or_known_default().unwrap_or_default().to_string()),
        ];
        labels.extend(outcome);
        histogram!(DURATION, labels).record(self.start.elapsed().as_secs_f64());
    }
}

impl Drop for ClientRequest<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.failed("cancelled");
        }
    }
}
