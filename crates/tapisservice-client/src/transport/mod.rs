//! The way out: one pool of connections, and a chain that every request passes, from typed calls to the official SDK's.
//!
//! Outermost first:
//!
//! | link | what it does |
//! |---|---|
//! | `guard` | refuses what does not lie below the destination, before anything is attached to it |
//! | `tracking` | passes the tracking id of the current request on, and logs the outcome |
//! | `circuit_breaker` | rejects calls while a service at a site fails |
//! | `deadline` | ends the call when its time is up, repetitions included |
//! | `retry` | repeats what may be repeated |
//! | `authorize` | signs every single try in, and once more after a 401 that renewed the token |
//! | `redirect` | follows redirects of `GET` and `HEAD` within the destination |
//! | `metrics` | records how long each request took that was sent |
//!
//! The guard is first because no later link changes where a request goes; the circuit breaker is outside the deadline because a
//! service that hangs is a service that fails; each try is signed in anew because the one before may have outlived its token.

mod authorize;
mod circuit_breaker;
mod client;
mod deadline;
mod destination;
mod failure;
mod guard;
mod localhost;
mod metrics;
mod redirect;
mod retry;
mod retry_after;
mod settings;
mod tracking;

pub use circuit_breaker::{BreakerReport, BreakerState};
pub use client::{Transport, TransportBuilder};
pub use destination::CallDestination;
pub use localhost::LocalhostResolver;
pub use retry::RetryPolicy;
pub use settings::TransportSettings;

pub(crate) use client::ResponseLimits;
pub(crate) use deadline::{BodyProgress, TimeLimit};
pub(crate) use failure::{Failed, redacted};
pub(crate) use metrics::send;
pub(crate) use retry::RetryChoice;
pub(crate) use retry_after::retry_after;
pub(crate) use tracking::TRACKING_HEADER;
