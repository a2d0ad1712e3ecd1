//! The tokens of the Tokens API, and how long they are valid.

use std::fmt;
use std::time::{Duration, SystemTime};

use http::HeaderValue;
use serde::Deserialize;
use tapisservice_core::Secret;
use tapisservice_core::framework::spread;
use tokio::time::Instant;

use super::expiry;

/// A token with less time left is not used: it could expire on its way.
const LEAST_LEFT: Duration = Duration::from_secs(5);
/// The longest lifetime that is assumed for a token. It keeps sums of times from overflowing.
const LONGEST: Duration = Duration::from_hours(24 * 366 * 10);
/// The same limit as receivers have (rule A1).
const LONGEST_TOKEN: usize = 16 * 1024;

/// An access token with its refresh token.
pub(crate) struct ServiceToken {
    header: HeaderValue,
    refresh_token: Option<Secret>,
    /// The expiry on two clocks: one that nobody can set, and one that continues while the machine sleeps.
    usable_until: Instant,
    expires_at: SystemTime,
    renew_at: Instant,
}

/// `result` of `POST` and `PUT /v3/tokens`.
#[derive(Deserialize)]
pub(crate) struct Pair {
    access_token: AccessEntry,
    refresh_token: Option<RefreshEntry>,
}

#[derive(Deserialize)]
struct AccessEntry {
    access_token: String,
    expires_in: Option<f64>,
}

#[derive(Deserialize)]
struct RefreshEntry {
    refresh_token: Secret,
}

impl ServiceToken {
    /// Checks tokens. The error says why they cannot be used.
    pub(crate) fn new(pair: Pair) -> Result<Self, &'static str> {
        let AccessEntry { access_token, expires_in } = pair.access_token;
        let header = header_value(&access_token).ok_or("the response has no access token")?;
        let now = SystemTime::now();
        let stated = || now.checked_add(Duration::try_from_secs_f64(expires_in?).ok()?.min(LONGEST));
        let expires_at = expiry::of_jwt(&access_token)
            .or_else(stated)
            .ok_or("the response does not say when the access token expires")?;
        let usable =
            expires_at.duration_since(now).unwrap_or_default().min(LONGEST).saturating_sub(LEAST_LEFT);
        if usable.is_zero() {
            return Err("the access token expires too soon to be used");
        }
        Ok(Self {
            header,
            refresh_token: pair.refresh_token.map(|entry| entry.refresh_token),
            usable_until: Instant::now() + usable,
            expires_at,
            // 72 to 80 % of the time in which it can be used: short lives are renewed in time, too, and the tokens of replicas that
            // were started together are not renewed together.
            renew_at: Instant::now() + spread(usable.mul_f64(0.8)),
        })
    }

    /// The value of `X-Tapis-Token`, marked sensitive.
    pub(crate) fn header(&self) -> &HeaderValue {
        &self.header
    }

    pub(crate) fn refresh_token(&self) -> Option<&Secret> {
        self.refresh_token.as_ref()
    }

    pub(crate) fn is_usable(&self) -> bool {
        Instant::now() < self.usable_until && SystemTime::now() + LEAST_LEFT < self.expires_at
    }

    pub(crate) fn renew_at(&self) -> Instant {
        self.renew_at
    }

    /// How long it can still be used.
    pub(crate) fn remaining(&self) -> Duration {
        let by_date = self.expires_at.duration_since(SystemTime::now()).unwrap_or_default();
        self.usable_until.saturating_duration_since(Instant::now()).min(by_date.saturating_sub(LEAST_LEFT))
    }
}

impl fmt::Debug for ServiceToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceToken").field("remaining", &self.remaining()).finish_non_exhaustive()
    }
}

fn header_value(token: &str) -> Option<HeaderValue> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if token.is_empty() || token.len() > LONGEST_TOKEN || !token.bytes().all(plain) {
        return None;
    }
    let mut value = HeaderValue::from_str(token).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn held(result: serde_json::Value) -> Result<ServiceToken, &'static str> {
        ServiceToken::new(serde_json::from_value(result).unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_is_renewed_at_72_to_80_percent_and_not_used_in_its_last_seconds() {
        let new = || held(json!({"access_token": {"access_token": "opaque", "expires_in": 105}})).unwrap();
        let waits: Vec<_> = (0..100).map(|_| new().renew_at() - Instant::now()).collect();
        assert!(
            waits.iter().all(|wait| (Duration::from_secs(72)..=Duration::from_secs(80)).contains(wait)),
            "{waits:?}"
        );
        assert!(waits.iter().any(|wait| *wait != waits[0]), "they are spread");
        let held = new();
        tokio::time::advance(Duration::from_secs(99)).await;
        assert!(held.is_usable());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(!held.is_usable() && held.remaining().is_zero());
    }

    #[tokio::test]
    async fn a_token_that_nobody_could_use_is_refused() {
        let result = |token: &str, expires_in: f64| {
            held(json!({"access_token": {"access_token": token, "expires_in": expires_in}})).unwrap_err()
        };
        assert!(result("a b", 60.0).contains("no access token"));
        assert!(result("", 60.0).contains("no access token"));
        assert!(result(&"x".repeat(20_000), 60.0).contains("no access token"));
        assert!(result("opaque", 5.0).contains("expires too soon"));
        assert!(result("opaque", -1.0).contains("when the access token expires"));
    }

    #[tokio::test]
    async fn an_expiry_at_the_end_of_time_overflows_nothing() {
        for expires_in in [1e9, 1e15, 1e19] {
            let held = held(json!({"access_token": {"access_token": "opaque", "expires_in": expires_in}}));
            assert!(held.unwrap().is_usable());
        }
    }
}
