//! Header fields that must not be ambiguous.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::envelope::ApiError;

pub(crate) const TAPIS_TOKEN: &str = "x-tapis-token";
pub(crate) const TAPIS_TENANT: &str = "x-tapis-tenant";
pub(crate) const TAPIS_USER: &str = "x-tapis-user";

/// The value of a field that must not be repeated: 400 if it is, or is not UTF-8.
pub(crate) fn single_value<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, ApiError> {
    let mut lines = headers.get_all(name).iter();
    let first = lines.next();
    if lines.next().is_some() {
        return Err(ApiError::bad_request(format!("Invalid request: more than one {name} header.")));
    }
    let text = first.map(|value| std::str::from_utf8(value.as_bytes())).transpose();
    text.map_err(|_| ApiError::bad_request(format!("Invalid request: the {name} header is not text.")))
}

/// The user and password of HTTP Basic authentication (RFC 7617).
pub(crate) struct Basic {
    pub(crate) user: String,
    pub(crate) password: String,
}

impl Basic {
    pub(crate) fn from_headers(headers: &HeaderMap) -> Result<Option<Self>, ApiError> {
        let Some(value) = single_value(headers, AUTHORIZATION.as_str())? else { return Ok(None) };
        let parsed = Self::parse(value);
        parsed.map(Some).ok_or_else(|| {
            ApiError::bad_request("Invalid request: the Authorization header is not HTTP Basic.")
        })
    }

    fn parse(value: &str) -> Option<Self> {
        let (scheme, encoded) = value.split_once(' ')?;
        let decoded =
            STANDARD.decode(encoded.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
        let text = String::from_utf8(decoded).ok()?;
        let (user, password) = text.split_once(':')?;
        Some(Self { user: user.to_owned(), password: password.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_credentials_may_hold_colons_in_the_password() {
        let value = format!("basic {}", STANDARD.encode("jobs:a:b"));
        let basic = Basic::parse(&value).unwrap();
        assert_eq!((basic.user.as_str(), basic.password.as_str()), ("jobs", "a:b"));
    }

    #[test]
    fn what_is_not_basic_is_no_credentials() {
        for value in ["", "Basic", "Basic !!", "Bearer am9iczp4", "Basic am9icw=="] {
            assert!(Basic::parse(value).is_none(), "{value}");
        }
    }
}
