#![doc = include_str!("../README.md")]

mod app;
mod bookmark;
mod database;
#[cfg(feature = "devsite")]
pub mod devsite;
mod fields;
mod list_query;
mod openapi;
mod routes;
mod settings;
mod state;
mod store;
mod systems;

pub use app::{app, describe};
pub use bookmark::{Bookmark, BookmarkChanges, BookmarkId, NewBookmark};
pub use database::{connect, migrator};
pub use fields::{BookmarkName, Description, InvalidField, SystemId, SystemPath, Tag, Tags};
pub use list_query::{ListMetadata, ListParameters, ListQuery, OrderBy};
pub use settings::{BookmarksSettings, loader};
pub use store::{Store, StoreError};
pub use systems::Systems;
