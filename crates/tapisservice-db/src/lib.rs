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
#[cfg(feature = "testing")]
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
pub use transaction::Transaction;
pub use value::{Record, TextUuid, Timestamp, Value};
