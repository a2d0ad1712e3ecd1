//! Ids in running text: those of rules, and those of reviews, which nobody outside can look up.

const FAMILIES: &str = "AOHTRCDF";
/// What reviews number their rows by. Single letters are ids only where the text says so.
const REVIEWS: [&str; 3] = ["FR", "FP", "FC"];
const LETTERS: [&str; 2] = ["B", "N"];
const INTRODUCTIONS: [&str; 9] =
    ["fault", "faults", "finding", "findings", "issue", "review", "reviews", "row", "rows"];

/// Whether `word` has the form of an id of a rule: a family, one or two digits, and `b` for a part that came later.
pub(crate) fn is_rule(word: &str) -> bool {
    let Some(rest) = word.strip_prefix(|letter| FAMILIES.contains(letter)) else { return false };
    let digits = rest.strip_suffix('b').unwrap_or(rest);
    is_number(digits)
}

/// The ids of rules in `text`.
pub(crate) fn rules(text: &str) -> Vec<&str> {
    words(text).map(|(_, word)| word).filter(|word| is_rule(word)).collect()
}

/// The ids of reviews in `text`.
pub(crate) fn reviews(text: &str) -> Vec<&str> {
    let found = words(text).filter(|(at, word)| {
        has_prefix(word, &REVIEWS) || has_prefix(word, &LETTERS) && is_introduced(text, *at, word)
    });
    found.map(|(_, word)| word).collect()
}

fn is_number(digits: &str) -> bool {
    (1..=2).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn has_prefix(word: &str, prefixes: &[&str]) -> bool {
    prefixes.iter().any(|prefix| word.strip_prefix(prefix).is_some_and(is_number))
}

/// Whether a letter with a number is an id: after a word such as "fault", or alone (or with others) in parentheses.
fn is_introduced(text: &str, at: usize, word: &str) -> bool {
    let (before, after) = (&text[..at], &text[at + word.len()..]);
    let last = before.trim_end().rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    INTRODUCTIONS.contains(&last.to_lowercase().as_str()) || is_alone(before, after)
}

fn is_alone(before: &str, after: &str) -> bool {
    let Some((_, before)) = before.rsplit_once('(') else { return false };
    let Some((after, _)) = after.split_once(')') else { return false };
    let mut others = words(before).chain(words(after));
    others.all(|(_, word)| has_prefix(word, &REVIEWS) || has_prefix(word, &LETTERS) || is_rule(word))
}

/// Words with the byte at which each starts. A word that touches `%`, `&`, `#`, `+`, `/` or `=` belongs to an escape or an address.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_part = |c: char| c.is_alphanumeric() || "_%&#+/=\\".contains(c);
    text.split(move |c: char| !is_part(c)).filter(|word| !word.is_empty()).flat_map(move |word| {
        let start = word.as_ptr().addr() - text.as_ptr().addr();
        // Two ids may share a slash: A5/A6.
        let pieces: Vec<_> = word.split('/').collect();
        if pieces.iter().all(|piece| is_rule(piece)) {
            pieces.into_iter().map(|piece| (piece.as_ptr().addr() - text.as_ptr().addr(), piece)).collect()
        } else {
            vec![(start, word)]
        }
    })
}

#[test]
fn ids_of_rules_are_whole_words() {
    assert_eq!(rules("(rules A1, A5b and O2 to O6; F01) H2."), ["A1", "A5b", "O2", "O6", "F01", "H2"]);
    assert_eq!(rules("A5/A6 C4's"), ["A5", "A6", "C4"]);
    assert_eq!(rules("E0119 RS256 %C3%BC A1c A100 a1 XA1 A_1 U+D8 #A1 B14 R2D2"), [""; 0]);
}

#[test]
fn ids_of_reviews_are_told_from_names() {
    assert_eq!(reviews("as FR2 and (FC5) say"), ["FR2", "FC5"]);
    assert_eq!(reviews("fault B14, (N3), (N10, B2), review B1"), ["B14", "N3", "N10", "B2", "B1"]);
    assert_eq!(reviews("a line of N1 bytes, B2 and (the key N2) (B class) FR N2 FRAME1"), [""; 0]);
}
