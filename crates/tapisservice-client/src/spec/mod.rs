//! Operations from OpenAPI files.

mod bundled;
mod catalog;
mod check;
mod facts;
mod index;
pub(crate) mod nearest;
mod reader;
mod resource;

pub use catalog::{Catalog, CatalogBuilder, Notice, ResourceSet, SpecSource, SpecUpdate};
pub use facts::{BodyForm, Location, Operation, Parameter, Property, RequestBody, Style, ValueKind};
pub use resource::Resource;
