//! What a service's client can say of itself.

pub use crate::tokens::TokenReport;
use crate::transport::BreakerReport;

/// The state of a service's tokens and circuit breakers, for readiness and metrics.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ServiceReport {
    /// The token for each site that was needed so far.
    pub tokens: Vec<TokenReport>,
    /// The breaker of each service at each site that was called so far.
    pub breakers: Vec<BreakerReport>,
}
