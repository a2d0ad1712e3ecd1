//! Shelf: users keep books on shelves.

mod app;
mod routes;
mod store;

pub use app::{ShelfSettings, app};
