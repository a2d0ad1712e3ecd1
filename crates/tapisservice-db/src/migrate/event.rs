//! What a run of migrations tells while it lasts.

use std::time::Duration;

/// What happens; for a person who waits, or a log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum MigrationEvent {
    /// The database is not there yet. Comes with every attempt, about once a second.
    WaitingForDatabase {
        /// What the attempt met.
        reason: String,
    },
    /// Another runner is at work. Comes once.
    WaitingForLock,
    /// A migration starts.
    Started {
        /// Which one.
        version: i64,
        /// What its file is called.
        description: String,
        /// Whether it is taken back.
        down: bool,
        /// How many come after it, as far as is known.
        remaining: usize,
    },
    /// It is done.
    Finished {
        /// Which one.
        version: i64,
        /// How long it took.
        elapsed: Duration,
    },
    /// The database has migrations that this build does not know, of a newer build.
    Ahead {
        /// How many.
        unknown: usize,
    },
}
