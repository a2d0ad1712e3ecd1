//! What SQL and which types work the same on both engines.

use tapisservice_db::{Database, TextUuid, Timestamp};
use uuid::Uuid;

use crate::helpers::{INSERT, Note, empty, insert, migrated, owner};

const COLUMNS: &str = "note_id, name, size, done, body, weight, created";

#[tokio::test]
async fn every_type_comes_back_as_it_went_in() {
    let alice = owner("alice", "acme");
    for fixture in migrated().await {
        let scope = fixture.database.for_owner(&alice);
        let note = Note {
            note_id: TextUuid(Uuid::now_v7()),
            name: "größe ✓ '; DROP TABLE notes; --".to_owned(),
            size: Some(i64::MAX),
            done: true,
            body: Some(vec![0, 255, 7]),
            weight: Some(-0.125),
            created: Timestamp::now(),
        };
        let back: Note = scope
            .query("INSERT INTO notes (note_id, tenant_id, owner, name, size, done, body, weight, created) ")
            .push("VALUES ($3, $1, $2, $4, $5, $6, $7, $8, $9) ")
            .push("RETURNING note_id, name, size, done, body, weight, created")
            .bind(note.note_id)
            .bind(&*note.name)
            .bind(note.size)
            .bind(note.done)
            .bind(note.body.as_deref())
            .bind(note.weight)
            .bind(note.created)
            .fetch_one()
            .await
            .unwrap();
        assert_eq!(back, note, "{}", fixture.name);
    }
}

#[tokio::test]
async fn nulls_come_back_as_none() {
    let alice = owner("alice", "acme");
    for fixture in migrated().await {
        let scope = fixture.database.for_owner(&alice);
        insert(&fixture.database, &alice, "a").await;
        let update = scope
            .query("UPDATE notes SET size = $3, body = $4, weight = $5, ")
            .push("name = COALESCE($6, name), done = CASE WHEN $7 THEN $8 ELSE done END WHERE tenant_id = $1 AND owner = $2")
            .bind(None::<i64>)
            .bind(None::<Vec<u8>>)
            .bind(None::<f64>)
            .bind(None::<&str>)
            .bind(true)
            .bind(Some(true));
        assert_eq!(update.execute().await.unwrap(), 1);
        let query = "SELECT note_id, name, size, done, body, weight, created FROM notes WHERE tenant_id = $1 AND owner = $2";
        let note: Note = scope.query(query).fetch_one().await.unwrap();
        assert_eq!(
            (note.size, note.body, note.weight, &*note.name, note.done),
            (None, None, None, "a", true)
        );
    }
}

#[tokio::test]
async fn a_list_grows_by_what_the_request_asks_for() {
    let alice = owner("alice", "acme");
    for fixture in migrated().await {
        let scope = fixture.database.for_owner(&alice);
        for name in ["a", "b", "c", "d"] {
            insert(&fixture.database, &alice, name).await;
        }
        let page: Vec<Note> = scope
            .query(tapisservice_db::AssertSqlSafe(format!("SELECT {COLUMNS} FROM notes")))
            .push(" WHERE tenant_id = $1 AND owner = $2 AND name <> ")
            .push_bind("b")
            .push(" ORDER BY name DESC LIMIT ")
            .push_bind(2_i64)
            .push(" OFFSET ")
            .push_bind(1_i64)
            .fetch_all()
            .await
            .unwrap();
        assert_eq!(page.iter().map(|note| &*note.name).collect::<Vec<_>>(), ["c", "a"], "{}", fixture.name);
        let total = "SELECT COUNT(*) FROM notes WHERE tenant_id = $1 AND owner = $2";
        assert_eq!(scope.query(total).fetch_scalar::<i64>().await.unwrap(), 4);
        let sum =
            "SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM notes WHERE tenant_id = $1 AND owner = $2";
        assert_eq!(scope.query(sum).fetch_scalar::<i64>().await.unwrap(), 0);
        let exists = "SELECT EXISTS (SELECT 1 FROM notes WHERE tenant_id = $1 AND owner = $2)";
        assert!(scope.query(exists).fetch_scalar::<bool>().await.unwrap());
        let names =
            "SELECT string_agg(name, ',' ORDER BY name) FROM notes WHERE tenant_id = $1 AND owner = $2";
        assert_eq!(scope.query(names).fetch_scalar::<String>().await.unwrap(), "a,b,c,d");
    }
}

#[tokio::test]
async fn conflicts_can_be_settled_in_the_statement() {
    let alice = owner("alice", "acme");
    for fixture in migrated().await {
        let scope = fixture.database.for_owner(&alice);
        insert(&fixture.database, &alice, "a").await;
        let again = || {
            let id = TextUuid(Uuid::now_v7());
            scope.query(INSERT).bind(id).bind("a").bind(Timestamp::now())
        };
        let nothing = again().push(" ON CONFLICT (tenant_id, owner, name) DO NOTHING").execute();
        assert_eq!(nothing.await.unwrap(), 0, "{}", fixture.name);
        let update =
            again().push(" ON CONFLICT (tenant_id, owner, name) DO UPDATE SET size = 7 RETURNING size");
        assert_eq!(update.fetch_scalar::<i64>().await.unwrap(), 7);
    }
}

#[tokio::test]
async fn a_fresh_sqlite_file_takes_many_first_connections_and_logs_write_ahead() {
    let fixture = empty().swap_remove(0);
    let mut connections = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let database = Database::connect_lazy(&fixture.settings).unwrap();
        connections.spawn(async move { database.ping().await });
    }
    assert!(connections.join_all().await.iter().all(Result::is_ok));
    // The lock that the switch needs is free now.
    let next = Database::connect_lazy(&fixture.settings).unwrap();
    let scope = next.across_tenants("the test asks for the journal mode");
    let (mode,): (String,) = scope.query("PRAGMA journal_mode").fetch_one().await.unwrap();
    assert_eq!(mode, "wal");
}
