//! Texts about input that does not fit. serde's own quote the input.

use serde_path_to_error::{Path, Segment};

/// What was expected, from the text of a serde error, without the value that was found. Whatever does not have the form of a
/// text of serde's own may quote anything and is left out.
pub(crate) fn expected(text: &str) -> String {
    let text = text.rsplit_once(" at line ").map_or(text, |(head, _)| head);
    let quoted_name = |prefix: &str| {
        let name = text.strip_prefix(prefix)?.strip_prefix(" `")?.strip_suffix('`')?;
        Some(format!("{prefix} `{name}`"))
    };
    if let Some(missing) = quoted_name("missing field").or_else(|| quoted_name("duplicate field")) {
        return missing;
    }
    let known = ["invalid type:", "invalid value:", "invalid length", "unknown field", "unknown variant"];
    let expected = text.rsplit_once(", expected ").map(|(_, expected)| expected);
    match (known.iter().find(|prefix| text.starts_with(**prefix)), expected) {
        (Some(prefix), Some(expected)) if prefix.starts_with("unknown") => {
            format!("{prefix}, expected {expected}")
        }
        // The name of a struct says nothing to a caller.
        (Some(_), Some(expected)) if expected.starts_with("struct ") => "expected an object".to_owned(),
        (Some(_), Some(expected)) => format!("expected {expected}"),
        _ => "not valid".to_owned(),
    }
}

/// A path as a JSON pointer (RFC 6901). Names that no struct declares are the caller's and may be long: they are cut.
pub(crate) fn pointer(path: &Path) -> String {
    let mut text = String::new();
    for segment in path {
        let part = match segment {
            Segment::Seq { index } => index.to_string(),
            Segment::Map { key } => key.chars().take(64).collect(),
            Segment::Enum { variant } => variant.clone(),
            Segment::Unknown => "?".to_owned(),
        };
        text.push('/');
        text.push_str(&part.replace('~', "~0").replace('/', "~1"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_is_never_told() {
        let cases = [
            ("invalid type: string \"canary\", expected i64 at line 1 column 9", "expected i64"),
            ("invalid type: string \"canary, expected x\", expected i64", "expected i64"),
            ("invalid type: sequence, expected struct Canary at line 1 column 0", "expected an object"),
            ("missing field `name` at line 1 column 2", "missing field `name`"),
            ("unknown field `canary`, expected `a` or `b`", "unknown field, expected `a` or `b`"),
            (
                "unknown variant `canary`, expected one of `x`, `y`",
                "unknown variant, expected one of `x`, `y`",
            ),
            ("bad thing canary", "not valid"),
            ("bad thing canary, expected canary", "not valid"),
        ];
        for (text, told) in cases {
            assert_eq!(expected(text), told);
        }
    }
}
