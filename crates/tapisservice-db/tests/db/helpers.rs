//! Databases to test with.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tapisservice_core::Identity;
use tapisservice_db::migrate::{Migrator, Upgrade};
use tapisservice_db::testing::Postgres;
use tapisservice_db::{Database, DatabaseSettings, FromRow, TextUuid, Timestamp};
use uuid::Uuid;

/// Shared by the tests that do not stop it.
static POSTGRES: LazyLock<Option<Postgres>> = LazyLock::new(Postgres::start);
static COUNT: AtomicU32 = AtomicU32::new(0);

/// How long a test waits at most for what takes a moment: machines may be slow.
pub(crate) const TIMEOUT: Duration = Duration::from_mins(1);

pub(crate) struct Fixture {
    pub(crate) name: &'static str,
    pub(crate) database: Database,
    pub(crate) settings: DatabaseSettings,
    pub(crate) folder: tempfile::TempDir,
}

/// A fresh, empty database of each engine that the machine has.
pub(crate) fn empty() -> Vec<Fixture> {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = DatabaseSettings::new(format!("sqlite://{}/in/a/test.db", folder.path().display()));
    let mut fixtures = vec![fixture("SQLite", sqlite, folder)];
    if let Some(postgres) = &*POSTGRES {
        let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        postgres.create_database(&name);
        fixtures.push(fixture("PostgreSQL", postgres.settings(&name), tempfile::tempdir().unwrap()));
    }
    fixtures
}

/// The same with the tables of the tests.
pub(crate) async fn migrated() -> Vec<Fixture> {
    let fixtures = empty();
    for fixture in &fixtures {
        upgrade(&fixture.database).await;
    }
    fixtures
}

pub(crate) async fn upgrade(database: &Database) {
    migrator().upgrade(database, Upgrade::Head, TIMEOUT, &mut |_| ()).await.unwrap();
}

pub(crate) fn migrator() -> Migrator {
    Migrator::new(sqlx::migrate!("tests/migrations")).unwrap()
}

pub(crate) fn postgres() -> Option<&'static Postgres> {
    POSTGRES.as_ref()
}

fn fixture(name: &'static str, settings: DatabaseSettings, folder: tempfile::TempDir) -> Fixture {
    Fixture { name, database: Database::connect_lazy(&settings).unwrap(), settings, folder }
}

pub(crate) fn owner(username: &str, tenant: &str) -> Identity {
    tapisservice_core::testing::identity_for(tenant, username)
}

#[derive(Debug, Clone, PartialEq, FromRow)]
pub(crate) struct Note {
    pub(crate) note_id: TextUuid,
    pub(crate) name: String,
    pub(crate) size: Option<i64>,
    pub(crate) done: bool,
    pub(crate) body: Option<Vec<u8>>,
    pub(crate) weight: Option<f64>,
    pub(crate) created: Timestamp,
}

pub(crate) const INSERT: &str =
    "INSERT INTO notes (note_id, tenant_id, owner, name, created) VALUES ($3, $1, $2, $4, $5)";

pub(crate) async fn insert(database: &Database, owner: &Identity, name: &str) -> TextUuid {
    let id = TextUuid(Uuid::now_v7());
    let scope = database.for_owner(owner);
    let query = scope.query(INSERT).bind(id).bind(name).bind(Timestamp::now());
    assert_eq!(query.execute().await.unwrap(), 1);
    id
}
