//! An assembled service, asked without a socket; tokens and registry come from a devsite.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod background;
mod bodies;
mod calls;
mod context;
mod envelope;
mod health;
mod helpers;
mod logs;
mod mounting;
mod paths;
mod policies;
mod route_limits;
mod upgrades;
