//! Which migrations are done.

use std::borrow::Cow;
use std::collections::BTreeMap;

use sqlx::migrate::Migration;

use super::file::former_line_endings;

/// The migrations of a build and of a database, side by side, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationStatus {
    migrations: Vec<MigrationState>,
}

/// One migration.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MigrationState {
    /// Its version.
    pub version: i64,
    /// What its file is called; nothing of one that this build does not know.
    pub description: Cow<'static, str>,
    /// Where it stands.
    pub state: State,
}

/// Where a migration stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// Done.
    Applied,
    /// Not done yet.
    Pending,
    /// Done, and its file was changed since.
    Changed,
    /// Done, and its file was changed since in its line endings only, as by a checkout of Git on another system.
    LineEndingsChanged {
        /// What they were, `LF` or `CRLF`.
        former: &'static str,
    },
    /// Broken off half way.
    Unfinished,
    /// Done by a build that has it; this one does not.
    Unknown,
}

/// A row of the table of migrations.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(super) struct AppliedRow {
    pub(super) version: i64,
    pub(super) checksum: Vec<u8>,
    pub(super) success: bool,
}

impl MigrationStatus {
    pub(super) fn new<'m>(known: impl Iterator<Item = &'m Migration>, applied: &[AppliedRow]) -> Self {
        let mut applied: BTreeMap<i64, &AppliedRow> = applied.iter().map(|row| (row.version, row)).collect();
        let mut migrations: Vec<MigrationState> = known
            .map(|migration| MigrationState {
                version: migration.version,
                description: migration.description.clone(),
                state: state(migration, applied.remove(&migration.version)),
            })
            .collect();
        migrations.extend(applied.into_values().map(|row| MigrationState {
            version: row.version,
            description: Cow::Borrowed(""),
            state: if row.success { State::Unknown } else { State::Unfinished },
        }));
        migrations.sort_by_key(|migration| migration.version);
        Self { migrations }
    }

    /// All migrations, in order.
    pub fn migrations(&self) -> &[MigrationState] {
        &self.migrations
    }

    /// The newest migration that is done.
    pub fn current(&self) -> Option<i64> {
        self.migrations.iter().rev().find(|m| m.state != State::Pending).map(|m| m.version)
    }

    /// How many are to be done.
    pub fn pending(&self) -> usize {
        self.count(State::Pending)
    }

    /// How many were done by another build.
    pub fn unknown(&self) -> usize {
        self.count(State::Unknown)
    }

    /// Whether every migration of this build is done as it is written. One of a newer build does no harm: while versions
    /// change, old and new run side by side.
    ///
    /// # Errors
    ///
    /// Says what is missing.
    pub fn at_head(&self) -> Result<(), String> {
        let first = |state| self.migrations.iter().find(|m| m.state == state).map(|m| m.version);
        if let Some(version) = first(State::Unfinished) {
            return Err(format!("migration {version} is unfinished"));
        }
        if let Some(version) = first(State::Changed) {
            return Err(format!("migration {version} was changed after it ran"));
        }
        let endings = |m: &&MigrationState| matches!(m.state, State::LineEndingsChanged { .. });
        if let Some(changed) = self.migrations.iter().find(endings) {
            return Err(format!(
                "migration {} was changed after it ran, in its line endings",
                changed.version
            ));
        }
        match first(State::Pending) {
            Some(version) => Err(format!("{} to be done, the first is migration {version}", self.pending())),
            None => Ok(()),
        }
    }

    fn count(&self, state: State) -> usize {
        self.migrations.iter().filter(|m| m.state == state).count()
    }
}

fn state(migration: &Migration, applied: Option<&AppliedRow>) -> State {
    match applied {
        None => State::Pending,
        Some(row) if !row.success => State::Unfinished,
        Some(row) if row.checksum != *migration.checksum => {
            let former = former_line_endings(migration, &row.checksum);
            former.map_or(State::Changed, |former| State::LineEndingsChanged { former })
        }
        Some(_) => State::Applied,
    }
}
