//! What goes wrong is told apart in the same way on both engines.

use tapisservice_core::ServiceError as _;
use tapisservice_db::{QueryError, Statement, TextUuid, Timestamp};
use uuid::Uuid;

use crate::helpers::{INSERT, insert, migrated, owner};

/// Statements that fail, with status and message.
const CASES: [(&str, &str, u16, &str); 8] = [
    (
        "the name is taken",
        "INSERT INTO notes (note_id, tenant_id, owner, name, created) VALUES ('new', $1, $2, 'a', 0)",
        409,
        "A record with this \"name\" already exists.",
    ),
    (
        "the tag is taken",
        "INSERT INTO tags (note_id, tag) SELECT note_id, 't' FROM notes WHERE tenant_id = $1 AND owner = $2",
        409,
        "A record with this \"note_id\", \"tag\" already exists.",
    ),
    (
        "a row is referred to",
        "DELETE FROM notes WHERE tenant_id = $1 AND owner = $2",
        409,
        "Other records still reference this one.",
    ),
    (
        "a row refers to none",
        "INSERT INTO tags (note_id, tag) SELECT 'none', 'x' FROM notes WHERE tenant_id = $1 AND owner = $2",
        400,
        "The record references one that does not exist.",
    ),
    (
        "a check fails",
        "UPDATE notes SET size = -1 WHERE tenant_id = $1 AND owner = $2",
        400,
        "Missing or invalid value.",
    ),
    (
        "a value is missing",
        "UPDATE notes SET name = NULL WHERE tenant_id = $1 AND owner = $2",
        400,
        "Missing or invalid value for \"name\".",
    ),
    (
        "a table is missing",
        "SELECT 1 FROM nowhere WHERE tenant_id = $1 AND owner = $2",
        503,
        "The database is not ready.",
    ),
    (
        "the statement is wrong",
        "SELEKT 1 FROM notes WHERE tenant_id = $1 AND owner = $2",
        500,
        "The query failed.",
    ),
];

#[tokio::test]
async fn failures_become_the_same_answers_on_both_engines() {
    let alice = owner("alice", "acme");
    for fixture in migrated().await {
        let scope = fixture.database.for_owner(&alice);
        insert(&fixture.database, &alice, "a").await;
        let tag = "INSERT INTO tags (note_id, tag) SELECT note_id, 't' FROM notes WHERE tenant_id = $1 AND owner = $2";
        scope.query(tag).execute().await.unwrap();
        for (what, sql, status, message) in CASES {
            let failure = scope.query(sql).execute().await.expect_err(what);
            let error = failure.to_error();
            assert_eq!(
                (error.status().as_u16(), error.message()),
                (status, message),
                "{what} on {}: {failure:?}",
                fixture.name
            );
            // Without the line of the source of PostgreSQL, which is none of the statement.
            assert!(!error.detail().expect(what).contains(" at line "), "{what}: {error:?}");
        }
    }
}

#[tokio::test]
async fn a_row_that_is_not_there_is_not_found() {
    for fixture in migrated().await {
        let scope = fixture.database.for_owner(&owner("alice", "acme"));
        let sql = "SELECT name FROM notes WHERE tenant_id = $1 AND owner = $2";
        let query: Statement<'_> = scope.query(sql);
        assert!(query.fetch_optional::<(String,)>().await.unwrap().is_none());
        let error = scope.query(sql).fetch_one::<(String,)>().await.unwrap_err();
        assert_eq!(error.to_error().status(), 404);
    }
}

#[tokio::test]
async fn a_value_that_the_engine_cannot_hold_is_a_400() {
    let Some(fixture) = migrated().await.pop().filter(|fixture| fixture.name == "PostgreSQL") else { return };
    let scope = fixture.database.for_owner(&owner("alice", "acme"));
    let nul = scope.query(INSERT).bind(TextUuid(Uuid::nil())).bind("a\0b").bind(Timestamp::now()).execute();
    let error = nul.await.unwrap_err();
    assert!(matches!(error, QueryError::InvalidValue { .. }), "{error:?}");
}

#[tokio::test]
async fn a_closed_pool_is_a_503() {
    for fixture in migrated().await {
        let scope = fixture.database.for_owner(&owner("alice", "acme"));
        fixture.database.close().await;
        let error = scope
            .query("SELECT 1 FROM notes WHERE tenant_id = $1 AND owner = $2")
            .execute()
            .await
            .unwrap_err();
        assert_eq!(error.to_error().status(), 503, "{}", fixture.name);
    }
}
