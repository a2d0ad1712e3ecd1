//! Operations from OpenAPI files.

mod bundled;
mod catalog;
mod check;
mod index;
pub(crate) mod nearest;
mod operation;
mod reader;
mod resource;

pub use catalog::{Catalog, CatalogBuilder, ResourceSet, SpecSource, SpecUpdate, SpecWarning};
pub use operation::{BodyContent, Location, Operation, Parameter, Property, RequestBody, Style, ValueKind};
pub use resource::Resource;
