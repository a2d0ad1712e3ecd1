//! Transaction control statements.

use super::statement::Statement;

/// The effect of a statement on the transaction it runs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Control {
    /// Its name in messages.
    pub(super) name: &'static str,
    pub(super) effect: Effect,
    /// Whether it has no isolation level and no chain. Only a plain pair around a file is skipped.
    pub(super) is_plain: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Starts,
    Commits,
    /// Rolls it back, or leaves it to another session.
    Abandons,
    /// Ends it and begins the next: `COMMIT AND CHAIN`.
    Chains,
    /// Neither begins nor ends it: `SET TRANSACTION`, and the end of a prepared one.
    Stays,
}

/// The effect of a statement on the transaction it runs in; `None` for statements without one, savepoints included.
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
    // SQLite's locking modes. A migration takes the write lock immediately in any case.
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
