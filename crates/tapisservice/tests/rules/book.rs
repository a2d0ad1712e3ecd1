//! The rule book as data: each heading that is an id, with the code and the tests named below it.

use std::collections::BTreeSet;

use crate::ids;
use crate::place::{Place, places};

/// Rules that have a name instead of an id.
const NAMED: [&str; 5] = ["statuses", "g", "envelope", "errors", "error-metadata"];

/// What is between two headings of rules.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) id: String,
    pub(crate) line: usize,
    pub(crate) built: bool,
    pub(crate) code: Vec<Place>,
    pub(crate) tests: Vec<Place>,
}

impl Rule {
    fn new(id: &str, line: usize) -> Self {
        Self { id: id.to_owned(), line, built: true, code: Vec::new(), tests: Vec::new() }
    }

    /// `what`, and where the rule stands.
    pub(crate) fn at(&self, what: &str) -> String {
        format!("docs/PROTOCOL.md:{} ({}): {what}", self.line, self.id)
    }
}

/// All rules, in their order.
pub(crate) struct Book {
    pub(crate) rules: Vec<Rule>,
    headings: BTreeSet<String>,
}

impl Book {
    /// Reads it from Markdown.
    pub(crate) fn read(text: &str) -> Self {
        let mut book = Self { rules: Vec::new(), headings: BTreeSet::new() };
        let mut within = false;
        for (index, line) in text.lines().enumerate() {
            if let Some(title) = heading(line) {
                book.headings.insert(slug(title));
                let id = NAMED.iter().find(|name| title.eq_ignore_ascii_case(name)).copied();
                let id = id.or_else(|| ids::is_rule(title).then_some(title));
                within = id.is_some();
                book.rules.extend(id.map(|id| Rule::new(id, index + 1)));
            } else if within && let Some(rule) = book.rules.last_mut() {
                rule.built &= !line.starts_with("**Not built.**");
                rule.code.extend(line.strip_prefix("- Code: ").into_iter().flat_map(places));
                rule.tests.extend(line.strip_prefix("- Tests: ").into_iter().flat_map(places));
            }
        }
        book
    }

    pub(crate) fn defines(&self, id: &str) -> bool {
        self.rules.iter().any(|rule| rule.id == id)
    }

    pub(crate) fn has_anchor(&self, anchor: &str) -> bool {
        self.headings.contains(anchor)
    }

    pub(crate) fn has_section(&self, number: usize) -> bool {
        let start = format!("{number}-");
        self.headings.iter().any(|heading| heading.starts_with(&start))
    }
}

fn heading(line: &str) -> Option<&str> {
    let title = line.trim_start_matches('#');
    (title.len() < line.len()).then(|| title.strip_prefix(' ')).flatten().map(str::trim)
}

/// The anchor that a heading gets.
fn slug(title: &str) -> String {
    let kept = title.chars().filter(|c| c.is_alphanumeric() || "-_ ".contains(*c));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

#[test]
fn a_heading_that_is_an_id_starts_a_rule() {
    let text = "# Rules\n## 2. Tokens\n### A1\nText `x`.\n\n- Code: `a.rs` (`f`, `g`), `b/c.toml`\n- Tests: `t.rs` (`h`)\n\
                ### Words\n- Tests: `no.rs` (`no`)\n### A1b\n**Not built.** Later.\n### Statuses\n";
    let book = Book::read(text);
    let ids: Vec<_> = book.rules.iter().map(|rule| (rule.id.as_str(), rule.line, rule.built)).collect();
    assert_eq!(ids, [("A1", 3, true), ("A1b", 10, false), ("statuses", 12, true)]);
    assert_eq!((book.rules[0].code.len(), book.rules[0].tests.len(), book.rules[1].tests.len()), (2, 1, 0));
    assert!(book.has_anchor("a1b") && book.has_anchor("2-tokens") && !book.has_anchor("a2"));
    assert!(book.has_section(2) && !book.has_section(3));
    assert!(book.defines("A1") && !book.defines("A2"));
}
