//! Bookmarks, and the data to create and change them.

use serde::Serialize;
use tapisservice::axum::extract::{FromRequestParts, Path};
use tapisservice::core::Error;
use tapisservice::http::request::Parts;
use tapisservice::utoipa::{self, ToSchema};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{BookmarkName, Description, SystemId, SystemPath, Tags};

/// A path on a Tapis system that a user wants to find again.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Bookmark {
    /// The id, assigned by the service.
    #[schema(example = "01997f4e-5d5c-7a3e-9d0b-6f1c2b3a4d5e")]
    pub bookmark_id: Uuid,
    /// What its owner calls it.
    #[schema(example = "results")]
    pub name: String,
    /// The system that the path is on.
    #[schema(example = "workstation")]
    pub system_id: String,
    /// The absolute path.
    #[schema(example = "/data/alice/results")]
    pub path: String,
    /// What its owner says about it.
    pub description: Option<String>,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// When it was created (RFC 3339, UTC).
    #[serde(with = "time::serde::rfc3339")]
    pub created: OffsetDateTime,
    /// When it was last changed (RFC 3339, UTC).
    #[serde(with = "time::serde::rfc3339")]
    pub updated: OffsetDateTime,
}

/// The data of a new bookmark.
#[derive(Debug, Clone, PartialEq)]
pub struct NewBookmark {
    /// What its owner calls it.
    pub name: BookmarkName,
    /// The system that the path is on.
    pub system_id: SystemId,
    /// The absolute path.
    pub path: SystemPath,
    /// What its owner says about it.
    pub description: Option<Description>,
    /// Words to find it by.
    pub tags: Tags,
}

/// The changes of a bookmark; `None` keeps a value.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BookmarkChanges {
    /// The new name.
    pub name: Option<BookmarkName>,
    /// The new system.
    pub system_id: Option<SystemId>,
    /// The new path.
    pub path: Option<SystemPath>,
    /// The new description, or `Some(None)` to remove it.
    pub description: Option<Option<Description>>,
    /// The new tags.
    pub tags: Option<Tags>,
}

/// The id of a bookmark, as the last part of a path.
///
/// As an extractor it rejects text that is not a UUID with 404: there is no bookmark with that id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BookmarkId(Uuid);

impl BookmarkId {
    /// A new id; later ones sort after earlier ones (RFC 9562, version 7).
    pub fn generate() -> Self {
        Self(Uuid::now_v7())
    }

    /// The id as a UUID.
    pub fn as_uuid(self) -> Uuid {
        self.0
    }
}

impl From<Uuid> for BookmarkId {
    fn from(id: Uuid) -> Self {
        Self(id)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for BookmarkId {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let id = Path::<Uuid>::from_request_parts(parts, state).await;
        id.map(|Path(id)| Self(id)).map_err(|_| Error::not_found("There is no such bookmark."))
    }
}
