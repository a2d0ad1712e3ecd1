//! The migrations of a service.

use std::collections::BTreeSet;
use std::sync::Arc;

use sqlx::migrate::Migration;

use super::file::{self, file_name};
use super::status::{AppliedRow, MigrationStatus};
use super::{Downgrade, MigrationError, MigrationEvent, MigrationState, Upgrade, run};
use crate::scope::ScopeBinding;
use crate::statement::Target;
use crate::{Database, QueryError};

/// The migrations of a service, embedded by `sqlx::migrate!`. Cheap to clone.
///
/// Files are called `<version>_<name>.up.sql` and `.down.sql`, a pair each, and are kept to SQL that both engines take. Each runs
/// in a transaction, unless its file starts with the line `-- no-transaction`: then its statements run one by one.
///
/// A file that would end its transaction is refused before any migration of the run is done, on both engines alike:
/// [`MigrationError::TransactionControl`]. One plain `BEGIN;` and `COMMIT;` around the whole file, as other tools write them, are
/// left out.
#[derive(Debug, Clone)]
pub struct Migrator {
    migrations: Arc<sqlx::migrate::Migrator>,
}

impl Migrator {
    /// Takes the migrations.
    ///
    /// # Errors
    ///
    /// When two have the same version, or one cannot be taken back.
    pub fn new(migrations: sqlx::migrate::Migrator) -> Result<Self, MigrationError> {
        let versions = |down| {
            migrations.iter().filter(move |m| m.migration_type.is_down_migration() == down).map(|m| m.version)
        };
        let (mut ups, mut downs) = (BTreeSet::new(), BTreeSet::new());
        if let Some(twice) = versions(false).find(|version| !ups.insert(*version)) {
            return Err(MigrationError::DuplicateVersion(twice));
        }
        if let Some(twice) = versions(true).find(|version| !downs.insert(*version)) {
            return Err(MigrationError::DuplicateVersion(twice));
        }
        if let Some(version) = ups.symmetric_difference(&downs).next() {
            return Err(MigrationError::NotReversible(*version));
        }
        Ok(Self { migrations: Arc::new(migrations) })
    }

    /// The newest migration of this build.
    pub fn head(&self) -> Option<i64> {
        self.ups().map(|migration| migration.version).max()
    }

    /// Does what is to be done, once the database is there, while no other runner is at work.
    ///
    /// # Errors
    ///
    /// When the database does not come within `timeout`, a file is refused, a migration fails, or one was changed after it ran.
    pub async fn upgrade(
        &self,
        database: &Database,
        to: Upgrade,
        timeout: std::time::Duration,
        on_event: &mut (dyn FnMut(MigrationEvent) + Send),
    ) -> Result<MigrationStatus, MigrationError> {
        run::upgrade(self, database, to, timeout, on_event).await
    }

    /// Takes migrations back, the newest first, once the database is there, while no other runner is at work.
    ///
    /// # Errors
    ///
    /// When the database does not come within `timeout`, a file is refused, a migration fails, or one was done by another build.
    pub async fn downgrade(
        &self,
        database: &Database,
        to: Downgrade,
        timeout: std::time::Duration,
        on_event: &mut (dyn FnMut(MigrationEvent) + Send),
    ) -> Result<MigrationStatus, MigrationError> {
        run::downgrade(self, database, to, timeout, on_event).await
    }

    /// What is done in a database, and what is not.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn status(&self, database: &Database) -> Result<MigrationStatus, MigrationError> {
        let rows = ScopeBinding::Nothing.query(
            Target::Pool(database.pool()),
            "SELECT version, checksum, success FROM _sqlx_migrations ORDER BY version",
        );
        match rows.fetch_all::<AppliedRow>().await {
            Ok(rows) => Ok(self.status_of(&rows)),
            // No migration ran yet.
            Err(QueryError::SchemaMissing { .. }) => Ok(self.status_of(&[])),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn status_of(&self, rows: &[AppliedRow]) -> MigrationStatus {
        MigrationStatus::new(self.ups(), rows)
    }

    /// Refuses a database on which a migration ran that is not as it was, or is unfinished.
    pub(super) fn check_applied(&self, status: &MigrationStatus) -> Result<(), MigrationError> {
        for migration in status.migrations() {
            let version = migration.version;
            match migration.state {
                MigrationState::Unfinished => return Err(MigrationError::Dirty(version)),
                MigrationState::Changed => return Err(MigrationError::Changed(version)),
                MigrationState::LineEndingsChanged { former } => {
                    let file = self.find(version, false).map_or_else(|| version.to_string(), file_name);
                    return Err(MigrationError::LineEndings { file, former });
                }
                MigrationState::Applied | MigrationState::Pending | MigrationState::Unknown => {}
            }
        }
        Ok(())
    }

    /// Refuses files that cannot be run, of all migrations to be done up to a version, before the first of them is done. Those
    /// that are done stay as they are; those to be done have to lead back, too.
    pub(super) fn check_pending(&self, status: &MigrationStatus, limit: i64) -> Result<(), MigrationError> {
        let pending =
            status.migrations().iter().filter(|m| m.state == MigrationState::Pending && m.version <= limit);
        for migration in pending {
            for down in [false, true] {
                file::check(self.get(migration.version, down)?)?;
            }
        }
        Ok(())
    }

    /// The same for those to be taken back down to a version, which itself stays.
    pub(super) fn check_reverts(&self, status: &MigrationStatus, floor: i64) -> Result<(), MigrationError> {
        let done = status.migrations().iter().rev();
        for migration in done.filter(|m| m.state != MigrationState::Pending && m.version > floor) {
            file::check(self.get(migration.version, true)?)?;
        }
        Ok(())
    }

    pub(super) fn get(&self, version: i64, down: bool) -> Result<&Migration, MigrationError> {
        self.find(version, down).ok_or(MigrationError::Unknown(version))
    }

    pub(super) fn find(&self, version: i64, down: bool) -> Option<&Migration> {
        let matches = |m: &&Migration| m.version == version && m.migration_type.is_down_migration() == down;
        self.migrations.iter().find(matches)
    }

    fn ups(&self) -> impl Iterator<Item = &Migration> {
        self.migrations.iter().filter(|migration| !migration.migration_type.is_down_migration())
    }
}
