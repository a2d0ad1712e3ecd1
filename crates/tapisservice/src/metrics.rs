//! Metrics for Prometheus, on a port of their own so that the proxy cannot expose them (rule D7).
//!
//! Requests are counted where they end; everything else is read from its owner when somebody asks.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use http::header::CONTENT_TYPE;
use http::{Method, StatusCode};
use metrics::{Counter, Histogram, counter, gauge, histogram};
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};
use tapisservice_client::ServiceClient;
use tapisservice_client::transport::BreakerState;
use tapisservice_tenants::{CacheState, TenantCache};
use tokio::runtime::Handle;
use tokio::time::interval;
use tower_http::catch_panic::CatchPanicLayer;

use crate::serve::{CloseReason, Limits, ServeError, Server, ServerStats, Shutdown};

/// Bounds of the histogram of answers, in seconds.
const SECONDS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0];

/// How often samples are put into their buckets.
const UPKEEP: Duration = Duration::from_secs(5);

/// The recorder of the process: the `metrics` crate knows one only.
static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();

/// What the metrics are read from.
#[derive(Clone)]
pub(crate) struct Sources {
    pub(crate) server: ServerStats,
    pub(crate) tenants: TenantCache,
    /// The tenants of the setting `tenants`, or `None` for all (rule H7).
    pub(crate) served: Option<Arc<[String]>>,
    pub(crate) service_client: Option<ServiceClient>,
    pub(crate) on_scrape: Vec<ScrapeCallback>,
}

/// Sets gauges of something that the service has besides.
pub(crate) type ScrapeCallback = Arc<dyn Fn() + Send + Sync>;

/// Counts the requests that were answered. What the recorder gave for a method and a status is kept, so that it is not looked up with
/// every request; the recorder of the process is the one that is there when the first request is answered.
#[derive(Debug, Default)]
pub(crate) struct RequestMetrics {
    of_method: [OnceLock<MethodMetrics>; METHODS.len()],
}

#[derive(Debug)]
struct MethodMetrics {
    seconds: Histogram,
    answers: Box<[OnceLock<Counter>]>,
}

/// The statuses of HTTP (RFC 9110 section 15).
const STATUSES: std::ops::Range<u16> = 100..600;

/// A caller may invent methods without end.
const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other"];

impl RequestMetrics {
    /// Counts one.
    pub(crate) fn answered(&self, method: &Method, status: StatusCode, took: Duration) {
        let known = METHODS.iter().position(|name| *name == method.as_str()).unwrap_or(METHODS.len() - 1);
        let method = METHODS[known];
        let metrics = self.of_method[known].get_or_init(|| MethodMetrics {
            seconds: histogram!("tapisservice_request_seconds", "method" => method),
            answers: STATUSES.map(|_| OnceLock::new()).collect(),
        });
        metrics.seconds.record(took.as_secs_f64());
        let status = status.as_u16();
        let new =
            || counter!("tapisservice_requests_total", "method" => method, "status" => status.to_string());
        match metrics.answers.get(usize::from(status.wrapping_sub(STATUSES.start))) {
            Some(counter) => counter.get_or_init(new).increment(1),
            None => new().increment(1),
        }
    }
}

/// Counts a panic (F19).
pub(crate) fn panic() {
    counter!("tapisservice_panics_total").increment(1);
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
    let server = Server::bind_for("metrics_listen", address).await?;
    let bound = server.local_addr();
    let recorder = recorder();
    let upkeep = tokio::spawn(keep_up(recorder.clone()));
    let show = move || {
        let (sources, recorder) = (sources.clone(), recorder.clone());
        async move {
            sources.read();
            ([(CONTENT_TYPE, "text/plain; version=0.0.4")], recorder.render())
        }
    };
    // Around the callbacks of the service too: they may panic.
    let router = Router::new().route("/metrics", get(show)).layer(CatchPanicLayer::new());
    let serving = server.serve(router, Limits::default(), shutdown);
    tokio::spawn(async move {
        // It ends in no other way: the limits are good ones.
        let _ = serving.await;
        upkeep.abort();
    });
    Ok(bound)
}

/// Puts samples into the buckets of their histograms now and then: while nobody asks for the metrics, they would be kept one by one.
async fn keep_up(recorder: PrometheusHandle) {
    let mut times = interval(UPKEEP);
    loop {
        times.tick().await;
        recorder.run_upkeep();
    }
}

fn recorder() -> PrometheusHandle {
    let build = || {
        let builder: Result<_, BuildError> = PrometheusBuilder::new().set_buckets(&SECONDS);
        let recorder = builder.unwrap_or_else(|_| PrometheusBuilder::new()).build_recorder();
        let handle = recorder.handle();
        // A program that has a recorder of its own keeps it, and its metrics.
        let _ = metrics::set_global_recorder(recorder);
        handle
    };
    RECORDER.get_or_init(build).clone()
}

impl Sources {
    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
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
        for tenant in self.served.as_deref().unwrap_or(&["*".to_owned()]) {
            gauge!("tapisservice_tenant_served", "tenant" => tenant.clone()).set(1.0);
        }
        gauge!("tapisservice_registry_up").set(f64::from(u8::from(answers)));
        if let Some(client) = &self.service_client {
            calls(client);
        }
        self.on_scrape.iter().for_each(|record| record());
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
        counter!("tapisservice_breaker_rejected_total", &labels).absolute(breaker.rejected);
    }
}
