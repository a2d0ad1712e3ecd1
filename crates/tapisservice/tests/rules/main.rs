//! `docs/PROTOCOL.md` is the one list of the rules: every id that the repository cites is defined there, and every rule names code
//! and tests that exist.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod book;
mod ids;
mod place;
mod prose;
mod tree;

use std::collections::BTreeSet;

use crate::book::Book;
use crate::tree::Tree;

/// Rules that no code keeps yet. This list only gets shorter: whoever builds one removes it here, and its mark in the rule book.
const NOT_BUILT: [&str; 5] = ["A1b", "C5b", "D1b", "D5b", "error-metadata"];

const BOOK: &str = "docs/PROTOCOL.md";

/// Documents that the rules once came from. What they said is in the rule book and in the pages beside it.
const GONE: [&str; 4] = ["HARDENING", "CLIENT section", "facts/PROTOCOL", "of the conformance suite decides"];

fn book(tree: &Tree) -> Book {
    Book::read(&tree.text(BOOK))
}

/// One failure that lists everything at once.
fn assert_none(faults: &[String], remedy: &str) {
    assert!(faults.is_empty(), "\n{}\n\n{remedy}\n", faults.join("\n"));
}

#[test]
fn every_id_that_is_cited_is_defined() {
    let tree = Tree::of_the_workspace();
    let book = book(&tree);
    let mut faults = Vec::new();
    for file in tree.files() {
        for line in prose::of(&file, &tree.text(&file)) {
            // A case shows one rule, and its whole text is the id or the name of that.
            let cited =
                if prose::is_of_cases(&file) { vec![line.text.as_str()] } else { ids::rules(&line.text) };
            let undefined = cited.into_iter().filter(|id| !book.defines(id));
            faults.extend(undefined.map(|id| format!("{file}:{}: {id} is not defined", line.number)));
        }
    }
    assert_none(
        &faults,
        "Correct the id, or define the rule in docs/PROTOCOL.md under a heading of its own. If no rule is meant, write the word as \
         code, in backticks.",
    );
}

#[test]
fn every_rule_is_defined_once() {
    let book = book(&Tree::of_the_workspace());
    let mut seen = BTreeSet::new();
    let twice = book.rules.iter().filter(|rule| !seen.insert(&rule.id));
    let faults: Vec<_> =
        twice.map(|rule| format!("{BOOK}:{}: {} is defined above already", rule.line, rule.id)).collect();
    assert_none(&faults, "Merge the two, or give the second one the next free number of its family.");
    assert!(seen.len() > 80, "only {} rules were found in {BOOK}", seen.len());
}

#[test]
fn every_rule_names_code_that_exists() {
    let tree = Tree::of_the_workspace();
    let mut faults = Vec::new();
    for rule in book(&tree).rules {
        if rule.built && rule.code.is_empty() {
            faults.push(format!("{BOOK}:{}: {} names no code", rule.line, rule.id));
        }
        faults
            .extend(rule.code.iter().flat_map(|place| place.code_faults(&tree)).map(|fault| rule.at(&fault)));
    }
    assert_none(
        &faults,
        "Write `- Code: ` with the path from the root, and in parentheses names that the file contains.",
    );
}

#[test]
fn every_rule_has_a_test() {
    let tree = Tree::of_the_workspace();
    let mut faults = Vec::new();
    for rule in book(&tree).rules {
        if rule.built && rule.tests.is_empty() {
            faults.push(format!("{BOOK}:{}: {} names no test", rule.line, rule.id));
        }
        faults.extend(
            rule.tests.iter().flat_map(|place| place.test_faults(&tree)).map(|fault| rule.at(&fault)),
        );
    }
    assert_none(
        &faults,
        "Write `- Tests: ` with the path from the root, and in parentheses the tests: functions of a .rs or .py file, groups or ids \
         of a .json file. Renamed a test? Rename it in docs/PROTOCOL.md too. A rule without a test is not finished: write one.",
    );
}

#[test]
fn the_rules_that_are_not_built_are_the_listed_ones() {
    let faults = not_built_faults(&book(&Tree::of_the_workspace()), &NOT_BUILT);
    assert_none(&faults, "NOT_BUILT is at the top of crates/tapisservice/tests/rules/main.rs.");
}

fn not_built_faults(book: &Book, listed: &[&str]) -> Vec<String> {
    let mut faults = Vec::new();
    for rule in &book.rules {
        let is_listed = listed.contains(&rule.id.as_str());
        if is_listed && !rule.tests.is_empty() {
            faults.push(rule.at(&format!("{} has a test: remove it from NOT_BUILT, and its mark", rule.id)));
        } else if is_listed && rule.built {
            faults.push(rule.at(&format!("{} is in NOT_BUILT, but not marked \"**Not built.**\"", rule.id)));
        } else if !rule.built && !is_listed {
            faults.push(rule.at(&format!("{} is new and not built: build it first", rule.id)));
        }
    }
    let unknown = listed.iter().filter(|id| !book.defines(id));
    faults.extend(unknown.map(|id| format!("{id} is in NOT_BUILT and nowhere in {BOOK}")));
    faults
}

#[test]
fn links_and_sections_of_the_rule_book_exist() {
    let tree = Tree::of_the_workspace();
    let book = book(&tree);
    let mut faults = Vec::new();
    for file in tree.files() {
        let link = if file == BOOK { "](#" } else { "PROTOCOL.md#" };
        for line in prose::of(&file, &tree.text(&file)) {
            let missing = prose::anchors(&line.text, link).filter(|anchor| !book.has_anchor(anchor));
            faults.extend(missing.map(|anchor| format!("{file}:{}: there is no #{anchor}", line.number)));
            let missing = prose::sections(&line.text).filter(|number| !book.has_section(*number));
            faults.extend(
                missing.map(|number| format!("{file}:{}: there is no section {number}", line.number)),
            );
        }
    }
    assert_none(
        &faults,
        "Anchors are the headings of docs/PROTOCOL.md in lower case, spaces as hyphens, without punctuation.",
    );
}

#[test]
fn nothing_outside_the_repository_is_cited() {
    let tree = Tree::of_the_workspace();
    let mut faults = Vec::new();
    for file in tree.files() {
        for line in prose::of(&file, &tree.text(&file)) {
            let gone = GONE.iter().filter(|text| line.text.contains(*text));
            faults.extend(gone.map(|text| format!("{file}:{}: \"{text}\"", line.number)));
        }
    }
    assert_none(&faults, "Cite the rule by its id, or a page under docs/.");
}

#[test]
fn ids_of_reviews_stay_out_of_the_repository() {
    let tree = Tree::of_the_workspace();
    let mut faults = Vec::new();
    for file in tree.files() {
        for line in prose::of(&file, &tree.text(&file)) {
            let found = ids::reviews(&line.text).into_iter();
            faults.extend(found.map(|id| format!("{file}:{}: {id} is a row of a review", line.number)));
        }
    }
    assert_none(
        &faults,
        "Say what was wrong instead: nobody who reads this has the review. Code goes in backticks.",
    );
}

#[test]
fn a_rule_that_was_built_leaves_the_list() {
    let book =
        Book::read("### A1\n\n- Tests: `a.rs` (`b`)\n\n### A2\n\n**Not built.** Later.\n\n### A3\n\nText.\n");
    let faults = not_built_faults(&book, &["A1", "A3", "A9"]);
    let expected = [
        "A1 has a test",
        "A2 is new and not built",
        "A3 is in NOT_BUILT, but not marked",
        "A9 is in NOT_BUILT and nowhere",
    ];
    assert_eq!(faults.len(), expected.len());
    for (fault, expected) in faults.iter().zip(expected) {
        assert!(fault.contains(expected), "{fault}");
    }
    assert_eq!(not_built_faults(&book, &["A2"]), [""; 0]);
}
