//! The migrations of a service.

use std::collections::BTreeSet;
use std::sync::Arc;

use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migration, MigrationType};

use super::file::{self, file_name};
use super::status::{AppliedRow, MigrationStatus};
use super::{Downgrade, MigrationError, MigrationEvent, MigrationState, Upgrade, run};
use crate::scope::ScopeBinding;
use crate::statement::Target;
use crate::{Database, QueryError};

/// The migrations of a service, embedded by `sqlx::migrate!`. Cheap to clone.
///
/// Each migration is a pair of files `<version>_<name>.up.sql` and `.down.sql`, in SQL that both engines accept. Each runs
/// in a transaction, unless the first line of its file is `-- no-transaction`: then its statements run one by one.
///
/// A file that would end its transaction is rejected before the run applies any migration, on both engines alike:
/// [`MigrationError::TransactionControl`]. One plain `BEGIN;` and `COMMIT;` around the whole file, as other tools write them, are
/// skipped.
#[derive(Debug, Clone)]
pub struct Migrator {
    migrations: Arc<sqlx::migrate::Migrator>,
}

impl Migrator {
    /// A migrator for the migrations that `sqlx::migrate!` embedded.
    ///
    /// # Errors
    ///
    /// When two have the same version, or one cannot be reverted.
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

    /// The migrations that [`migrations!`](crate::migrations) embedded: version, description, what applies and what reverts them.
    #[doc(hidden)]
    pub fn embedded(migrations: &[(i64, &'static str, &'static str, &'static str)]) -> Self {
        let migration = |version, description: &'static str, kind, sql: &'static str| {
            let no_transaction = sql.starts_with("-- no-transaction");
            Migration::new(version, description.into(), kind, sql.into_sql_str(), no_transaction)
        };
        let pairs = migrations.iter().flat_map(|&(version, description, up, down)| {
            [
                migration(version, description, MigrationType::ReversibleUp, up),
                migration(version, description, MigrationType::ReversibleDown, down),
            ]
        });
        Self { migrations: Arc::new(sqlx::migrate::Migrator::with_migrations(pairs.collect())) }
    }

    /// The newest migration of this build.
    pub fn head(&self) -> Option<i64> {
        self.ups().map(|migration| migration.version).max()
    }

    /// Waits for the database and for other runs, then applies the pending migrations.
    ///
    /// # Errors
    ///
    /// When the database is not reachable within `timeout`, a file is rejected, a migration fails, or one was changed after it was applied.
    pub async fn upgrade(
        &self,
        database: &Database,
        to: Upgrade,
        timeout: std::time::Duration,
        on_event: &mut (dyn FnMut(MigrationEvent) + Send),
    ) -> Result<MigrationStatus, MigrationError> {
        run::upgrade(self, database, to, timeout, on_event).await
    }

    /// Waits for the database and for other runs, then reverts migrations, the newest first.
    ///
    /// # Errors
    ///
    /// When the database is not reachable within `timeout`, a file is rejected, a migration fails, or one was applied by another build.
    pub async fn downgrade(
        &self,
        database: &Database,
        to: Downgrade,
        timeout: std::time::Duration,
        on_event: &mut (dyn FnMut(MigrationEvent) + Send),
    ) -> Result<MigrationStatus, MigrationError> {
        run::downgrade(self, database, to, timeout, on_event).await
    }

    /// The state of each migration in a database.
    ///
    /// # Errors
    ///
    /// When the database is not available.
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

    /// Rejects a database with a migration that was changed after it was applied, or is unfinished.
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

    /// Checks that all pending migrations up to a version can run, in both directions, before the first one does. Applied ones
    /// are not checked.
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

    /// The same for the migrations to be reverted down to a version, which itself stays.
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
