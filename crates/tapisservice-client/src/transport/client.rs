//! The connection pool, and the middleware chain in front of it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};

use super::authorize::Authorize;
use super::circuit_breaker::{Breakers, CircuitBreaker, Thresholds};
use super::deadline::Deadline;
use super::guard::Guard;
use super::metrics::Metrics;
use super::redirect::Redirect;
use super::retry::Retry;
use super::tracking::Tracking;
use super::{BreakerReport, CallDestination, RetryPolicy, TransportSettings};
use crate::settings::not_zero;
use crate::{ClientSettingsError, Credentials, http_client};

/// The connection pool of a process, with its retry policy and circuit breakers. Cheap to clone: all clones share them.
#[derive(Clone)]
pub struct Transport(Arc<Inner>);

struct Inner {
    pool: reqwest::Client,
    limits: ResponseLimits,
    retry: RetryPolicy,
    breakers: Breakers,
}

/// The limits of a response.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ResponseLimits {
    pub(crate) total: Duration,
    pub(crate) idle: Duration,
    pub(crate) max_bytes: usize,
}

/// Builds a [`Transport`] with options beyond its settings.
#[must_use]
pub struct TransportBuilder<'a> {
    settings: &'a TransportSettings,
    retry: RetryPolicy,
    http: Box<dyn FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder + 'a>,
}

impl Transport {
    /// A transport.
    ///
    /// # Errors
    ///
    /// When a setting cannot be used, or TLS cannot be set up.
    pub fn new(settings: &TransportSettings) -> Result<Self, ClientSettingsError> {
        Self::builder(settings).build()
    }

    /// Starts a builder with options beyond the settings.
    pub fn builder(settings: &TransportSettings) -> TransportBuilder<'_> {
        let retry = RetryPolicy { retries: settings.client_retries, ..RetryPolicy::default() };
        TransportBuilder { settings, retry, http: Box::new(|http| http) }
    }

    /// A client whose requests pass the whole chain and carry `credentials` and no others. With `None` they carry none.
    ///
    /// Requests outside of the destination fail, whoever makes them.
    pub fn client(
        &self,
        destination: CallDestination,
        credentials: Option<Arc<dyn Credentials>>,
    ) -> ClientWithMiddleware {
        let inner = &*self.0;
        let breaker = inner.breakers.of(&destination.site, &destination.service);
        let destination = Arc::new(destination);
        let mut chain = ClientBuilder::new(inner.pool.clone())
            .with(Guard(Arc::clone(&destination)))
            .with(Tracking(Arc::clone(&destination)))
            .with(CircuitBreaker(breaker))
            .with(Deadline(inner.limits.total))
            .with(Retry(inner.retry));
        if let Some(credentials) = credentials {
            chain = chain.with(Authorize(credentials));
        }
        chain.with(Redirect(destination)).with(Metrics).build()
    }

    /// The circuit breakers by site and service, for readiness and metrics.
    pub fn breakers(&self) -> Vec<BreakerReport> {
        self.0.breakers.report()
    }

    pub(crate) fn limits(&self) -> ResponseLimits {
        self.0.limits
    }

    /// Only for building requests: requests that it sends bypass the chain.
    pub(crate) fn pool(&self) -> &reqwest::Client {
        &self.0.pool
    }
}

impl<'a> TransportBuilder<'a> {
    /// Replaces the retry policy, `client_retries` included.
    pub fn retry_policy(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// Changes the HTTP client: name resolution, certificates. The redirects, proxies, cookies and retries of reqwest stay disabled.
    pub fn http(
        mut self,
        change: impl FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder + 'a,
    ) -> Self {
        self.http = Box::new(change);
        self
    }

    /// The transport.
    ///
    /// # Errors
    ///
    /// When a setting cannot be used, or TLS cannot be set up.
    pub fn build(self) -> Result<Transport, ClientSettingsError> {
        let settings = self.settings;
        let limits = ResponseLimits {
            total: not_zero(settings.client_timeout_seconds, "client_timeout_seconds")?,
            idle: not_zero(settings.client_idle_timeout_seconds, "client_idle_timeout_seconds")?,
            max_bytes: settings.client_max_response_bytes,
        };
        let thresholds = Thresholds {
            failures: settings.client_breaker_failures,
            pause: not_zero(settings.client_breaker_seconds, "client_breaker_seconds")?,
        };
        let basis = http_client::direct()
            .connect_timeout(not_zero(settings.connect_timeout_seconds, "connect_timeout_seconds")?)
            .tls_danger_accept_invalid_certs(settings.client_danger_accept_invalid_certs);
        let pool = (self.http)(basis)
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            // Again, in case the change set one.
            .no_proxy()
            .build()
            .map_err(|e| ClientSettingsError::Client(e.to_string()))?;
        let breakers = Breakers::new(thresholds);
        Ok(Transport(Arc::new(Inner { pool, limits, retry: self.retry, breakers })))
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport")
            .field("limits", &self.0.limits)
            .field("retry", &self.0.retry)
            .field("breakers", &self.breakers())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for TransportBuilder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransportBuilder")
            .field("settings", self.settings)
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use tapisservice_core::Seconds;

    use super::*;

    #[test]
    fn a_timeout_that_is_none_is_refused_by_its_key() {
        let settings = TransportSettings { client_idle_timeout_seconds: Seconds::ZERO, ..Default::default() };
        let error = Transport::new(&settings).unwrap_err();
        assert_eq!(error, ClientSettingsError::Zero("client_idle_timeout_seconds"));
    }
}
