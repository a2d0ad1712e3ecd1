#![doc = include_str!("../README.md")]

mod bookmark;
mod fields;
mod list_query;
mod routes;
mod service;
mod store;
mod systems;

pub use bookmark::{Bookmark, BookmarkChanges, BookmarkId, NewBookmark};
pub use fields::{BookmarkName, Description, InvalidField, SystemId, SystemPath, Tag, Tags};
pub use list_query::{ListParameters, ListQuery, OrderBy};
pub use service::Bookmarks;
pub use store::{Store, StoreError};
pub use systems::Systems;
