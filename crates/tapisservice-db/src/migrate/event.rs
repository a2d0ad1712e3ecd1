//! Events of a run of migrations.

use std::time::Duration;

/// An event of a run of migrations, for a terminal or a log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum MigrationEvent {
    /// The database is not reachable yet. Sent on every attempt, about once a second.
    WaitingForDatabase {
        /// The error of the attempt.
        reason: String,
    },
    /// Another run holds the lock. Sent once.
    WaitingForLock,
    /// A migration has started.
    Started {
        /// Its version.
        version: i64,
        /// Its description, from the name of the file.
        description: String,
        /// Whether it is being reverted.
        down: bool,
        /// How many migrations follow, as far as is known.
        remaining: usize,
    },
    /// A migration has finished.
    Finished {
        /// Its version.
        version: i64,
        /// How long it took.
        elapsed: Duration,
    },
    /// The database has migrations of a newer build, which this one does not know.
    Ahead {
        /// How many.
        unknown: usize,
    },
}
