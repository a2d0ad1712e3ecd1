//! Values as people write them.

use serde_json::Value;

/// How much of a text from a file is quoted.
const MAX_QUOTED: usize = 80;

/// A text; numbers and booleans count as what they look like, an empty text as none.
pub(super) fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// Whether it says yes: `true`, `"true"`, `yes`, `on`, `1`.
pub(super) fn flag(value: &Value) -> Option<bool> {
    match text(value)?.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "y" | "1" => Some(true),
        "false" | "no" | "off" | "n" | "0" => Some(false),
        _ => None,
    }
}

/// The texts of a list, or the one text that stands where a list belongs.
pub(super) fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().filter_map(text).collect(),
        other => text(other).into_iter().collect(),
    }
}

/// A text of the file, quoted for a message.
pub(super) fn short(text: &str) -> String {
    let mut start: String = text.chars().take(MAX_QUOTED).collect();
    if start.len() < text.len() {
        start.push('…');
    }
    format!("{start:?}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn flags_are_read_as_people_write_them() {
        for yes in [json!(true), json!("true"), json!("True"), json!("YES"), json!(1), json!("on ")] {
            assert_eq!(flag(&yes), Some(true), "{yes}");
        }
        for no in [json!(false), json!("False"), json!(0), json!("no")] {
            assert_eq!(flag(&no), Some(false), "{no}");
        }
        for neither in [json!(null), json!(["a"]), json!("maybe"), json!("")] {
            assert_eq!(flag(&neither), None, "{neither}");
        }
    }

    #[test]
    fn quotes_are_short_and_escaped() {
        assert_eq!(short("a\nb"), r#""a\nb""#);
        assert_eq!(short(&"x".repeat(500)).chars().count(), MAX_QUOTED + 3);
    }
}
