//! Specifications: the bundled index, the tolerant reader, catalogs and their cache.

#![expect(clippy::unwrap_used, reason = "what cannot be set up is to stop the test")]

mod bounds;
mod cache;
mod catalog;
mod index;
mod reader;
mod refused;
mod site;
