//! The keys that limit requests and connections.

use schemars::JsonSchema;
use serde::Deserialize;
use tapisservice_config::{Config, Violation};
use tapisservice_core::Seconds;
use tapisservice_serve::Limits;

/// The keys behind [`Limits`], which has their defaults.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct LimitSettings {
    // More is a 431. As large as it is so that an oversized token is a 401 with an explanation.
    /// Largest header block of a request, in bytes.
    #[schemars(range(min = 8192, max = 1_048_576))]
    max_header_bytes: usize,
    /// Longest request target, in bytes.
    #[schemars(range(min = 256, max = 65_535))]
    max_uri_bytes: usize,
    /// Largest request body, in bytes, for routes that set no limit of their own (`body_limit`).
    #[schemars(range(max = 1_099_511_627_776_u64))]
    max_body_bytes: usize,
    /// Maximum number of concurrent connections.
    #[schemars(range(min = 1, max = 1_000_000))]
    max_connections: usize,
    /// Seconds a client may take to send the header block. The first request counts from the opening of the connection, each later request from its first byte.
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 3600))]
    header_timeout_seconds: Seconds,
    /// Seconds a connection may stay open between two requests.
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 3600))]
    idle_timeout_seconds: Seconds,
    /// Seconds a request body may stay without progress.
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 3600))]
    body_timeout_seconds: Seconds,
    /// Seconds a request may take as a whole, for routes that set no limit of their own (`timeout`).
    #[schemars(extend("exclusiveMinimum" = 0))]
    request_timeout_seconds: Seconds,
    /// Seconds that writing a response may take. Not for routes that set their own limit (`response_timeout`) or stream (`streaming`).
    #[schemars(extend("exclusiveMinimum" = 0))]
    response_timeout_seconds: Seconds,
    /// Minimum average rate, in bytes per second, at which a client must read a response. Only time spent waiting for the client counts, after the first 5 s. 0 disables it; streaming routes are exempt.
    #[schemars(range(max = 1_073_741_824))]
    response_min_bytes_per_second: u64,
    /// Seconds between SIGTERM and the closing of the listener. Readiness fails during this time.
    #[schemars(extend("maximum" = 3600))]
    drain_seconds: Seconds,
    /// Seconds after SIGTERM at which requests in flight and background tasks are aborted.
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 3600))]
    shutdown_seconds: Seconds,
}

impl Default for LimitSettings {
    fn default() -> Self {
        let limits = Limits::default();
        let seconds = |duration| Seconds::try_from(duration).expect("defaults are less than a day");
        Self {
            max_header_bytes: limits.max_header_bytes,
            max_uri_bytes: limits.max_uri_bytes,
            max_body_bytes: limits.max_body_bytes,
            max_connections: limits.max_connections,
            header_timeout_seconds: seconds(limits.header_timeout),
            idle_timeout_seconds: seconds(limits.idle_timeout),
            body_timeout_seconds: seconds(limits.body_timeout),
            request_timeout_seconds: seconds(limits.request_timeout),
            response_timeout_seconds: seconds(limits.response_timeout),
            response_min_bytes_per_second: limits.response_min_bytes_per_second,
            drain_seconds: seconds(limits.drain),
            shutdown_seconds: seconds(limits.shutdown),
        }
    }
}

impl From<LimitSettings> for Limits {
    fn from(settings: LimitSettings) -> Self {
        let mut limits = Self::default();
        limits.max_header_bytes = settings.max_header_bytes;
        limits.max_uri_bytes = settings.max_uri_bytes;
        limits.max_body_bytes = settings.max_body_bytes;
        limits.max_connections = settings.max_connections;
        limits.header_timeout = settings.header_timeout_seconds.duration();
        limits.idle_timeout = settings.idle_timeout_seconds.duration();
        limits.body_timeout = settings.body_timeout_seconds.duration();
        limits.request_timeout = settings.request_timeout_seconds.duration();
        limits.response_timeout = settings.response_timeout_seconds.duration();
        limits.response_min_bytes_per_second = settings.response_min_bytes_per_second;
        limits.drain = settings.drain_seconds.duration();
        limits.shutdown = settings.shutdown_seconds.duration();
        limits
    }
}

/// The combinations with which no request could be served.
pub(super) fn check(config: &Config, settings: &LimitSettings) -> Vec<Violation> {
    let violation = |(key, rule): (&str, &str)| match key {
        "shutdown_seconds" => config.violation(key, rule).depends_on("drain_seconds"),
        _ => config.violation(key, rule),
    };
    Limits::from(settings.clone()).violations().into_iter().map(violation).collect()
}
