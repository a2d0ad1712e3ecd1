#![doc = include_str!("../README.md")]

mod database;
mod engine;
mod error;
pub mod migrate;
mod query;
mod ready;
mod retry;
mod scope;
mod settings;
mod tenant_check;
#[cfg(feature = "testing")]
pub mod testing;
mod transaction;
mod url;
mod value;

pub use database::{Database, PoolStatus};
pub use engine::Engine;
pub use error::{QueryError, TenantMissing};
pub use query::Query;
pub use ready::SchemaCheck;
pub use scope::{AcrossTenants, ByOwner, ByTenant, Scope};
pub use settings::{DatabaseSettings, SETTINGS_SCHEMA, SettingsError};
pub use sqlx::{AssertSqlSafe, FromRow, SqlSafeStr};
pub use transaction::Transaction;
pub use value::{Record, TextUuid, Timestamp, Value};
