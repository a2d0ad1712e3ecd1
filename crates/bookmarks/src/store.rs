//! All queries. Each is bound to an owner, so that none can access another user's bookmarks: `$1` is the tenant,
//! `$2` the owner (see [`Scope`](tapisservice::db::Scope)).

use tapisservice::core::{Error, Identity, ServiceError};
use tapisservice::db::{ByOwner, Database, QueryError, Record, Statement, TextUuid, Timestamp, Transaction};

use crate::{Bookmark, BookmarkChanges, BookmarkId, ListQuery, NewBookmark, Tags};
use tapisservice::list::ByteBudget;

/// The bookmarks of all users. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    database: Database,
}

/// Why an operation of the store failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The user has no bookmark with this id; another user may.
    #[error("no such bookmark")]
    NotFound,
    /// The user already has a bookmark with this name.
    #[error("the name is taken")]
    NameTaken,
    /// The database failed.
    #[error(transparent)]
    Database(QueryError),
}

/// 404 or 409. Of a database error the caller learns only whether a retry may help.
impl ServiceError for StoreError {
    fn to_error(&self) -> Error {
        match self {
            Self::NotFound => Error::not_found("There is no such bookmark."),
            Self::NameTaken => Error::conflict("You already have a bookmark with this \"name\"."),
            Self::Database(error) => error.to_error(),
        }
    }
}

impl From<QueryError> for StoreError {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::NotFound => Self::NotFound,
            // The name is the only unique value that a user chooses.
            QueryError::UniqueViolation { .. } => Self::NameTaken,
            other => Self::Database(other),
        }
    }
}

/// A bookmark as a query returns it.
#[derive(Record)]
struct Row {
    bookmark_id: TextUuid,
    name: String,
    system_id: String,
    path: String,
    description: Option<String>,
    created: Timestamp,
    updated: Timestamp,
    tags: Option<String>,
}

// Tags are selected with their bookmark, in order; a tag has no comma.
const SELECT: &str = "SELECT bookmark_id, name, system_id, path, description, created, updated, \
    (SELECT string_agg(tag, ',' ORDER BY position) FROM bookmark_tags t \
     WHERE t.bookmark_id = bookmarks.bookmark_id) AS tags \
    FROM bookmarks WHERE tenant_id = $1 AND owner = $2";

impl Store {
    /// A store in a database.
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    /// Creates a bookmark of `owner`.
    ///
    /// # Errors
    ///
    /// When the owner already has one with this name, or the database fails.
    pub async fn create(&self, owner: &Identity, new: NewBookmark) -> Result<Bookmark, StoreError> {
        let id = BookmarkId::generate();
        let mut transaction = self.database.for_owner(owner).begin().await?;
        transaction
            .query(
                "INSERT INTO bookmarks \
                 (tenant_id, owner, bookmark_id, name, system_id, path, description, created, updated) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)",
            )
            .bind(TextUuid(id.as_uuid()))
            .bind(new.name)
            .bind(new.system_id)
            .bind(new.path)
            .bind(new.description)
            .bind(Timestamp::now())
            .execute()
            .await?;
        insert_tags(&mut transaction, id, &new.tags).await?;
        let bookmark = find(transaction.query(SELECT), id).await?;
        transaction.commit().await?;
        Ok(bookmark)
    }

    /// A bookmark of `owner`.
    ///
    /// # Errors
    ///
    /// When the owner has none with this id, or the database fails.
    pub async fn get(&self, owner: &Identity, id: BookmarkId) -> Result<Bookmark, StoreError> {
        find(self.database.for_owner(owner).query(SELECT), id).await
    }

    /// A page of the bookmarks of `owner`, and the number of matches if requested. The page ends at
    /// [`limit`](ListQuery::limit) bookmarks or at [`ListQuery::MAX_BYTES`].
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn list(
        &self,
        owner: &Identity,
        list: &ListQuery,
    ) -> Result<(Vec<Bookmark>, Option<i64>), StoreError> {
        let scope = self.database.for_owner(owner);
        let mut query = filter(scope.query(SELECT), list).push(" ORDER BY ");
        for order in &list.order_by {
            // The column comes from a fixed set, so this is not an injection.
            query = query.push(order.column).push(if order.descending { " DESC, " } else { " ASC, " });
        }
        // The id makes the order total, so that pages neither repeat nor skip a bookmark.
        let query = query.push("bookmark_id ASC LIMIT ").push_bind(i64::from(list.limit));
        let query = query.push(" OFFSET ").push_bind(i64::from(list.skip));
        let mut budget = ByteBudget::new(ListQuery::MAX_BYTES);
        let page = query.fetch_map_while(|row: Row| budget.take(Bookmark::from(row))).await?;
        if !list.compute_total {
            return Ok((page, None));
        }
        let count = scope.query("SELECT COUNT(*) FROM bookmarks WHERE tenant_id = $1 AND owner = $2");
        Ok((page, Some(filter(count, list).fetch_scalar().await?)))
    }

    /// Changes a bookmark of `owner`.
    ///
    /// # Errors
    ///
    /// When the owner has none with this id or another one with the new name, or the database fails.
    pub async fn update(
        &self,
        owner: &Identity,
        id: BookmarkId,
        changes: BookmarkChanges,
    ) -> Result<Bookmark, StoreError> {
        let mut transaction = self.database.for_owner(owner).begin().await?;
        let changed = transaction
            .query(
                "UPDATE bookmarks SET name = COALESCE($4, name), system_id = COALESCE($5, system_id), \
                 path = COALESCE($6, path), description = CASE WHEN $7 THEN $8 ELSE description END, updated = $9 \
                 WHERE bookmark_id = $3 AND tenant_id = $1 AND owner = $2",
            )
            .bind(TextUuid(id.as_uuid()))
            .bind(changes.name)
            .bind(changes.system_id)
            .bind(changes.path)
            .bind(changes.description.is_some())
            .bind(changes.description.flatten())
            .bind(Timestamp::now())
            .execute()
            .await?;
        if changed == 0 {
            return Err(StoreError::NotFound);
        }
        if let Some(tags) = &changes.tags {
            delete_tags(&mut transaction, id).await?;
            insert_tags(&mut transaction, id, tags).await?;
        }
        let bookmark = find(transaction.query(SELECT), id).await?;
        transaction.commit().await?;
        Ok(bookmark)
    }

    /// Deletes a bookmark of `owner` and returns it.
    ///
    /// # Errors
    ///
    /// When the owner has none with this id, or the database fails.
    pub async fn delete(&self, owner: &Identity, id: BookmarkId) -> Result<Bookmark, StoreError> {
        let mut transaction = self.database.for_owner(owner).begin().await?;
        let bookmark = find(transaction.query(SELECT), id).await?;
        let delete = "DELETE FROM bookmarks WHERE bookmark_id = $3 AND tenant_id = $1 AND owner = $2";
        if transaction.query(delete).bind(TextUuid(id.as_uuid())).execute().await? == 0 {
            // Another request deleted it first.
            return Err(StoreError::NotFound);
        }
        transaction.commit().await?;
        Ok(bookmark)
    }
}

async fn find(select: Statement<'_>, id: BookmarkId) -> Result<Bookmark, StoreError> {
    let query = select.push(" AND bookmark_id = ").push_bind(TextUuid(id.as_uuid()));
    Ok(query.fetch_one::<Row>().await?.into())
}

fn filter<'q>(mut query: Statement<'q>, list: &ListQuery) -> Statement<'q> {
    if let Some(system_id) = &list.system_id {
        query = query.push(" AND system_id = ").push_bind(system_id);
    }
    if let Some(tag) = &list.tag {
        query = query
            .push(" AND EXISTS (SELECT 1 FROM bookmark_tags t WHERE t.bookmark_id = bookmarks.bookmark_id AND t.tag = ")
            .push_bind(tag)
            .push(")");
    }
    query
}

// Tags have no tenant column: they are accessed through their bookmark.
async fn insert_tags(
    transaction: &mut Transaction<ByOwner>,
    id: BookmarkId,
    tags: &Tags,
) -> Result<(), QueryError> {
    for (position, tag) in (0_i64..).zip(tags.iter()) {
        transaction
            .query(
                "INSERT INTO bookmark_tags (bookmark_id, position, tag) SELECT bookmark_id, $4, $5 \
                 FROM bookmarks WHERE bookmark_id = $3 AND tenant_id = $1 AND owner = $2",
            )
            .bind(TextUuid(id.as_uuid()))
            .bind(position)
            .bind(tag)
            .execute()
            .await?;
    }
    Ok(())
}

async fn delete_tags(transaction: &mut Transaction<ByOwner>, id: BookmarkId) -> Result<(), QueryError> {
    let delete = "DELETE FROM bookmark_tags WHERE bookmark_id IN \
        (SELECT bookmark_id FROM bookmarks WHERE bookmark_id = $3 AND tenant_id = $1 AND owner = $2)";
    transaction.query(delete).bind(TextUuid(id.as_uuid())).execute().await.map(drop)
}

impl From<Row> for Bookmark {
    fn from(row: Row) -> Self {
        Self {
            bookmark_id: row.bookmark_id.into(),
            name: row.name,
            system_id: row.system_id,
            path: row.path,
            description: row.description,
            tags: row.tags.iter().flat_map(|tags| tags.split(',')).map(str::to_owned).collect(),
            created: row.created.into(),
            updated: row.updated.into(),
        }
    }
}
