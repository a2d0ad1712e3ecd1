//! Extractors whose refusals name the place of a fault and never its value (F22).

mod json;
mod message;
mod objects;
mod query;

pub use json::Json;
pub use query::Query;
