//! Extractors whose rejections name the place of an invalid value, and never the value (F22).

mod json;
mod message;
mod objects;
mod path;
mod query;
mod text;

pub use json::Json;
pub use path::Path;
pub use query::Query;
