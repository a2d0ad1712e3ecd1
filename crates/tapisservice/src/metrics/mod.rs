//! Metrics for Prometheus, on a port of their own so that the proxy cannot expose them (rule D7).
//!
//! Requests are recorded when they end. Everything else is read from its owner when the page is scraped. `docs/OPERATIONS.md` lists all
//! metrics; names and labels follow the semantic conventions of OpenTelemetry where these have one.

#[cfg(feature = "metrics")]
mod endpoint;
mod requests;
#[cfg(feature = "metrics")]
mod sources;

#[cfg(feature = "metrics")]
pub(crate) use endpoint::serve;
pub(crate) use requests::{ActiveRequest, RequestMetrics};
#[cfg(feature = "metrics")]
pub(crate) use sources::{ScrapeCallback, Sources};

use metrics::counter;

const PANICS: &str = "tapisservice_panics_total";

/// Counts a panic (F19). [`run`](crate::run) has the panic hook call it, so that panics of tasks count too; a program that assembles its
/// [`App`](crate::App) without `run` passes it to [`logs::set_panic_hook`](crate::logs::set_panic_hook).
pub fn count_panic() {
    counter!(PANICS).increment(1);
}
