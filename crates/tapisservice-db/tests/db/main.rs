//! The database on both engines.
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests, too")]

mod dialect;
mod errors;
mod faults;
mod helpers;
mod migrations;
mod scopes;
mod secrets;
mod transactions;
