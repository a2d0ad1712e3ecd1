//! Operations from OpenAPI files.

mod bundled;
mod catalog;
mod check;
mod index;
pub(crate) mod nearest;
mod operation;
#[cfg(feature = "spec-files")]
mod reader;
mod resource;

pub use catalog::Catalog;
#[cfg(feature = "spec-files")]
pub use catalog::{CatalogBuilder, ResourceSet, SpecSource, SpecUpdate, SpecWarning};
pub use operation::{BodyContent, Location, Operation, Parameter, Property, RequestBody, Style, ValueKind};
pub use resource::Resource;
