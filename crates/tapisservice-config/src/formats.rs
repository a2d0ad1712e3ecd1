//! Formats beside those of Draft 7: what the types of the framework's settings accept, so that a schema refuses
//! exactly what they would.

use std::net::SocketAddr;

use jsonschema::ValidationOptions;
use tapisservice_core::SiteId;

/// The name of a format, what fits it, and how a violation describes that.
type Format = (&'static str, fn(&str) -> bool, &'static str);

const FORMATS: [Format; 3] = [
    (
        "socket-address",
        is_socket_address,
        "an IP address and a port, such as 0.0.0.0:5000 or [::]:5000; a host name is none",
    ),
    (
        "service-name",
        is_service_name,
        "1 to 255 letters, digits and characters of \"-._~\": the name is a segment of a path",
    ),
    (
        "tapis-id",
        is_tapis_id,
        "an id of 1 to 255 characters, without control characters, commas, and white space at its ends",
    ),
];

/// Registers the formats.
pub(crate) fn register(options: ValidationOptions) -> ValidationOptions {
    FORMATS.into_iter().fold(options, |options, (name, fits, _)| options.with_format(name, fits))
}

/// What fits the format, for a violation.
pub(crate) fn description(name: &str) -> Option<&'static str> {
    FORMATS.into_iter().find(|(format, _, _)| *format == name).map(|(_, _, description)| description)
}

fn is_socket_address(text: &str) -> bool {
    text.parse::<SocketAddr>().is_ok()
}

/// The unreserved characters of URLs (RFC 3986 section 2.3). The name is also the user of the Tokens API, which ends
/// at a colon (RFC 7617 section 2).
fn is_service_name(text: &str) -> bool {
    (1..=255).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
        && !matches!(text, "." | "..")
}

/// What is an id here and can be sent in `X-Tapis-Tenant` (rule O3).
fn is_tapis_id(text: &str) -> bool {
    SiteId::new(text).is_ok() && !text.contains(',') && text.trim() == text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::schema::Schema;

    #[test]
    fn a_format_takes_what_the_settings_take() {
        let long = "x".repeat(256);
        let cases: &[(&str, &[&str], &[&str])] = &[
            (
                "socket-address",
                &["0.0.0.0:5000", "127.0.0.1:0", "[::1]:65535"],
                &[
                    "localhost:5000",
                    "5000",
                    ":5000",
                    "0.0.0.0",
                    "0.0.0.0:65536",
                    "::1:5000",
                    "256.0.0.1:1",
                    "",
                    " 0.0.0.0:1",
                ],
            ),
            (
                "service-name",
                &["apps", "site-router", "my_service", "v2.1"],
                &["a:b", "a/b", "a b", "", ".", "..", "é", "a,b", "a%b", &long],
            ),
            ("tapis-id", &["tacc", "a.b", "é"], &["", "a,b", " a", "a\n", "a\u{85}b", &long]),
        ];
        for (format, good, bad) in cases {
            let schema = Schema::compile(json!({"type": "string", "format": format})).unwrap();
            for text in *good {
                assert!(schema.validator().is_valid(&json!(text)), "{format}: {text:?}");
            }
            for text in *bad {
                assert!(!schema.validator().is_valid(&json!(text)), "{format}: {text:?}");
            }
        }
    }
}
