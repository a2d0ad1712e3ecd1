//! A route's limit for writing its responses.

use std::time::Duration;

/// Overrides [`Limits::response_timeout`](crate::Limits::response_timeout) for one response. The server reads it from the
/// extensions of the response, where [`ResponseTimeoutLayer`](crate::ResponseTimeoutLayer) sets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseLimit {
    /// No limit, as long as the client makes progress.
    Streaming,
    /// A limit for the whole response. The minimum rate of the server still applies.
    Within(Duration),
}
