//! Escapes characters that could forge a line or mislead its reader (F23).

use std::fmt::Write as _;

/// Whether a character moves the cursor, ends a line in some viewer, is invisible or changes the reading direction.
pub(super) fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{061C}'
                | '\u{200B}'..='\u{200F}'
                | '\u{2028}'..='\u{202E}'
                | '\u{2060}'..='\u{206F}'
                | '\u{FEFF}'
                | '\u{FFF9}'..='\u{FFFB}'
        )
}

/// Appends text with its unsafe characters escaped.
pub(super) fn push_text(out: &mut String, text: &str) {
    for c in text.chars() {
        push_char(out, c);
    }
}

/// Appends a field value: bare where that is unambiguous, quoted otherwise.
pub(super) fn push_value(out: &mut String, value: &str) {
    if !value.is_empty() && value.chars().all(is_bare) {
        return out.push_str(value);
    }
    out.push('"');
    for c in value.chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        push_char(out, c);
    }
    out.push('"');
}

fn is_bare(c: char) -> bool {
    !is_unsafe(c) && !c.is_whitespace() && !matches!(c, '"' | '\\' | '=' | '[' | ']')
}

fn push_char(out: &mut String, c: char) {
    match c {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        c if is_unsafe(c) => {
            // Writing to a string cannot fail.
            let _ = write!(out, "\\u{{{:04x}}}", u32::from(c));
        }
        c => out.push(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_could_forge_a_line_are_written_out() {
        let cases = [
            ("a\nb", "a\\nb"),
            ("a\r\n\tb", "a\\r\\n\\tb"),
            ("\u{1b}[2J", "\\u{001b}[2J"),
            ("\u{7f}\u{85}\u{9b}", "\\u{007f}\\u{0085}\\u{009b}"),
            ("\u{2028}\u{2029}", "\\u{2028}\\u{2029}"),
            ("\u{202e}\u{2066}\u{200f}", "\\u{202e}\\u{2066}\\u{200f}"),
            ("Zürich 東京 🚀", "Zürich 東京 🚀"),
        ];
        for (raw, expected) in cases {
            let mut out = String::new();
            push_text(&mut out, raw);
            assert_eq!(out, expected);
        }
    }

    #[test]
    fn values_that_could_pass_for_other_fields_are_quoted() {
        let cases = [
            ("plain-1.2/x", "plain-1.2/x"),
            ("", "\"\""),
            ("a b", "\"a b\""),
            ("x user=root", "\"x user=root\""),
            ("] [tenant=x", "\"] [tenant=x\""),
            ("a\"b\\c", "\"a\\\"b\\\\c\""),
        ];
        for (raw, expected) in cases {
            let mut out = String::new();
            push_value(&mut out, raw);
            assert_eq!(out, expected);
        }
    }
}
