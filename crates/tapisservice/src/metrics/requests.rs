//! The HTTP server's metrics, by the semantic conventions of OpenTelemetry: `http.server.request.duration` and
//! `http.server.active_requests`.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::{Method, StatusCode, Version};
use metrics::{Gauge, Histogram, Label, gauge, histogram};
#[cfg(feature = "metrics")]
use metrics::{Unit, describe_gauge, describe_histogram};
use tapisservice_core::framework::MatchedRoute;

const DURATION: &str = "http_server_request_duration_seconds";
const ACTIVE: &str = "http_server_active_requests";

/// The methods that the conventions know. A caller may make up any number of others: they are `_OTHER`.
const METHODS: [&str; 11] =
    ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE", "QUERY", "_OTHER"];

/// The service speaks plain HTTP; TLS is terminated in front of it. The scheme that a proxy reports is not trusted.
const SCHEME: (&str, &str) = ("url_scheme", "http");

/// How many statuses have a cached histogram: see [`slot`].
const SLOTS: usize = 128;

/// The metrics of the requests to a service.
///
/// Handles are cached, so that the recorder does not look them up with every request. The recorder is the one that is installed when the
/// first request completes.
#[derive(Debug)]
pub(crate) struct RequestMetrics {
    routes: Box<[RouteMetrics]>,
    unmatched: RouteMetrics,
    active: [OnceLock<Gauge>; METHODS.len()],
}

/// The durations of one route, by method and status.
#[derive(Debug, Default)]
struct RouteMetrics {
    by_method: [OnceLock<Box<[OnceLock<Histogram>; SLOTS]>>; METHODS.len()],
}

/// A request in flight. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct ActiveRequest {
    metrics: Arc<RequestMetrics>,
    method: usize,
    version: Version,
}

/// Adds the `HELP` of these metrics to the page.
#[cfg(feature = "metrics")]
pub(super) fn describe() {
    describe_histogram!(
        DURATION,
        Unit::Seconds,
        "Duration of HTTP server requests, up to the head of the response."
    );
    describe_gauge!(ACTIVE, Unit::Count, "Number of HTTP server requests that are being answered.");
}

impl RequestMetrics {
    /// Metrics for this many routes.
    pub(crate) fn new(routes: usize) -> Self {
        Self {
            routes: (0..routes).map(|_| RouteMetrics::default()).collect(),
            unmatched: RouteMetrics::default(),
            active: Default::default(),
        }
    }

    /// Counts a request as active until the return value is dropped.
    pub(crate) fn start(metrics: Arc<Self>, method: &Method, version: Version) -> ActiveRequest {
        let method = METHODS.iter().position(|name| *name == method.as_str()).unwrap_or(METHODS.len() - 1);
        metrics.active(method).increment(1.0);
        ActiveRequest { metrics, method, version }
    }

    fn active(&self, method: usize) -> &Gauge {
        self.active[method]
            .get_or_init(|| gauge!(ACTIVE, &[("http_request_method", METHODS[method]), SCHEME]))
    }
}

impl ActiveRequest {
    /// Records how long the request took. `route` is `None` where no route matched.
    pub(crate) fn completed(&self, route: Option<&MatchedRoute>, status: StatusCode, took: Duration) {
        let metrics = match route {
            Some(route) => self.metrics.routes.get(route.index),
            None => Some(&self.metrics.unmatched),
        };
        let new = || duration(METHODS[self.method], route, status, self.version);
        // HTTP/1.0 and odd statuses are rare: their histograms are looked up.
        match metrics.zip(slot(status).filter(|_| self.version == Version::HTTP_11)) {
            Some((metrics, slot)) => {
                let slots = metrics.by_method[self.method]
                    .get_or_init(|| Box::new([const { OnceLock::new() }; SLOTS]));
                slots[slot].get_or_init(new).record(took.as_secs_f64());
            }
            None => new().record(took.as_secs_f64()),
        }
    }
}

impl Drop for ActiveRequest {
    fn drop(&mut self) {
        self.metrics.active(self.method).decrement(1.0);
    }
}

fn duration(
    method: &'static str,
    route: Option<&MatchedRoute>,
    status: StatusCode,
    version: Version,
) -> Histogram {
    let mut labels = vec![Label::from(&("http_request_method", method)), Label::from(&SCHEME)];
    if let Some(route) = route {
        labels.push(Label::new("http_route", route.template.to_string()));
    }
    labels.push(Label::new("http_response_status_code", status.as_u16().to_string()));
    if status.is_server_error() {
        labels.push(Label::new("error_type", status.as_u16().to_string()));
    }
    labels.push(Label::new("network_protocol_version", version_number(version)));
    histogram!(DURATION, labels)
}

/// The version as the conventions write it.
fn version_number(version: Version) -> &'static str {
    match version {
        Version::HTTP_09 => "0.9",
        Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2",
        Version::HTTP_3 => "3",
        _ => "1.1",
    }
}

/// A number below [`SLOTS`] for each status that the registry of HTTP statuses has, and no two of them the same.
fn slot(status: StatusCode) -> Option<usize> {
    let (class, rest) = (status.as_u16() / 100, usize::from(status.as_u16() % 100));
    let (first, room) = match class {
        2 => (0, 32),
        3 => (32, 16),
        4 => (48, 64),
        5 => (112, 16),
        _ => return None,
    };
    (rest < room).then_some(first + rest)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_statuses_share_a_histogram() {
        let statuses = (100..600).filter_map(|code| StatusCode::from_u16(code).ok());
        let known: Vec<_> = statuses.clone().filter(|status| status.canonical_reason().is_some()).collect();
        let informational = |status: &&StatusCode| status.is_informational();
        assert!(known.iter().all(|status| status.is_informational() || slot(*status).is_some()));
        assert!(known.iter().filter(informational).all(|status| slot(*status).is_none()));
        let slots: Vec<_> = statuses.filter_map(slot).collect();
        assert!(slots.iter().all(|slot| *slot < SLOTS));
        assert_eq!(slots.iter().collect::<HashSet<_>>().len(), slots.len());
    }
}
