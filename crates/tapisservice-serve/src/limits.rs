//! The limits on what one client, and all of them together, may hold; and the check of the request target.

use std::time::Duration;

use http::Uri;

use super::ServeError;

/// The limits of the server and of each request.
///
/// ```
/// use std::time::Duration;
/// use tapisservice_serve::Limits;
///
/// let mut limits = Limits::default();
/// assert_eq!(limits.max_header_bytes, 65_536);
/// limits.header_timeout = Duration::from_millis(2500);
/// assert!(limits.check().is_ok());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of the request line and headers together; more is a 431. The default is 64 KiB, so that an
    /// oversized token is a 401 with an explanation.
    pub max_header_bytes: usize,
    /// Bytes of the request target; more is a 414 (see [`uri_too_long`]). Default 8 KiB.
    pub max_uri_bytes: usize,
    /// Bytes of a request body; more is a 413. The middleware stack of `tapisservice` applies it, and its routes may have limits
    /// of their own. Default 2 MiB.
    pub max_body_bytes: usize,
    /// Time to receive the header block: from the opening of the connection, or from the first byte of a later request. Default 10 s.
    pub header_timeout: Duration,
    /// From the end of a response to the first byte of the next request. Default 30 s.
    pub idle_timeout: Duration,
    /// Without progress: no byte of the request body arrives while the handler waits for one, or no byte of the response
    /// leaves while there is one to send. Default 30 s.
    pub body_timeout: Duration,
    /// The whole request, up to the headers of the response. The middleware stack of `tapisservice` applies it. Default 60 s.
    pub request_timeout: Duration,
    /// Writing a response, from its headers until the last byte has left. Routes may have another limit, or none
    /// ([`ResponseTimeoutLayer`](crate::ResponseTimeoutLayer)). Default 300 s.
    pub response_timeout: Duration,
    /// The minimum rate at which a client has to read a response, on average over the time that the server waits for it. It
    /// applies after 5 s of such waiting, and not to routes that stream; 0 switches it off. Default 240.
    pub response_min_bytes_per_second: u64,
    /// Connections served at once. One more is accepted and has to wait; the others stay in the
    /// kernel's backlog. Default 10,000.
    pub max_connections: usize,
    /// How long the listener goes on accepting after the signal, so that load balancers notice that
    /// the service is not ready. Default 2 s.
    pub drain: Duration,
    /// From the signal until the remaining connections are dropped. Default 25 s.
    pub shutdown: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_header_bytes: 64 * 1024,
            max_uri_bytes: 8 * 1024,
            max_body_bytes: 2 * 1024 * 1024,
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(30),
            body_timeout: Duration::from_secs(30),
            request_timeout: Duration::from_mins(1),
            response_timeout: Duration::from_mins(5),
            response_min_bytes_per_second: 240,
            max_connections: 10_000,
            drain: Duration::from_secs(2),
            shutdown: Duration::from_secs(25),
        }
    }
}

impl Limits {
    /// Checks that these limits allow any client to be served.
    ///
    /// # Errors
    ///
    /// [`ServeError::Limit`], with the configuration key, for a zero where something has to fit, and
    /// for a shutdown that is shorter than its drain.
    pub fn check(&self) -> Result<(), ServeError> {
        match self.violations().first() {
            Some(&(key, rule)) => Err(ServeError::Limit { key, rule }),
            None => Ok(()),
        }
    }

    /// Every configuration key whose value breaks a rule, with the rule. It is empty if [`check`](Self::check) succeeds.
    pub fn violations(&self) -> Vec<(&'static str, &'static str)> {
        let not_zero = [
            ("max_header_bytes", self.max_header_bytes == 0),
            ("max_uri_bytes", self.max_uri_bytes == 0),
            ("max_connections", self.max_connections == 0),
            ("header_timeout_seconds", self.header_timeout.is_zero()),
            ("idle_timeout_seconds", self.idle_timeout.is_zero()),
            ("body_timeout_seconds", self.body_timeout.is_zero()),
            ("request_timeout_seconds", self.request_timeout.is_zero()),
            ("response_timeout_seconds", self.response_timeout.is_zero()),
        ];
        let zero = not_zero.into_iter().filter(|(_, zero)| *zero);
        let mut violations: Vec<_> = zero.map(|(key, _)| (key, "must be greater than zero")).collect();
        if self.shutdown < self.drain {
            violations.push(("shutdown_seconds", "must not be shorter than drain_seconds"));
        }
        violations
    }
}

/// Whether a request target is longer than [`Limits::max_uri_bytes`]. The response should be a 414 (RFC 9110, 15.5.15).
///
/// The target counts as it was sent, including the scheme and authority of the absolute form.
///
/// ```
/// use tapisservice_serve::{Limits, uri_too_long};
///
/// let mut limits = Limits::default();
/// limits.max_uri_bytes = 10;
/// assert!(!uri_too_long(&"/123?56789".parse()?, &limits));
/// assert!(uri_too_long(&"/123?567890".parse()?, &limits));
/// # Ok::<(), http::uri::InvalidUri>(())
/// ```
pub fn uri_too_long(target: &Uri, limits: &Limits) -> bool {
    let scheme = target.scheme_str().map_or(0, |scheme| scheme.len() + "://".len());
    let authority = target.authority().map_or(0, |authority| authority.as_str().len());
    let path = target.path_and_query().map_or(0, |path| path.as_str().len());
    scheme + authority + path > limits.max_uri_bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_that_serve_nobody_name_their_key() {
        Limits::default().check().unwrap();
        let full = Limits { max_connections: 0, ..Limits::default() };
        assert!(full.check().unwrap_err().to_string().contains("max_connections"));
        let hasty = Limits { shutdown: Duration::from_secs(1), ..Limits::default() };
        assert!(hasty.check().unwrap_err().to_string().contains("shutdown_seconds"));
    }

    #[test]
    fn the_absolute_form_counts_whole() {
        let target: Uri = "http://dev.tapis.test/v3/x?y=1".parse().unwrap();
        let length = target.to_string().len();
        let limits = |max_uri_bytes| Limits { max_uri_bytes, ..Limits::default() };
        assert!(!uri_too_long(&target, &limits(length)));
        assert!(uri_too_long(&target, &limits(length - 1)));
    }
}
