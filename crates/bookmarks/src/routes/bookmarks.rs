//! `/` and `/{bookmark_id}`.

use tapisservice::list::ListOf;
use tapisservice::prelude::*;

use super::bodies::{CreateBookmark, UpdateBookmark};
use crate::{Bookmark, BookmarkChanges, BookmarkId, ListParameters, ListQuery, NewBookmark, Store, Systems};

/// Creates a bookmark.
#[utoipa::path(post, path = "/", operation_id = "createBookmark", tag = "bookmarks",
    request_body = CreateBookmark,
    responses(
        (status = 201, description = "The bookmark.", body = EnvelopeOf<Bookmark>),
        (status = 409, description = "You already have one with this name.", body = ErrorEnvelope),
    ))]
pub(crate) async fn create(
    g: RequestContext,
    owner: Identity,
    State(systems): State<Systems>,
    State(store): State<Store>,
    Json(body): Json<CreateBookmark>,
) -> Result<Envelope<Bookmark>> {
    let new: NewBookmark = body.try_into()?;
    systems.check_visible(&g, new.system_id.as_str()).await?;
    Ok(Envelope::created(store.create(&owner, new).await?).with_message("Bookmark created."))
}

/// Lists bookmarks.
#[utoipa::path(get, path = "/", operation_id = "listBookmarks", tag = "bookmarks",
    params(ListParameters),
    responses((status = 200, description = "A page of the list.", body = ListOf<Bookmark>)))]
pub(crate) async fn list(
    owner: Identity,
    State(store): State<Store>,
    Query(parameters): Query<ListParameters>,
) -> Result<Envelope<Vec<Bookmark>>> {
    let query = ListQuery::try_from(&parameters)?;
    let (page, total) = store.list(&owner, &query).await?;
    let metadata = query.metadata(&parameters, &page, total);
    Ok(Envelope::new(page).with_metadata(metadata.into()))
}

/// Returns a bookmark.
#[utoipa::path(get, path = "/{bookmark_id}", operation_id = "getBookmark", tag = "bookmarks",
    params(("bookmark_id" = Uuid, Path, description = "The id of the bookmark.")),
    responses(
        (status = 200, description = "The bookmark.", body = EnvelopeOf<Bookmark>),
        (status = 404, description = "There is none, or it belongs to another user.", body = ErrorEnvelope),
    ))]
pub(crate) async fn get(
    owner: Identity,
    State(store): State<Store>,
    id: BookmarkId,
) -> Result<Envelope<Bookmark>> {
    Ok(Envelope::new(store.get(&owner, id).await?))
}

/// Changes a bookmark.
///
/// Fields that the body does not contain keep their values.
#[utoipa::path(patch, path = "/{bookmark_id}", operation_id = "updateBookmark", tag = "bookmarks",
    params(("bookmark_id" = Uuid, Path, description = "The id of the bookmark.")),
    request_body = UpdateBookmark,
    responses(
        (status = 200, description = "The bookmark as it is now.", body = EnvelopeOf<Bookmark>),
        (status = 404, description = "There is none, or it belongs to another user.", body = ErrorEnvelope),
        (status = 409, description = "You have another one with this name.", body = ErrorEnvelope),
    ))]
pub(crate) async fn update(
    g: RequestContext,
    owner: Identity,
    State(systems): State<Systems>,
    State(store): State<Store>,
    id: BookmarkId,
    Json(body): Json<UpdateBookmark>,
) -> Result<Envelope<Bookmark>> {
    let changes: BookmarkChanges = body.try_into()?;
    if let Some(system_id) = &changes.system_id {
        systems.check_visible(&g, system_id.as_str()).await?;
    }
    Ok(Envelope::new(store.update(&owner, id, changes).await?).with_message("Bookmark changed."))
}

/// Deletes a bookmark.
#[utoipa::path(delete, path = "/{bookmark_id}", operation_id = "deleteBookmark", tag = "bookmarks",
    params(("bookmark_id" = Uuid, Path, description = "The id of the bookmark.")),
    responses(
        (status = 200, description = "The bookmark as it was.", body = EnvelopeOf<Bookmark>),
        (status = 404, description = "There is none, or it belongs to another user.", body = ErrorEnvelope),
    ))]
pub(crate) async fn delete(
    owner: Identity,
    State(store): State<Store>,
    id: BookmarkId,
) -> Result<Envelope<Bookmark>> {
    Ok(Envelope::new(store.delete(&owner, id).await?).with_message("Bookmark deleted."))
}
