//! Scopes keep tenants apart.

use tapisservice_core::TenantId;
use tapisservice_db::QueryError;

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
        let QueryError::TenantMissing(missing) = &error else { panic!("{error:?}") };
        assert_eq!((missing.column, missing.marker), ("owner", "$2"));
        // The caller learns nothing, the log everything.
        assert_eq!(error.to_error().message(), "The database failed.");
        assert!(error.to_error().traceback().contains("owner = $2"));
        // It never reached the database, whose transaction is sound.
        let count = "SELECT COUNT(*) FROM notes WHERE tenant_id = $1 AND owner = $2";
        assert_eq!(transaction.query(count).fetch_scalar::<i64>().await.unwrap(), 1);
    }
}
