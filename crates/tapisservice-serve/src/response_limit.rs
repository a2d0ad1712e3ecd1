//! What a route says about the time for writing its answers.

use std::time::Duration;

/// How long writing an answer may take, in place of [`Limits::response_timeout`](crate::Limits::response_timeout). The server reads it from
/// the answer's extensions; [`ResponseTimeoutLayer`](crate::ResponseTimeoutLayer) sets it there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseLimit {
    /// As long as the client takes bytes now and then.
    Streaming,
    /// In all; and at the least rate of the server.
    Within(Duration),
}
