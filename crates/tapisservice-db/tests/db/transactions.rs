//! Transactions: all or nothing, alone or again.

use std::sync::atomic::{AtomicU32, Ordering};

use tapisservice_core::ServiceError as _;
use tapisservice_db::{ByOwner, Database, QueryError, Scope, TextUuid, Timestamp};
use uuid::Uuid;

use crate::helpers::{INSERT, insert, migrated, owner};

const COUNT: &str = "SELECT COUNT(*) FROM notes WHERE tenant_id = $1 AND owner = $2";

async fn count(scope: &Scope<ByOwner>) -> i64 {
    scope.query(COUNT).fetch_scalar().await.unwrap()
}

#[tokio::test]
async fn a_transaction_lasts_only_when_it_is_committed() {
    for fixture in migrated().await {
        let scope = fixture.database.for_owner(&owner("alice", "acme"));
        for (commits, rows) in [(false, 0), (true, 1)] {
            let mut transaction = scope.begin().await.unwrap();
            let insert = transaction.query(INSERT).bind(TextUuid(Uuid::now_v7())).bind("a");
            insert.bind(Timestamp::now()).execute().await.unwrap();
            assert_eq!(transaction.query(COUNT).fetch_scalar::<i64>().await.unwrap(), 1);
            if commits {
                transaction.commit().await.unwrap();
            } else {
                drop(transaction);
            }
            assert_eq!(count(&scope).await, rows, "{}", fixture.name);
        }
    }
}

/// Adds one to a size by reading it first: what a transaction that is not alone gets wrong.
async fn add_one(scope: &Scope<ByOwner>, attempts: &AtomicU32) -> Result<(), QueryError> {
    scope
        .transaction_with_retry(|mut transaction| async move {
            attempts.fetch_add(1, Ordering::Relaxed);
            let read = "SELECT COALESCE(size, 0) FROM notes WHERE tenant_id = $1 AND owner = $2";
            let size: i64 = transaction.query(read).fetch_scalar().await?;
            tokio::task::yield_now().await;
            let write = "UPDATE notes SET size = $3 WHERE tenant_id = $1 AND owner = $2";
            transaction.query(write).bind(size + 1).execute().await?;
            transaction.commit().await
        })
        .await
}

#[tokio::test]
async fn transactions_that_meet_are_run_again_and_none_is_lost() {
    let alice = owner("alice", "acme");
    for fixture in migrated().await {
        insert(&fixture.database, &alice, "a").await;
        let scope = fixture.database.for_owner(&alice);
        let attempts = AtomicU32::new(0);
        let mut done = 0;
        // Two at a time: five attempts are enough for most, and who gives up says so.
        for _ in 0..20 {
            let (one, two) = tokio::join!(add_one(&scope, &attempts), add_one(&scope, &attempts));
            for result in [one, two] {
                match result {
                    Ok(()) => done += 1,
                    Err(error) => assert_eq!(error.to_error().status(), 503, "{error:?}"),
                }
            }
        }
        let size = "SELECT size FROM notes WHERE tenant_id = $1 AND owner = $2";
        assert_eq!(scope.query(size).fetch_scalar::<i64>().await.unwrap(), done, "{}", fixture.name);
        assert!(done >= 20);
        if fixture.name == "PostgreSQL" {
            assert!(attempts.load(Ordering::Relaxed) > 40, "none met");
        }
    }
}

#[tokio::test]
async fn a_failure_of_the_work_is_not_repeated() {
    for fixture in migrated().await {
        let scope = fixture.database.for_owner(&owner("alice", "acme"));
        let runs = &AtomicU32::new(0);
        let result: Result<(), QueryError> = scope
            .transaction_with_retry(|mut transaction| async move {
                runs.fetch_add(1, Ordering::Relaxed);
                let id = TextUuid(Uuid::now_v7());
                transaction.query(INSERT).bind(id).bind("a").bind(Timestamp::now()).execute().await?;
                Err(QueryError::NotFound)
            })
            .await;
        assert!(matches!(result, Err(QueryError::NotFound)));
        assert_eq!((runs.load(Ordering::Relaxed), count(&scope).await), (1, 0), "{}", fixture.name);
    }
}

/// Handlers have to be `Send`.
#[tokio::test]
async fn queries_and_transactions_can_be_awaited_in_handlers() {
    async fn handler(database: Database) -> Result<(), QueryError> {
        let scope = database.for_owner(&owner("alice", "acme"));
        scope.query(COUNT).fetch_scalar::<i64>().await?;
        let text = String::from("borrowed");
        scope
            .transaction_with_retry(|mut transaction| {
                let text = &*text;
                async move {
                    let id = TextUuid(Uuid::now_v7());
                    let insert = transaction.query(INSERT).bind(id).bind(text).bind(Timestamp::now());
                    insert.execute().await?;
                    transaction.commit().await
                }
            })
            .await
    }
    for fixture in migrated().await {
        tokio::spawn(handler(fixture.database.clone())).await.unwrap().unwrap();
    }
}
