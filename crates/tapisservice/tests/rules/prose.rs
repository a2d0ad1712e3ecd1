//! What people read in a file: comments of Rust, text of Markdown without its code, scripts as they are, rules of JSON cases.

/// One line of it.
#[derive(Debug, PartialEq)]
pub(crate) struct Line {
    pub(crate) number: usize,
    pub(crate) text: String,
}

/// The text of a file by its name; nothing of a kind that is not known.
pub(crate) fn of(path: &str, text: &str) -> Vec<Line> {
    match extension(path) {
        "rs" => without_code(comments(text)),
        "md" => without_code(lines(text)),
        "json" => lines(text).into_iter().flat_map(|line| rules_of_cases(&line)).collect(),
        _ => lines(text),
    }
}

/// Whether the file holds cases, each of which shows one rule.
pub(crate) fn is_of_cases(path: &str) -> bool {
    extension(path) == "json"
}

fn extension(path: &str) -> &str {
    path.rsplit_once('.').map_or(path, |(_, extension)| extension)
}

/// The anchors behind each `prefix` in a line.
pub(crate) fn anchors<'a>(line: &'a str, prefix: &'a str) -> impl Iterator<Item = &'a str> {
    let end = |c: char| !(c.is_alphanumeric() || c == '-' || c == '_');
    line.split(prefix).skip(1).map(move |rest| rest.split(end).next().unwrap_or_default())
}

/// The numbers in "PROTOCOL section 4" and "PROTOCOL.md, section 4".
pub(crate) fn sections(text: &str) -> impl Iterator<Item = usize> {
    text.split("PROTOCOL").skip(1).filter_map(|rest| {
        let rest = rest.strip_prefix(".md").unwrap_or(rest);
        let rest = rest.trim_start_matches([',', ' ', '`', ')']).strip_prefix("section ")?;
        rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
    })
}

fn lines(text: &str) -> Vec<Line> {
    text.lines().enumerate().map(|(index, line)| Line { number: index + 1, text: line.to_owned() }).collect()
}

/// What a case says that it shows: `"rule": "A5"`.
fn rules_of_cases(line: &Line) -> Vec<Line> {
    let values =
        line.text.split("\"rule\": \"").skip(1).map(|rest| rest.split('"').next().unwrap_or_default());
    values.map(|value| Line { number: line.number, text: value.to_owned() }).collect()
}

/// Removes fenced blocks, and spans in backticks.
fn without_code(lines: Vec<Line>) -> Vec<Line> {
    let (mut fenced, mut last) = (false, 0);
    let mut kept = Vec::new();
    for line in lines {
        fenced &= line.number == last + 1;
        last = line.number;
        if line.text.trim_start_matches(['/', '!', '*', '>', ' ']).starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            let text = line.text.split('`').step_by(2).collect::<Vec<_>>().join(" ");
            kept.push(Line { number: line.number, text });
        }
    }
    kept
}

/// The comments of a Rust file, line by line.
fn comments(text: &str) -> Vec<Line> {
    let mut found = Vec::new();
    let mut scanner = Scanner { rest: text, number: 1 };
    while let Some(next) = scanner.rest.chars().next() {
        if scanner.rest.starts_with("//") {
            let comment = scanner.rest.lines().next().unwrap_or_default();
            found.push(Line { number: scanner.number, text: comment.to_owned() });
            scanner.skip(comment.len());
        } else if scanner.rest.starts_with("/*") {
            let (number, comment) = (scanner.number, scanner.block());
            let lines = comment.lines().enumerate();
            found.extend(lines.map(|(index, line)| Line { number: number + index, text: line.to_owned() }));
        } else if next == '"' {
            scanner.string();
        } else if next == '\'' {
            scanner.quote();
        } else if next.is_alphabetic() || next == '_' {
            scanner.word();
        } else {
            scanner.skip(next.len_utf8());
        }
    }
    found
}

struct Scanner<'a> {
    rest: &'a str,
    number: usize,
}

impl<'a> Scanner<'a> {
    fn skip(&mut self, bytes: usize) -> &'a str {
        let (skipped, rest) = self.rest.split_at(bytes);
        self.number += skipped.matches('\n').count();
        self.rest = rest;
        skipped
    }

    fn block(&mut self) -> &'a str {
        let (mut depth, mut end) = (0, 0);
        while end < self.rest.len() {
            let rest = &self.rest[end..];
            if rest.starts_with("/*") {
                (depth, end) = (depth + 1, end + 2);
            } else if rest.starts_with("*/") {
                (depth, end) = (depth - 1, end + 2);
                if depth == 0 {
                    break;
                }
            } else {
                end += rest.chars().next().map_or(1, char::len_utf8);
            }
        }
        self.skip(end)
    }

    fn string(&mut self) {
        let mut escaped = false;
        let end = self.rest[1..].find(|c| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        });
        self.skip(end.map_or(self.rest.len(), |end| end + 2));
    }

    /// A character, or a lifetime.
    fn quote(&mut self) {
        let mut chars = self.rest.char_indices().skip(1);
        let end = match (chars.next(), chars.next()) {
            (Some((_, '\\')), Some((escaped, _))) => {
                self.rest[escaped + 1..].find('\'').map(|end| escaped + 2 + end)
            }
            (Some(_), Some((end, '\''))) => Some(end + 1),
            _ => None,
        };
        self.skip(end.unwrap_or(1));
    }

    /// A word, and the raw string that it may begin.
    fn word(&mut self) {
        let end = self.rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(self.rest.len());
        let word = self.skip(end);
        let hashes = self.rest.len() - self.rest.trim_start_matches('#').len();
        if matches!(word, "r" | "br" | "cr") && self.rest[hashes..].starts_with('"') {
            let close = format!("\"{}", "#".repeat(hashes));
            let end = self.rest[hashes + 1..].find(&close);
            self.skip(end.map_or(self.rest.len(), |end| hashes + 1 + end + close.len()));
        }
    }
}

#[test]
fn of_rust_only_comments_are_prose() {
    let text = r##"
/// Rule A1, `A2`.
fn f<'a>(x: &'a str) -> char { // A3
    let s = "// A4 \" // A5"; let r = r#"// A6 "quoted" "#;
    /* A7
       A8 /* nested */ */ ['"', '\'', '\\'] // A9
}
/// ```
/// // A10
/// ```
"##;
    let found: Vec<_> = of("a.rs", text).into_iter().map(|line| (line.number, line.text)).collect();
    let expected = [(2, "A1"), (3, "A3"), (5, "A7"), (6, "A8"), (6, "A9")];
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for ((number, text), (expected_number, id)) in found.iter().zip(expected) {
        assert!(*number == expected_number && text.contains(id) && !text.contains("A2"), "{found:?}");
    }
}

#[test]
fn of_markdown_code_is_no_prose() {
    let found = of("a.md", "A1 `A2`\n```sh\nA3\n```\nA4\n");
    let found: Vec<_> = found.iter().map(|line| (line.number, line.text.trim())).collect();
    assert_eq!(found, [(1, "A1"), (5, "A4")]);
}

#[test]
fn of_json_the_rules_of_cases_are_prose() {
    let found = of("a.json", "[{\"id\": \"A1\", \"rule\": \"A2\"},\n {\"rule\": \"statuses\"}]");
    let found: Vec<_> = found.iter().map(|line| (line.number, line.text.as_str())).collect();
    assert_eq!(found, [(1, "A2"), (2, "statuses")]);
}

#[test]
fn anchors_and_sections_are_found() {
    assert_eq!(
        anchors("[A5](PROTOCOL.md#a5), PROTOCOL.md#no-token.", "PROTOCOL.md#").collect::<Vec<_>>(),
        ["a5", "no-token"]
    );
    let text = "PROTOCOL section 4, docs/PROTOCOL.md, section 12; PROTOCOL says";
    assert_eq!(sections(text).collect::<Vec<_>>(), [4, 12]);
}
