//! The headers that a call may add.

use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, TRANSFER_ENCODING};
use http::{HeaderName, HeaderValue};

use crate::ClientError;

/// Headers for credentials and framing, besides all of `X-Tapis-*`.
const PROTECTED: [HeaderName; 17] = [
    AUTHORIZATION,
    CONTENT_LENGTH,
    CONTENT_TYPE,
    COOKIE,
    HOST,
    TRANSFER_ENCODING,
    HeaderName::from_static("cookie2"),
    HeaderName::from_static("connection"),
    HeaderName::from_static("expect"),
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-authenticate"),
    HeaderName::from_static("proxy-authorization"),
    HeaderName::from_static("proxy-connection"),
    HeaderName::from_static("te"),
    HeaderName::from_static("trailer"),
    HeaderName::from_static("upgrade"),
    HeaderName::from_static("http2-settings"),
];

/// Whether calls may not set the header.
pub(super) fn is_protected(name: &HeaderName) -> bool {
    name.as_str().starts_with("x-tapis-") || PROTECTED.contains(name)
}

/// Checks a header that a call adds.
pub(super) fn checked(name: &str, value: &[u8]) -> Result<(HeaderName, HeaderValue), ClientError> {
    let refuse =
        |reason: &str| ClientError::InvalidValue { name: name.to_owned(), reason: reason.to_owned() };
    let field = HeaderName::from_bytes(name.as_bytes()).map_err(|_| refuse("not a valid header name"))?;
    if is_protected(&field) {
        return Err(refuse(instead(&field)));
    }
    let value = HeaderValue::from_bytes(value)
        .map_err(|_| refuse("a header value cannot contain control characters"))?;
    Ok((field, value))
}

fn instead(name: &HeaderName) -> &'static str {
    match name.as_str() {
        "x-tapis-tracking-id" => "use `tracking_id` to set the tracking id",
        "content-type" => "use `media_type` to set the media type",
        "cookie" => "cookies are set as arguments of an operation",
        _ => "this header cannot be set by a call",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identity_and_framing_cannot_be_overridden() {
        for name in [
            "X-Tapis-Token",
            "x-tapis-token",
            "X-Tapis-Tenant",
            "X-TAPIS-USER",
            "X-Tapis-Tracking-ID",
            "X-Tapis-User-Token-Hash",
            "X-Tapis-Anything",
            "Authorization",
            "authorization",
            "Proxy-Authorization",
            "Host",
            "Cookie",
            "Content-Length",
            "Content-Type",
            "Transfer-Encoding",
            "Connection",
            "TE",
            "Upgrade",
            "Expect",
        ] {
            let error = checked(name, b"canary").unwrap_err();
            assert!(matches!(&error, ClientError::InvalidValue { name: n, .. } if n == name), "{name}");
            assert!(!error.to_string().contains("canary"), "{error}");
        }
    }

    #[test]
    fn a_name_or_value_that_would_break_the_message_is_refused() {
        for (name, value) in [
            ("X-Nice\r\nX-Tapis-Token", "v"),
            ("X-Nice:", "v"),
            ("X Nice", "v"),
            ("", "v"),
            ("X-Nice", "a\r\nX-Tapis-Token: b"),
            ("X-Nice", "a\nb"),
            ("X-Nice", "a\0b"),
        ] {
            assert!(checked(name, value.as_bytes()).is_err(), "{name:?} {value:?}");
        }
        assert!(checked("If-Match", "\"ü\"".as_bytes()).is_ok());
    }
}
