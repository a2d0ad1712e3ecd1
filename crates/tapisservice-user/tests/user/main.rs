//! Tapis as a user calls it, over real HTTP.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails the test")]

mod browser;
mod device;
mod fake;
mod helpers;
mod log_in;
mod refresh;
mod sdk_configuration;
mod secrets;
mod store;
mod typed;
