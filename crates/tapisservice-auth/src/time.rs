//! Points in time, as in tokens.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A `NumericDate` (RFC 7519 section 2): seconds since 1970-01-01T00:00:00Z, fractions allowed.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct UnixTime(pub f64);

impl UnixTime {
    /// The wall clock. Before 1970 it reads 0.
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Self(since.as_secs_f64())
    }

    pub(crate) fn plus(self, seconds: f64) -> Self {
        Self(self.0 + seconds)
    }
}
