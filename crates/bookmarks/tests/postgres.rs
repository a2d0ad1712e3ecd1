//! The same service on PostgreSQL: what the store does must not depend on the engine.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
#![expect(dead_code, reason = "the helpers serve more tests than these")]

#[path = "postgres/faults.rs"]
mod faults;
#[path = "api/helpers.rs"]
mod helpers;
#[path = "api/isolation.rs"]
mod isolation;
#[path = "api/list.rs"]
mod list;
#[path = "api/bookmarks.rs"]
mod store;

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tapisservice_db::migrate::Upgrade;
use tapisservice_db::testing::Postgres;
use tapisservice_db::{Database, DatabaseSettings};

static POSTGRES: LazyLock<Option<Postgres>> = LazyLock::new(Postgres::start);
static COUNT: AtomicU32 = AtomicU32::new(0);

/// The URL of a migrated, empty database. A machine without PostgreSQL has said so, and the test runs on SQLite again.
async fn database(folder: &tempfile::TempDir) -> String {
    let Some(postgres) = &*POSTGRES else {
        return format!("sqlite://{}?mode=rwc", folder.path().join("bookmarks.db").display());
    };
    let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
    postgres.create_database(&name);
    migrate(&postgres.url(&name)).await;
    postgres.url(&name)
}

async fn migrate(url: &str) {
    let database = Database::connect_lazy(&DatabaseSettings::new(url)).unwrap();
    let timeout = Duration::from_mins(1);
    let migrator = <bookmarks::Bookmarks as tapisservice::TapisService>::migrations().unwrap();
    migrator.upgrade(&database, Upgrade::Head, timeout, &mut |_| ()).await.unwrap();
    database.close().await;
}
