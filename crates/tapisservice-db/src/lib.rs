#![doc = include_str!("../README.md")]
// All of it is about an engine: without one the crate is empty.
#![cfg(any(feature = "postgres", feature = "sqlite"))]

mod database;
mod engine;
mod error;
pub mod migrate;
mod ready;
mod retry;
mod scope;
mod settings;
mod statement;
mod tenant_check;
#[cfg(all(feature = "testing", feature = "postgres"))]
pub mod testing;
mod transaction;
mod url;
mod value;

pub use database::{Database, PoolStatus};
pub use engine::Engine;
pub use error::{QueryError, UnscopedStatement};
pub use ready::{NotReady, SchemaCheck};
pub use scope::{AcrossTenants, ByOwner, ByTenant, Scope};
pub use settings::{DatabaseSettings, DatabaseSettingsError};
pub use sqlx::{self, AssertSqlSafe, FromRow, SqlSafeStr};
pub use statement::Statement;
pub use tapisservice_macros::{Record, Value};
pub use transaction::Transaction;
pub use value::{Record, TextUuid, Timestamp, Value};

/// Embeds the migrations of a folder, `migrations` by default, as a [`Migrator`](migrate::Migrator). The path is relative to the folder of
/// the package.
///
/// Each migration is a pair of files, `<version>_<name>.up.sql` and `.down.sql`; anything else that ends in `.sql` does not compile. The
/// crate is built again when a file changes. For a new file, touch the source that has the macro, or let a `build.rs` print
/// `cargo:rerun-if-changed=migrations`.
///
/// ```
/// let migrator = tapisservice_db::migrations!("tests/migrations");
/// # let _ = migrator;
/// ```
#[macro_export]
macro_rules! migrations {
    ($($folder:literal)?) => {
        $crate::__private::embed_migrations!($crate, $($folder)?)
    };
}

/// For the macros of this crate only.
#[doc(hidden)]
pub mod __private {
    pub use tapisservice_macros::embed_migrations;
}
