//! The registry and its cache, by behaviour.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cache;
mod hosts;
mod records;
mod registry;
