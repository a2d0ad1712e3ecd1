//! The transport: one connection pool, and a middleware chain that every request passes, those of the official SDK too.
//!
//! Outermost first:
//!
//! | middleware | what it does |
//! |---|---|
//! | `guard` | rejects requests outside of the destination, before anything is added to them |
//! | `tracking` | passes on the tracking id of the current request, and logs the outcome |
//! | `circuit_breaker` | rejects calls while a service at a site is failing |
//! | `deadline` | ends the call at its deadline, retries included |
//! | `retry` | retries what may be retried |
//! | `authorize` | adds the credentials to each attempt, and sends it once more after a 401 that renewed the token |
//! | `redirect` | follows redirects of `GET` and `HEAD` within the destination |
//! | `metrics` | records how long each request took |
//!
//! The guard is first because no later middleware changes where a request goes. The circuit breaker is outside the deadline because a
//! service that hangs is failing. Each attempt gets its credentials anew because a token may have expired since the one before.

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
