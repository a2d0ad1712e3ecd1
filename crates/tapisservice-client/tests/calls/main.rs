//! Calls over real HTTP, against a server that keeps what it was sent.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod arguments;
mod bodies;
mod helpers;
mod operations;
mod origins;
mod responses;
mod retries;
mod sign_in;
