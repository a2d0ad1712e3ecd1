//! The same service on PostgreSQL: what the store does must not depend on the engine.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

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

/// On a PostgreSQL database. A machine without PostgreSQL says so, and the test runs on SQLite again.
async fn start() -> helpers::Service {
    helpers::builder().postgres().start().await
}
