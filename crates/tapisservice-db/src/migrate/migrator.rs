//! The migrations of a service.

use std::collections::BTreeSet;
use std::sync::Arc;

use sqlx::migrate::Migration;

use super::status::{AppliedRow, MigrationStatus};
use super::{Downgrade, Event, MigrationError, Upgrade, run};
use crate::query::Target;
use crate::scope::Bound;
use crate::{Database, QueryError};

/// The migrations of a service, embedded by `sqlx::migrate!`. Cheap to clone.
///
/// Files are called `<version>_<name>.up.sql` and `.down.sql`, a pair each, and are kept to SQL that both engines take. Each runs
/// in a transaction, unless its file starts with the line `-- no-transaction`.
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
            return Err(MigrationError::Duplicate(twice));
        }
        if let Some(twice) = versions(true).find(|version| !downs.insert(*version)) {
            return Err(MigrationError::Duplicate(twice));
        }
        if let Some(version) = ups.symmetric_difference(&downs).next() {
            return Err(MigrationError::OneWay(*version));
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
    /// When the database does not come within `patience`, a migration fails, or one was changed after it ran.
    pub async fn upgrade(
        &self,
        database: &Database,
        to: Upgrade,
        patience: std::time::Duration,
        tell: &mut (dyn FnMut(Event) + Send),
    ) -> Result<MigrationStatus, MigrationError> {
        run::upgrade(self, database, to, patience, tell).await
    }

    /// Takes migrations back, the newest first, once the database is there, while no other runner is at work.
    ///
    /// # Errors
    ///
    /// When the database does not come within `patience`, a migration fails, or one was done by another build.
    pub async fn downgrade(
        &self,
        database: &Database,
        to: Downgrade,
        patience: std::time::Duration,
        tell: &mut (dyn FnMut(Event) + Send),
    ) -> Result<MigrationStatus, MigrationError> {
        run::downgrade(self, database, to, patience, tell).await
    }

    /// What is done in a database, and what is not.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn status(&self, database: &Database) -> Result<MigrationStatus, MigrationError> {
        let rows = Bound::Nothing.query(
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

    pub(super) fn find(&self, version: i64, down: bool) -> Option<&Migration> {
        let matches = |m: &&Migration| m.version == version && m.migration_type.is_down_migration() == down;
        self.migrations.iter().find(matches)
    }

    fn ups(&self) -> impl Iterator<Item = &Migration> {
        self.migrations.iter().filter(|migration| !migration.migration_type.is_down_migration())
    }
}
