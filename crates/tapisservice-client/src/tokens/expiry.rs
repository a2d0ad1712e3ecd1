//! When a token expires, read from the token itself.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

/// The last second of the year 9999: the latest valid expiry.
const LAST_SECOND: f64 = 253_402_300_799.0;

#[derive(Deserialize)]
struct Claims {
    exp: f64,
}

/// The `exp` claim of a JWT (RFC 7519 section 4.1.4), without verifying the signature. The holder of a token only needs to know
/// when to renew it; the receiver verifies it. `None` if there is no valid one.
pub(crate) fn of_jwt(token: &str) -> Option<SystemTime> {
    let mut parts = token.split('.');
    let (payload, _signature) = (parts.nth(1)?, parts.next()?);
    let payload = URL_SAFE_NO_PAD.decode(payload).ok()?;
    let exp = serde_json::from_slice::<Claims>(&payload).ok()?.exp;
    (0.0..=LAST_SECOND).contains(&exp).then(|| UNIX_EPOCH + Duration::from_secs_f64(exp))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jwt(payload: &str) -> String {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(payload))
    }

    #[test]
    fn the_expiry_is_a_number_of_seconds() {
        assert_eq!(of_jwt(&jwt(r#"{"exp": 17}"#)), Some(UNIX_EPOCH + Duration::from_secs(17)));
        assert_eq!(of_jwt(&jwt(r#"{"exp": 1.5}"#)), Some(UNIX_EPOCH + Duration::from_millis(1500)));
    }

    #[test]
    fn what_is_no_expiry_is_none() {
        let claims =
            [r"{}", r#"{"exp": "17"}"#, r#"{"exp": -1}"#, r#"{"exp": 1e300}"#, r#"{"exp": null}"#, "[]"];
        for token in claims.map(jwt).iter().map(String::as_str).chain(["", ".", "a.b", "a.b.c", "a.%.c"]) {
            assert_eq!(of_jwt(token), None, "{token}");
        }
    }
}
