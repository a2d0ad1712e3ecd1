//! What a route says about the time for writing its answers.

use std::time::Duration;

/// A value among the extensions of an answer: how long writing it may take, in place of
/// [`Limits::response_timeout`](super::Limits::response_timeout).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResponseLimit {
    /// As long as the client takes bytes now and then.
    Streaming,
    /// In all; and at the least rate of the server.
    Within(Duration),
}
