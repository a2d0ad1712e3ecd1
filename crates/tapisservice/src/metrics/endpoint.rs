//! `GET /metrics`.

use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use http::header::CONTENT_TYPE;
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tapisservice_serve::{Limits, ServeError, Server, Shutdown};
use tokio::time::interval;

use super::{Sources, requests, sources};
use crate::background::metrics as background;
use crate::middleware::catch_panic::CatchPanicLayer;

/// The upper bounds of the buckets of histograms, in seconds: what the semantic conventions advise for HTTP.
const BUCKETS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

/// How often samples are put into their buckets.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// The recorder of the process: the `metrics` crate knows one only.
static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();

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
    let upkeep = tokio::spawn(run_upkeep(recorder.clone()));
    let show = move || {
        let (sources, recorder) = (sources.clone(), recorder.clone());
        async move {
            sources.record();
            ([(CONTENT_TYPE, "text/plain; version=0.0.4")], recorder.render())
        }
    };
    // Around the callbacks of the service too: they may panic.
    let router = Router::new().route("/metrics", get(show)).layer(CatchPanicLayer);
    let serving = server.serve(router, Limits::default(), shutdown);
    tokio::spawn(async move {
        // It ends in no other way: the default limits are valid.
        let _ = serving.await;
        upkeep.abort();
    });
    Ok(bound)
}

/// Puts samples into the buckets of their histograms from time to time. Without it they pile up while the page is not scraped.
async fn run_upkeep(recorder: PrometheusHandle) {
    let mut times = interval(UPKEEP_INTERVAL);
    loop {
        times.tick().await;
        recorder.run_upkeep();
    }
}

fn builder() -> Result<PrometheusBuilder, BuildError> {
    let duration_of_tasks = Matcher::Full(background::DURATION.to_owned());
    PrometheusBuilder::new()
        .set_buckets(&BUCKETS)?
        .set_buckets_for_metric(duration_of_tasks, &background::BUCKETS)
}

fn recorder() -> PrometheusHandle {
    let build = || {
        let recorder = builder().unwrap_or_else(|_| PrometheusBuilder::new()).build_recorder();
        let handle = recorder.handle();
        // A program with a recorder of its own keeps it, and its metrics.
        let _ = metrics::set_global_recorder(recorder);
        requests::describe();
        sources::describe();
        background::describe();
        #[cfg(feature = "client")]
        tapisservice_client::Transport::describe_metrics();
        handle
    };
    RECORDER.get_or_init(build).clone()
}
