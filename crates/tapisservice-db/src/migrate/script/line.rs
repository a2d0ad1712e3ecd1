//! Line breaks, as editors count them.

/// The number of line breaks in a text: LF, CRLF or a lone CR.
pub(super) fn line_breaks(text: &str) -> usize {
    let bytes = text.as_bytes();
    let ends = |at: &usize| bytes[*at] == b'\n' || (bytes[*at] == b'\r' && bytes.get(at + 1) != Some(&b'\n'));
    (0..bytes.len()).filter(ends).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_line_end_counts_once() {
        for (text, breaks) in
            [("", 0), ("a", 0), ("a\nb", 1), ("a\r\nb\r\n", 2), ("a\rb\r\r\n", 3), ("\n\n", 2)]
        {
            assert_eq!(line_breaks(text), breaks, "{text:?}");
        }
    }
}
