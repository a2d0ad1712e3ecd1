//! The books of all users; every statement is bound to an owner.

use serde::Serialize;
use tapisservice::db::{Database, FromRow, QueryError, Statement};
use tapisservice::prelude::*;

/// A book on a shelf.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema, FromRow)]
pub(crate) struct Book {
    pub(crate) book_id: i64,
    pub(crate) title: String,
    pub(crate) shelf: String,
    pub(crate) system_id: String,
}

/// Why an operation of the store failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error("no such book")]
    NotFound,
    #[error("the title is taken")]
    TitleTaken,
    #[error(transparent)]
    Database(QueryError),
}

impl ServiceError for StoreError {
    /// The error for the caller.
    fn to_error(&self) -> Error {
        match self {
            Self::NotFound => Error::not_found("You have no such book."),
            Self::TitleTaken => Error::conflict("You already have a book with this title."),
            Self::Database(error) => error.to_error(),
        }
    }
}

impl From<QueryError> for StoreError {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::NotFound => Self::NotFound,
            QueryError::UniqueViolation { .. } => Self::TitleTaken,
            other => Self::Database(other),
        }
    }
}

/// The books of all users. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    database: Database,
}

const SELECT: &str = "SELECT book_id, title, shelf, system_id FROM books WHERE tenant_id = $1 AND owner = $2";

impl Store {
    pub(crate) fn new(database: Database) -> Self {
        Self { database }
    }

    pub(crate) async fn list(&self, owner: &Identity, shelf: Option<&str>) -> Result<Vec<Book>, StoreError> {
        let scope = self.database.for_owner(owner);
        let query = on_shelf(scope.query(SELECT), shelf);
        Ok(query.push(" ORDER BY book_id LIMIT 1000").fetch_all().await?)
    }

    pub(crate) async fn get(&self, owner: &Identity, id: i64) -> Result<Book, StoreError> {
        let scope = self.database.for_owner(owner);
        Ok(scope.query(SELECT).push(" AND book_id = ").push_bind(id).fetch_one().await?)
    }

    pub(crate) async fn create(
        &self,
        owner: &Identity,
        title: &str,
        shelf: &str,
        system_id: &str,
    ) -> Result<Book, StoreError> {
        let insert = "INSERT INTO books (tenant_id, owner, book_id, title, shelf, system_id) \
            VALUES ($1, $2, (SELECT COALESCE(MAX(book_id), 0) + 1 FROM books WHERE tenant_id = $1 AND owner = $2), \
            $3, $4, $5) RETURNING book_id, title, shelf, system_id";
        let scope = self.database.for_owner(owner);
        Ok(scope.query(insert).bind(title).bind(shelf).bind(system_id).fetch_one().await?)
    }

    pub(crate) async fn delete(&self, owner: &Identity, id: i64) -> Result<Book, StoreError> {
        let delete = "DELETE FROM books WHERE tenant_id = $1 AND owner = $2 AND book_id = $3 \
            RETURNING book_id, title, shelf, system_id";
        Ok(self.database.for_owner(owner).query(delete).bind(id).fetch_one().await?)
    }

    /// The number of books in all tenants.
    pub(crate) async fn count(&self) -> Result<i64, QueryError> {
        #[expect(clippy::disallowed_methods, reason = "readiness has no tenant")]
        let scope = self.database.across_tenants("readiness has no tenant");
        scope.query("SELECT COUNT(*) FROM books").fetch_scalar().await
    }
}

fn on_shelf<'q>(query: Statement<'q>, shelf: Option<&str>) -> Statement<'q> {
    match shelf {
        Some(shelf) => query.push(" AND shelf = ").push_bind(shelf),
        None => query,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tapisservice::db::DatabaseSettings;
    use tapisservice::db::migrate::{Migrator, Upgrade};
    use tapisservice::testing::identity_for;

    use super::*;

    #[tokio::test]
    async fn nobody_sees_the_books_of_others() {
        let database = Database::connect_lazy(&DatabaseSettings::new("sqlite::memory:")).unwrap();
        let migrator = Migrator::new(sqlx::migrate!("./migrations")).unwrap();
        let up = migrator.upgrade(&database, Upgrade::Head, Duration::from_secs(10), &mut |_| ()).await;
        assert_eq!(up.unwrap().at_head(), Ok(()));
        let store = Store::new(database);
        let (alice, bob) = (identity_for("tacc", "alice"), identity_for("tacc", "bob"));
        let book = store.create(&alice, "Emma", "novels", "workstation").await.unwrap();
        assert_eq!(store.list(&alice, Some("novels")).await.unwrap(), [book]);
        assert_eq!(store.list(&alice, Some("plays")).await.unwrap(), []);
        assert!(matches!(store.get(&bob, 1).await, Err(StoreError::NotFound)));
        assert!(matches!(store.create(&alice, "Emma", "", "").await, Err(StoreError::TitleTaken)));
        assert_eq!(store.get(&alice, 7).await.unwrap_err().to_error().status(), 404);
        assert_eq!(store.count().await.unwrap(), 1);
    }
}
