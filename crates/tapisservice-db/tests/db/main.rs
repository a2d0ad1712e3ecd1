//! The database on both engines.
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests, too")]
#![expect(clippy::disallowed_methods, reason = "the tests look across tenants to see what scopes hide")]

mod dialect;
mod errors;
mod faults;
mod helpers;
mod migrations;
mod scopes;
mod scripts;
mod secrets;
mod tls;
mod transactions;
