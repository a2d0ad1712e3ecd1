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

/// On an SQLite file.
async fn start() -> helpers::Service {
    helpers::builder().start().await
}
