//! Figures for Prometheus, on a port of their own so that the proxy cannot expose them (rule D7).
//!
//! Requests are counted where they end; everything else is read from its owner when somebody asks.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use http::header::CONTENT_TYPE;
use http::{Method, StatusCode};
use metrics::{counter, gauge, histogram};
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};
use tapisservice_client::ServiceClient;
use tapisservice_client::transport::BreakerState;
use tapisservice_tenants::{CacheState, TenantCache};
use tokio::runtime::Handle;

use crate::serve::{CloseReason, Limits, ServeError, Server, ServerStats, Shutdown};

/// Bounds of the histogram of answers, in seconds.
const SECONDS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0];

/// The recorder of the process: the `metrics` crate knows one only.
static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();

/// Whose figures are shown.
#[derive(Clone)]
pub(crate) struct Sources {
    pub(crate) server: ServerStats,
    pub(crate) tenants: TenantCache,
    pub(crate) service_client: Option<ServiceClient>,
    pub(crate) figures: Vec<Figures>,
}

/// Sets gauges of something that the service has besides.
pub(crate) type Figures = Arc<dyn Fn() + Send + Sync>;

/// Counts a request that was answered.
pub(crate) fn request(method: &Method, status: StatusCode, took: Duration) {
    let method = known(method);
    counter!("tapisservice_requests_total", "method" => method, "status" => status.as_u16().to_string())
        .increment(1);
    histogram!("tapisservice_request_seconds", "method" => method).record(took.as_secs_f64());
}

/// Counts a panic (F19).
pub(crate) fn panic() {
    counter!("tapisservice_panics_total").increment(1);
}

/// A caller may invent methods without end.
fn known(method: &Method) -> &'static str {
    let all = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    all.into_iter().find(|name| *name == method.as_str()).unwrap_or("other")
}

/// Serves `GET /metrics` until the shutdown ends.
///
/// # Errors
///
/// When the address cannot be listened on.
pub(crate) async fn serve(
    address: SocketAddr,
    sources: Sources,
    shutdown: Shutdown,
) -> Result<SocketAddr, ServeError> {
    let server = Server::bind(address).await?;
    let bound = server.local_addr();
    let recorder = recorder();
    let show = move || {
        let (sources, recorder) = (sources.clone(), recorder.clone());
        async move {
            sources.read();
            ([(CONTENT_TYPE, "text/plain; version=0.0.4")], recorder.render())
        }
    };
    let router = Router::new().route("/metrics", get(show));
    tokio::spawn(server.serve(router, Limits::default(), shutdown));
    Ok(bound)
}

fn recorder() -> PrometheusHandle {
    let build = || {
        let builder: Result<_, BuildError> = PrometheusBuilder::new().set_buckets(&SECONDS);
        let recorder = builder.unwrap_or_else(|_| PrometheusBuilder::new()).build_recorder();
        let handle = recorder.handle();
        // A program that has a recorder of its own keeps it, and its figures.
        let _ = metrics::set_global_recorder(recorder);
        handle
    };
    RECORDER.get_or_init(build).clone()
}

impl Sources {
    #[expect(clippy::cast_precision_loss, reason = "figures to look at")]
    fn read(&self) {
        gauge!("tapisservice_connections").set(self.server.open() as f64);
        counter!("tapisservice_connections_accepted_total").absolute(self.server.accepted());
        counter!("tapisservice_accept_errors_total").absolute(self.server.accept_errors());
        for reason in CloseReason::ALL {
            let closed = counter!("tapisservice_connections_closed_total", "reason" => reason.as_str());
            closed.absolute(self.server.closed(reason));
        }
        gauge!("tapisservice_tasks").set(Handle::current().metrics().num_alive_tasks() as f64);
        let (tenants, answers) = match self.tenants.state() {
            CacheState::Filled { tenants, last_failure, .. } => (tenants, last_failure.is_none()),
            _ => (0, false),
        };
        gauge!("tapisservice_tenants").set(tenants as f64);
        gauge!("tapisservice_registry_up").set(f64::from(u8::from(answers)));
        if let Some(client) = &self.service_client {
            calls(client);
        }
        self.figures.iter().for_each(|record| record());
    }
}

fn calls(client: &ServiceClient) {
    let report = client.report();
    for token in report.tokens {
        let site = token.site.to_string();
        let left = token.usable_for.unwrap_or_default().as_secs_f64();
        gauge!("tapisservice_token_usable_seconds", "site" => site.clone()).set(left);
        counter!("tapisservice_token_failures_total", "site" => site).absolute(token.failed);
    }
    for breaker in report.breakers {
        let labels = [("site", breaker.site), ("service", breaker.service)];
        let open = f64::from(u8::from(breaker.state != BreakerState::Closed));
        gauge!("tapisservice_breaker_open", &labels).set(open);
        counter!("tapisservice_breaker_opened_total", &labels).absolute(breaker.opened);
        counter!("tapisservice_breaker_held_back_total", &labels).absolute(breaker.held_back);
    }
}
