//! Extractors whose rejections name the place of an invalid value, and never the value (F22).

mod json;
mod message;
mod objects;
mod query;

pub use json::Json;
pub use query::Query;
