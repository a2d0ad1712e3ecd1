//! The service as its users meet it: a database, a site and a port of its own for every test.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod bookmarks;
mod commands;
mod docs;
mod health;
mod helpers;
mod isolation;
mod list;
mod local_work;
mod openapi;
mod refused;
mod secrets;
mod systems;
mod whoami;

/// The URL of an empty database.
#[expect(clippy::unused_async, reason = "that of PostgreSQL has to be migrated, see tests/postgres.rs")]
async fn database(folder: &tempfile::TempDir) -> String {
    format!("sqlite://{}?mode=rwc", folder.path().join("data").join("bookmarks.db").display())
}
