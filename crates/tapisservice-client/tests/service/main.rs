//! A service calls others on a development site, over real HTTP.

#![expect(clippy::unwrap_used, reason = "a test ends at the first thing that is not as it should be")]

mod failures;
mod helpers;
mod identity;
mod routes;
mod secrets;
mod tokens;
