#![doc = include_str!("../README.md")]

mod advice;
mod assemble;
mod coerce;
mod config;
mod defaults;
mod derived;
mod environment;
mod error;
mod expected;
mod files;
mod formats;
mod integers;
mod layers;
mod loader;
mod mask;
mod merge;
mod origin;
mod overlay;
mod references;
mod refused;
mod schema;
mod schema_node;
mod substitute;
mod typed;
mod validate;
mod white_space;

use tapisservice_core::json::pointer;

pub use advice::NO_EFFECT;
pub use config::{Config, Entry};
pub use derived::{schema_of, schema_text_of, set_default};
pub use error::{ConfigError, EXIT_CODE, Violation};
pub use loader::Loader;
pub use origin::{SchemaSource, ValueOrigin};
