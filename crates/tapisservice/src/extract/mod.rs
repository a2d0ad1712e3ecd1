//! Extractors whose rejections name the place of an invalid value, and never the value (F22).

mod json;
mod message;
mod objects;
mod path;
mod query;
mod text;
mod up_to;

pub use json::Json;
pub use path::Path;
pub use query::Query;
pub use up_to::UpTo;
