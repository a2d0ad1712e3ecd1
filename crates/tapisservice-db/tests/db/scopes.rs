//! Scopes keep tenants apart.

use tapisservice_core::ServiceError as _;
use tapisservice_core::TenantId;
use tapisservice_db::{Engine, QueryError};

use crate::helpers::{insert, migrated, owner};

#[tokio::test]
async fn a_scope_sees_the_rows_of_its_own() {
    for fixture in migrated().await {
        let database = &fixture.database;
        for (user, tenant) in [("alice", "acme"), ("bob", "acme"), ("alice", "dev")] {
            insert(database, &owner(user, tenant), "same name").await;
        }
        let own = "SELECT COUNT(*) FROM notes WHERE tenant_id = $1 AND owner = $2";
        let own = database.for_owner(&owner("alice", "acme")).query(own).fetch_scalar::<i64>().await;
        let tenant = database.for_tenant(&TenantId::new("acme").unwrap());
        let tenant =
            tenant.query("SELECT COUNT(*) FROM notes WHERE tenant_id = $1").fetch_scalar::<i64>().await;
        let all = database.across_tenants("the test counts");
        let all = all.query("SELECT COUNT(*) FROM notes").fetch_scalar::<i64>().await;
        assert_eq!((own.unwrap(), tenant.unwrap(), all.unwrap()), (1, 2, 3), "{}", fixture.name);
    }
}

#[tokio::test]
async fn a_statement_that_forgets_its_tenant_is_not_sent() {
    for fixture in migrated().await {
        let alice = owner("alice", "acme");
        insert(&fixture.database, &alice, "a").await;
        let mut transaction = fixture.database.for_owner(&alice).begin().await.unwrap();
        let error = transaction.query("DELETE FROM notes WHERE tenant_id = $1").execute().await.unwrap_err();
        let QueryError::UnscopedStatement(missing) = &error else { panic!("{error:?}") };
        assert_eq!((missing.column, missing.marker), ("owner", "$2"));
        // The caller learns nothing, the log everything.
        assert_eq!(error.to_error().message(), "The query failed.");
        assert!(error.to_error().traceback().contains("owner = $2"));
        // It never reached the database, whose transaction is sound.
        let count = "SELECT COUNT(*) FROM notes WHERE tenant_id = $1 AND owner = $2";
        assert_eq!(transaction.query(count).fetch_scalar::<i64>().await.unwrap(), 1);
    }
}

#[tokio::test]
async fn rows_are_read_as_long_as_they_are_taken() {
    for fixture in migrated().await {
        let alice = owner("alice", "acme");
        for number in 0..300 {
            insert(&fixture.database, &alice, &format!("{number:03}")).await;
        }
        let names = "SELECT name FROM notes WHERE tenant_id = $1 AND owner = $2 ORDER BY name";
        let scope = fixture.database.for_owner(&alice);
        let mut asked = 0;
        // More often than the pool has connections: each goes back, and is as good as new.
        for _ in 0..30 {
            let mut left = 3;
            let first = scope.query(names).fetch_map_while(|(name,): (String,)| {
                asked += 1;
                left -= 1;
                (left >= 0).then_some(name)
            });
            assert_eq!(first.await.unwrap(), ["000", "001", "002"], "{}", fixture.name);
        }
        assert_eq!(asked, 30 * 4, "{}: none is read after the first that is not taken", fixture.name);
        let all = scope.query(names).fetch_map_while(|(name,): (String,)| Some(name)).await.unwrap();
        assert_eq!((all.len(), &*all[299]), (300, "299"), "{}", fixture.name);

        let mut transaction = scope.begin().await.unwrap();
        let none = transaction.query(names).fetch_map_while(|_: (String,)| None::<()>).await.unwrap();
        assert_eq!(none.len(), 0);
        let delete = "DELETE FROM notes WHERE tenant_id = $1 AND owner = $2";
        assert_eq!(transaction.query(delete).execute().await.unwrap(), 300, "{}", fixture.name);
        transaction.commit().await.unwrap();

        let forgot =
            scope.query("SELECT name FROM notes").fetch_map_while(|(name,): (String,)| Some(name)).await;
        assert!(matches!(forgot, Err(QueryError::UnscopedStatement(_))));
    }
}

/// The way out of the scopes: the pool of one engine, and notifications.
#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "shows the way out")]
async fn the_pool_of_one_engine_is_lent_for_what_scopes_cannot_do() {
    use futures_util::TryStreamExt as _;

    for fixture in migrated().await {
        let database = &fixture.database;
        insert(database, &owner("alice", "acme"), "a").await;
        insert(database, &owner("bob", "dev"), "b").await;
        let sql = "SELECT name FROM notes ORDER BY name";
        let names: Vec<String> =
            match (database.postgres_pool("the test reads"), database.sqlite_pool("the test reads")) {
                (Some(pool), None) => sqlx::query_scalar(sql).fetch(pool).try_collect().await.unwrap(),
                (None, Some(pool)) => sqlx::query_scalar(sql).fetch(pool).try_collect().await.unwrap(),
                both => panic!("{both:?}"),
            };
        assert_eq!(names, ["a", "b"], "{}", fixture.name);

        let Some(mut listener) = database.listener("the test listens").await.unwrap() else {
            assert_eq!(database.engine(), Engine::Sqlite);
            continue;
        };
        listener.listen("notes").await.unwrap();
        let notify = database.across_tenants("the test notifies");
        notify.query("SELECT pg_notify('notes', 'changed')").execute().await.unwrap();
        assert_eq!(listener.recv().await.unwrap().payload(), "changed");
    }
}
