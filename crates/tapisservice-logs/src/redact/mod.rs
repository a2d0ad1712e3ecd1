//! The last line of defence: nothing that looks like a secret is written to the log (F24). The names and patterns are those
//! that also mask the printed configuration: [`tapisservice_core::secrets`].
//!
//! Secrets have types that cannot print them. This is for one that slips through, for instance in an error message of a
//! dependency. It works on whole values before they are escaped, so that quoting cannot hide anything.

mod registry;

use std::borrow::Cow;

pub use registry::redact_secret;
use serde_json::Value;
use tapisservice_core::secrets::{self, MASK, naming};

use super::fields::Fields;

/// The maximum length of a value in bytes; the rest is counted, not written.
const MAX_TEXT: usize = 8 * 1024;

/// Masks everything in `text` that is or looks like a secret, and limits its length to 8 KiB (F24).
///
/// Log lines are masked already. Use this where a text leaves the service in another way.
///
/// ```
/// assert_eq!(tapisservice_logs::redact("password=hunter2"), "password=***");
/// ```
pub fn redact(text: &str) -> Cow<'_, str> {
    let exact = registry::mask(text);
    let masked = match exact {
        Cow::Borrowed(text) => secrets::mask(text),
        Cow::Owned(text) => Cow::Owned(secrets::mask(&text).into_owned()),
    };
    bound(masked)
}

/// Masks the values of fields, by their name and by their content.
pub(super) fn fields(fields: &Fields) -> Vec<(&'static str, Value)> {
    fields.iter().map(|(name, value)| (name, field(name, value))).collect()
}

/// A boolean tells at most that there is a secret, so it may have any name.
fn field(name: &str, value: &Value) -> Value {
    match value {
        Value::Number(number) if naming(name).hides_numbers() || registry::contains(&number.to_string()) => {
            MASK.into()
        }
        Value::Bool(_) | Value::Null | Value::Number(_) => value.clone(),
        _ if naming(name).hides_text() => MASK.into(),
        Value::String(content) => redact(content).into(),
        other => other.clone(),
    }
}

fn bound(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.len() <= MAX_TEXT {
        return text;
    }
    let end = text.floor_char_boundary(MAX_TEXT);
    format!("{}... ({} bytes more)", &text[..end], text.len() - end).into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_under_a_name_that_says_secret_are_masked() {
        let cases = [
            ("service_password", json!("x"), json!("***")),
            ("access_token", json!("x"), json!("***")),
            ("X-Tapis-Token", json!("x"), json!("***")),
            ("Authorization", json!("x"), json!("***")),
            ("client.secret", json!("x"), json!("***")),
            ("apiKey", json!("x"), json!("***")),
            ("pin_password", json!(1234), json!("***")),
            ("has_token", json!(true), json!(true)),
            ("pin", json!(1234), json!("***")),
            ("dbpass", json!("x"), json!("***")),
            ("token_value", json!("x"), json!("***")),
            ("token_ttl_seconds", json!(60), json!(60)),
            ("compass", json!("north"), json!("north")),
            ("user", json!("alice"), json!("alice")),
            ("count", json!(3), json!(3)),
        ];
        for (name, value, expected) in cases {
            assert_eq!(field(name, &value), expected, "{name}");
        }
    }

    #[test]
    fn a_registered_secret_is_masked_even_as_a_number() {
        redact_secret("98765432109");
        assert_eq!(field("n", &json!(98_765_432_109_u64)), json!("***"));
        assert_eq!(redact("pin 98765432109!"), "pin ***!");
    }

    #[test]
    fn long_texts_are_cut_after_masking() {
        let long =
            format!("{}{}", "x".repeat(MAX_TEXT - 20), "password=\"canary canary canary\" ".repeat(50));
        let shown = redact(&long);
        assert!(shown.len() < MAX_TEXT + 40);
        assert!(!shown.contains("canary"), "{shown}");
        assert!(shown.ends_with("bytes more)"));
    }
}
