//! The state of migrations.

use std::borrow::Cow;
use std::collections::BTreeMap;

use sqlx::migrate::Migration;

use super::file::former_line_endings;

/// The migrations of a build and of a database, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationStatus {
    migrations: Vec<MigrationEntry>,
}

/// One migration.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MigrationEntry {
    /// Its version.
    pub version: i64,
    /// Its description, from the name of the file; empty for one that this build does not know.
    pub description: Cow<'static, str>,
    /// Its state.
    pub state: MigrationState,
}

/// The state of a migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MigrationState {
    /// Applied.
    Applied,
    /// Not applied yet.
    Pending,
    /// Applied, and its file has changed since.
    Changed,
    /// Applied, and only the line endings of its file have changed since, as after a Git checkout on another system.
    LineEndingsChanged {
        /// The former line endings, `LF` or `CRLF`.
        former: &'static str,
    },
    /// Failed half way.
    Unfinished,
    /// Applied by another build; this one does not have it.
    Unknown,
}

/// A row of the table of migrations.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(super) struct AppliedRow {
    pub(super) version: i64,
    pub(super) checksum: Vec<u8>,
    pub(super) success: bool,
}

/// Why a database is not at head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotAtHead {
    /// A migration without a transaction failed in the middle.
    #[error("migration {0} is unfinished")]
    Unfinished(i64),
    /// The file of a migration was changed after it was applied.
    #[error("migration {0} was changed after it was applied")]
    Changed(i64),
    /// The file of a migration has other line endings than when it was applied.
    #[error("migration {0} has other line endings than when it was applied")]
    LineEndingsChanged(i64),
    /// Migrations are pending.
    #[error("{count} pending, starting with migration {first}")]
    Pending {
        /// Their number.
        count: usize,
        /// The version of the first one.
        first: i64,
    },
}

impl MigrationStatus {
    pub(super) fn new<'m>(known: impl Iterator<Item = &'m Migration>, applied: &[AppliedRow]) -> Self {
        let mut applied: BTreeMap<i64, &AppliedRow> = applied.iter().map(|row| (row.version, row)).collect();
        let mut migrations: Vec<MigrationEntry> = known
            .map(|migration| MigrationEntry {
                version: migration.version,
                description: migration.description.clone(),
                state: state(migration, applied.remove(&migration.version)),
            })
            .collect();
        migrations.extend(applied.into_values().map(|row| MigrationEntry {
            version: row.version,
            description: Cow::Borrowed(""),
            state: if row.success { MigrationState::Unknown } else { MigrationState::Unfinished },
        }));
        migrations.sort_by_key(|migration| migration.version);
        Self { migrations }
    }

    /// All migrations, in order.
    pub fn migrations(&self) -> &[MigrationEntry] {
        &self.migrations
    }

    /// The newest applied migration.
    pub fn current(&self) -> Option<i64> {
        self.migrations.iter().rev().find(|m| m.state != MigrationState::Pending).map(|m| m.version)
    }

    /// The number of pending migrations.
    pub fn pending(&self) -> usize {
        self.count(MigrationState::Pending)
    }

    /// The number of migrations applied by another build.
    pub fn unknown(&self) -> usize {
        self.count(MigrationState::Unknown)
    }

    /// Checks that every migration of this build is applied and unchanged. Migrations of a newer build are fine: during a
    /// rollout, old and new versions run side by side.
    ///
    /// # Errors
    ///
    /// What is missing.
    pub fn at_head(&self) -> Result<(), NotAtHead> {
        let first = |state| self.migrations.iter().find(|m| m.state == state).map(|m| m.version);
        if let Some(version) = first(MigrationState::Unfinished) {
            return Err(NotAtHead::Unfinished(version));
        }
        if let Some(version) = first(MigrationState::Changed) {
            return Err(NotAtHead::Changed(version));
        }
        let endings = |m: &&MigrationEntry| matches!(m.state, MigrationState::LineEndingsChanged { .. });
        if let Some(changed) = self.migrations.iter().find(endings) {
            return Err(NotAtHead::LineEndingsChanged(changed.version));
        }
        match first(MigrationState::Pending) {
            Some(first) => Err(NotAtHead::Pending { count: self.pending(), first }),
            None => Ok(()),
        }
    }

    fn count(&self, state: MigrationState) -> usize {
        self.migrations.iter().filter(|m| m.state == state).count()
    }
}

fn state(migration: &Migration, applied: Option<&AppliedRow>) -> MigrationState {
    match applied {
        None => MigrationState::Pending,
        Some(row) if !row.success => MigrationState::Unfinished,
        Some(row) if row.checksum != *migration.checksum => {
            let former = former_line_endings(migration, &row.checksum);
            former.map_or(MigrationState::Changed, |former| MigrationState::LineEndingsChanged { former })
        }
        Some(_) => MigrationState::Applied,
    }
}
