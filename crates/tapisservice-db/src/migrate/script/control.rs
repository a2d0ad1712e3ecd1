//! Statements that start, end or set a transaction.

use super::statement::Statement;

/// What a statement does to the transaction it runs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Control {
    /// What it is called in a message.
    pub(super) name: &'static str,
    pub(super) effect: Effect,
    /// Whether it does no more than that: no isolation level, no chain. Only such a pair is taken off a file.
    pub(super) is_plain: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Starts,
    Commits,
    /// Undoes it, or leaves it to another session.
    Abandons,
    /// Ends it and starts the next: `COMMIT AND CHAIN`.
    Chains,
    /// Neither: `SET TRANSACTION`, and the end of a prepared one.
    Stays,
}

/// What a statement does to the transaction it runs in; nothing for any that leaves it alone, as savepoints do.
pub(super) fn control(statement: &Statement<'_>) -> Option<Control> {
    let upper: Vec<String> = statement.head.iter().map(|word| word.to_ascii_uppercase()).collect();
    let words: Vec<&str> = upper.iter().map(String::as_str).collect();
    let (&first, rest) = words.split_first()?;
    let plain = |allowed: &[&[&str]]| statement.is_all_head && allowed.contains(&rest);
    let ending = |effect| match rest {
        ["PREPARED", ..] => Effect::Stays,
        _ if chains(rest) => Effect::Chains,
        _ => effect,
    };
    let (name, effect, is_plain) = match (first, rest) {
        ("BEGIN", _) => ("BEGIN", Effect::Starts, plain(&PLAIN_BEGIN)),
        ("START", ["TRANSACTION", ..]) => ("START TRANSACTION", Effect::Starts, plain(&[&["TRANSACTION"]])),
        ("COMMIT", _) => ("COMMIT", ending(Effect::Commits), plain(&PLAIN_END)),
        ("END", _) => ("END", ending(Effect::Commits), plain(&PLAIN_END)),
        ("ROLLBACK", ["TO", ..] | ["WORK" | "TRANSACTION", "TO", ..]) => return None,
        ("ROLLBACK", _) => ("ROLLBACK", ending(Effect::Abandons), false),
        ("ABORT", _) => ("ABORT", ending(Effect::Abandons), false),
        ("PREPARE", ["TRANSACTION", ..]) => ("PREPARE TRANSACTION", Effect::Abandons, false),
        ("SET", ["TRANSACTION", ..] | ["LOCAL" | "SESSION", "TRANSACTION", ..]) => {
            ("SET TRANSACTION", Effect::Stays, false)
        }
        _ => return None,
    };
    Some(Control { name, effect, is_plain })
}

const PLAIN_BEGIN: [&[&str]; 9] = [
    &[],
    &["TRANSACTION"],
    &["WORK"],
    // How SQLite locks; a migration takes its write lock at once in any case.
    &["DEFERRED"],
    &["IMMEDIATE"],
    &["EXCLUSIVE"],
    &["DEFERRED", "TRANSACTION"],
    &["IMMEDIATE", "TRANSACTION"],
    &["EXCLUSIVE", "TRANSACTION"],
];

const PLAIN_END: [&[&str]; 3] = [&[], &["TRANSACTION"], &["WORK"]];

fn chains(rest: &[&str]) -> bool {
    matches!(rest, ["AND", "CHAIN", ..] | ["WORK" | "TRANSACTION", "AND", "CHAIN", ..])
}
