//! What is in the files of migrations: both engines treat them alike.

use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migration, MigrationType, Migrator as Files};
use tapisservice_db::migrate::{Downgrade, MigrateCommand, Migrator, Upgrade};
use tapisservice_db::{Database, Engine};

use crate::helpers::{Fixture, TIMEOUT, empty};

/// A migration that is sound, and done first where there is another.
const FIRST: (&str, &str) = ("CREATE TABLE first (x BIGINT)", "DROP TABLE first");

/// The migrations 1, 2 and so on. What starts with the mark runs without a transaction, as `sqlx::migrate!` has it.
fn build(pairs: &[(&'static str, &'static str)]) -> Migrator {
    let file = |version, kind, sql: &'static str| {
        let no_transaction = sql.starts_with("-- no-transaction");
        Migration::new(version, "add it".into(), kind, sql.into_sql_str(), no_transaction)
    };
    let both = (1..).zip(pairs).flat_map(|(version, (up, down))| {
        [file(version, MigrationType::ReversibleUp, up), file(version, MigrationType::ReversibleDown, down)]
    });
    Migrator::new(Files::with_migrations(both.collect())).unwrap()
}

async fn up(migrator: &Migrator, database: &Database) -> Result<Option<i64>, String> {
    let status = migrator.upgrade(database, Upgrade::Head, TIMEOUT, &mut |_| ()).await;
    status.map(|status| status.current()).map_err(|error| error.to_string())
}

async fn down(migrator: &Migrator, database: &Database) -> Result<Option<i64>, String> {
    let status = migrator.downgrade(database, Downgrade::Base, TIMEOUT, &mut |_| ()).await;
    status.map(|status| status.current()).map_err(|error| error.to_string())
}

#[derive(tapisservice_db::FromRow)]
struct Table {
    name: String,
}

/// The tables that a test may have made, by name.
async fn tables(database: &Database) -> String {
    let sql = match database.engine() {
        Engine::Sqlite => {
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> '_sqlx_migrations' ORDER BY 1"
        }
        _ => {
            "SELECT tablename::text AS name FROM pg_tables WHERE schemaname = 'public' AND tablename <> '_sqlx_migrations' \
             ORDER BY 1"
        }
    };
    let scope = database.across_tenants("the test looks at the schema");
    let rows: Vec<Table> = scope.query(sql).fetch_all().await.unwrap();
    rows.into_iter().map(|table| table.name).collect::<Vec<_>>().join(" ")
}

async fn execute(fixture: &Fixture, sql: &'static str) {
    let scope = fixture.database.across_tenants("the test breaks something");
    scope.query(sql).execute().await.unwrap();
}

/// A file, what becomes of it (the newest migration, or how the error starts), and the tables that are there then.
type Case<'c> = (&'static str, Result<Option<i64>, &'c str>, &'c str);

/// The same files on every engine of the machine.
async fn assert_up(cases: &[Case<'_>]) {
    for fixture in empty() {
        for (file, expected, left) in cases {
            assert_up_on(&fixture, file, *expected, left).await;
            for drop in [
                "DROP TABLE IF EXISTS a",
                "DROP TABLE IF EXISTS b",
                "DROP TABLE IF EXISTS first",
                "DROP TABLE IF EXISTS mended",
                "DROP TABLE _sqlx_migrations",
            ] {
                execute(&fixture, drop).await;
            }
        }
    }
}

async fn assert_up_on(
    fixture: &Fixture,
    file: &'static str,
    expected: Result<Option<i64>, &str>,
    left: &str,
) {
    let (database, name) = (&fixture.database, fixture.name);
    match (up(&build(&[FIRST, (file, "SELECT 1")]), database).await, expected) {
        (Ok(current), Ok(expected)) => assert_eq!(current, expected, "{name}: {file}"),
        (Err(error), Err(beginning)) => assert!(error.starts_with(beginning), "{name}: {file}: {error}"),
        (found, _) => panic!("{name}: {file}: {found:?}"),
    }
    assert_eq!(tables(database).await, left, "{name}: {file}");
    // A lock or a transaction that the failure left would be in the way of the next run.
    let mended = build(&[FIRST, ("CREATE TABLE mended (x BIGINT)", "DROP TABLE mended")]);
    if expected.is_err() {
        assert_eq!(up(&mended, database).await, Ok(Some(2)), "{name}: {file}");
    }
}

#[tokio::test]
async fn a_file_that_would_end_its_transaction_is_refused_before_any_is_run() {
    let cases = [
        (
            "CREATE TABLE a (x BIGINT);\nCOMMIT;\nCREATE TABLE b (x BIGINT);\nINSERT INTO nowhere VALUES (1);\n",
            "2_add_it.up.sql, line 2: `COMMIT` is not allowed in a migration, which runs in a transaction of its own. \
             Nothing was run. Remove the statement",
        ),
        ("CREATE TABLE a (x BIGINT);\nROLLBACK;\n", "2_add_it.up.sql, line 2: `ROLLBACK` is not allowed"),
        ("CREATE TABLE a (x BIGINT);\r\nEnd;\r\n", "2_add_it.up.sql, line 2: `END` is not allowed"),
        ("BEGIN;\nCREATE TABLE a (x BIGINT);\nROLLBACK;", "2_add_it.up.sql, line 1: `BEGIN` is not allowed"),
        ("BEGIN;\nCREATE TABLE a (x BIGINT);\n", "2_add_it.up.sql, line 1: `BEGIN` is not allowed"),
        (
            "BEGIN; CREATE TABLE a (x BIGINT); COMMIT;\nBEGIN; CREATE TABLE b (x BIGINT); COMMIT;",
            "2_add_it.up.sql, line 1: `COMMIT` is not allowed",
        ),
        ("CREATE TABLE a (x BIGINT);\n\n /* ; */ abort", "2_add_it.up.sql, line 3: `ABORT` is not allowed"),
        ("CREATE TABLE a (x BIGINT);;\u{feff}COMMIT", "2_add_it.up.sql, line 1: `COMMIT` is not allowed"),
        ("-- a\rCOMMIT;\rCREATE TABLE a (x BIGINT);", "2_add_it.up.sql, line 2: `COMMIT` is not allowed"),
        (
            "-- no-transaction\nCREATE TABLE a (x BIGINT);\nBEGIN;\nCREATE TABLE b (x BIGINT);",
            "2_add_it.up.sql, line 3: the transaction that `BEGIN` starts is left open. Nothing was run.",
        ),
        (
            "CREATE TABLE a (x BIGINT);\n/* CREATE TABLE b (x BIGINT);",
            "2_add_it.up.sql, line 2: the comment is not closed. Nothing was run.",
        ),
    ]
    .map(|(file, beginning)| (file, Err(beginning), ""));
    assert_up(&cases).await;
}

#[tokio::test]
async fn files_that_leave_their_transaction_alone_run_on_both_engines() {
    let cases = [
        // As other tools export it.
        (
            "-- by a tool\nBEGIN;\n\nCREATE TABLE a (x BIGINT);\nCREATE TABLE b (x BIGINT);\n\nCOMMIT;\n",
            "a b first",
        ),
        ("BEGIN TRANSACTION;\r\nCREATE TABLE a (x BIGINT);\r\nEND TRANSACTION", "a first"),
        ("BEGIN IMMEDIATE; CREATE TABLE a (x BIGINT); COMMIT", "a first"),
        ("START TRANSACTION; CREATE TABLE a (x BIGINT); COMMIT WORK;", "a first"),
        ("BEGIN; COMMIT;", "first"),
        ("\u{feff}CREATE TABLE a (x BIGINT);", "a first"),
        ("", "first"),
        ("-- nothing; COMMIT;\n/* COMMIT; */ ;;", "first"),
        ("CREATE TABLE a (\"commit\" TEXT DEFAULT 'a; COMMIT; it''s'); -- ; COMMIT", "a first"),
        (
            "SAVEPOINT s; CREATE TABLE a (x BIGINT); ROLLBACK TO s; RELEASE s; CREATE TABLE b (x BIGINT)",
            "b first",
        ),
        (
            "-- no-transaction\nBEGIN; CREATE TABLE a (x BIGINT); COMMIT; BEGIN; CREATE TABLE b (x BIGINT); ROLLBACK;",
            "a first",
        ),
        ("-- no-transaction\nCREATE TABLE a (x BIGINT);\nCREATE INDEX i ON a (x);", "a first"),
    ]
    .map(|(file, left)| (file, Ok(Some(2)), left));
    assert_up(&cases).await;
}

#[tokio::test]
async fn a_failure_names_the_line_of_the_file() {
    let cases = [
        (
            "CREATE TABLE a (x BIGINT);\n\n-- the next one fails\nINSERT INTO nowhere VALUES (1);\nSELECT 1;",
            "migration 2 failed: 2_add_it.up.sql, line 4: ",
            "first",
        ),
        (
            "CREATE TABLE a (x BIGINT UNIQUE);\r\nINSERT INTO a VALUES (1);\r\nINSERT INTO a\r\n VALUES (1);",
            "migration 2 failed: 2_add_it.up.sql, line 3: ",
            "first",
        ),
        ("BEGIN;\nSELECT 1;\nSELEC 2;\nCOMMIT;", "migration 2 failed: 2_add_it.up.sql, line 3: ", "first"),
        (
            "CREATE TABLE a (x BIGINT PRIMARY KEY, y BIGINT REFERENCES a (x) DEFERRABLE INITIALLY DEFERRED);\n\
             INSERT INTO a VALUES (1, 2)",
            "migration 2 failed: 2_add_it.up.sql, at its commit: ",
            "first",
        ),
        (
            "-- no-transaction\nCREATE TABLE a (x BIGINT);\nBEGIN; CREATE TABLE b (x BIGINT);\nSELECT y FROM b; COMMIT",
            "migration 2 failed: 2_add_it.up.sql, line 4: ",
            "a first",
        ),
    ]
    .map(|(file, beginning, left)| (file, Err(beginning), left));
    assert_up(&cases).await;
}

#[tokio::test]
async fn a_failure_says_what_the_database_said_and_what_stays() {
    for fixture in empty() {
        let file = "-- no-transaction\nCREATE TABLE a (x BIGINT);\nINSERT INTO nowhere VALUES (1)";
        let error = up(&build(&[(file, "")]), &fixture.database).await.unwrap_err();
        let said = match fixture.database.engine() {
            Engine::Sqlite => "(code: 1) no such table: nowhere",
            _ => "relation \"nowhere\" does not exist (SQLSTATE 42P01)",
        };
        let said = error.replace("error returned from database: ", "").replace(said, "SAID");
        assert_eq!(
            said,
            "migration 1 failed: 1_add_it.up.sql, line 3: SAID. It runs without a transaction: the statements before \
             that line are applied",
            "{error}"
        );
    }
}

#[tokio::test]
async fn postgres_names_the_line_within_a_statement() {
    let Some(fixture) = empty().into_iter().find(|fixture| fixture.name == "PostgreSQL") else { return };
    for (file, line, said) in [
        ("SELECT 1;\n\nSELECT 'äöü €',\n  1,\n  nowhere;", 5, "column \"nowhere\" does not exist"),
        ("CREATE TABLE a (\n  x BIGINT,\n  y nonsense\n);", 3, "type \"nonsense\" does not exist"),
        ("SELECT 1;\nSELECT (\n", 2, "syntax error at end of input"),
        // In the text of a function: that is another count of lines.
        ("SELECT 1;\nDO $$\nBEGIN\n  PERFORM nowhere;\nEND $$;", 2, "column \"nowhere\" does not exist"),
        ("SELECT 1;\n\nDO $$\nBEGIN RAISE EXCEPTION 'no'; END $$;", 3, "no (SQLSTATE P0001)"),
        ("SELECT 1;\nVACUUM;", 2, "VACUUM cannot run inside a transaction block"),
    ] {
        let error = up(&build(&[(file, "")]), &fixture.database).await.unwrap_err();
        let beginning = format!("migration 1 failed: 1_add_it.up.sql, line {line}: {said}");
        assert!(error.starts_with(&beginning), "{file}: {error}");
    }
}

#[tokio::test]
async fn bodies_of_functions_and_triggers_are_no_transactions() {
    for fixture in empty() {
        let file = match fixture.database.engine() {
            Engine::Sqlite => {
                "CREATE TABLE a (x BIGINT);\n\
                 CREATE TRIGGER t AFTER INSERT ON a BEGIN\n\
                   DELETE FROM a WHERE x = CASE WHEN new.x = 1 THEN 2 END;\n\
                   SELECT 1;\n\
                 END;\n\
                 CREATE TABLE b (x BIGINT)"
            }
            _ => {
                "CREATE TABLE a (x BIGINT);\n\
                 DO $do$ BEGIN PERFORM 1; IF TRUE THEN PERFORM $$COMMIT;$$; END IF; END $do$;\n\
                 CREATE FUNCTION f() RETURNS BIGINT BEGIN ATOMIC SELECT CASE WHEN TRUE THEN 1 END; SELECT 2; END;\n\
                 CREATE FUNCTION g() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';\n\
                 CREATE TRIGGER begin BEFORE UPDATE OF x ON a FOR EACH ROW EXECUTE FUNCTION g();\n\
                 CREATE RULE r AS ON DELETE TO a DO ALSO (SELECT 1; SELECT E'it\\'s; COMMIT;');\n\
                 /* /* ; COMMIT; */ ; */ CREATE TABLE b (x BIGINT)"
            }
        };
        assert_eq!(up(&build(&[(file, "")]), &fixture.database).await, Ok(Some(1)), "{}", fixture.name);
        assert_eq!(tables(&fixture.database).await, "a b");
    }
}

#[tokio::test]
async fn each_statement_of_a_file_without_a_transaction_is_by_itself() {
    let Some(fixture) = empty().into_iter().find(|fixture| fixture.name == "PostgreSQL") else { return };
    let file = "-- no-transaction\nCREATE TABLE a (x BIGINT);\n\
                CREATE INDEX CONCURRENTLY i ON a (x);\nCREATE INDEX CONCURRENTLY j ON a (x);";
    let back = "-- no-transaction\nDROP INDEX CONCURRENTLY j;\nDROP TABLE a;";
    let migrator = build(&[(file, back)]);
    assert_eq!(up(&migrator, &fixture.database).await, Ok(Some(1)));
    assert_eq!(down(&migrator, &fixture.database).await, Ok(None));
}

#[tokio::test]
async fn the_way_back_is_looked_at_before_the_way_there_and_again_before_it_is_gone() {
    for fixture in empty() {
        let database = &fixture.database;
        let second = "CREATE TABLE a (x BIGINT)";
        let broken = build(&[FIRST, (second, "DROP TABLE a;\nCOMMIT;")]);
        let refusal = "2_add_it.down.sql, line 2: `COMMIT` is not allowed";
        let error = up(&broken, database).await.unwrap_err();
        assert!(error.starts_with(refusal), "{error}");
        assert_eq!(tables(database).await, "", "{}", fixture.name);

        let last = ("CREATE TABLE b (x BIGINT)", "BEGIN;\nDROP TABLE b;\nCOMMIT;");
        let sound = build(&[FIRST, (second, "DROP TABLE a"), last]);
        assert_eq!(up(&sound, database).await, Ok(Some(3)));
        let broken = build(&[FIRST, (second, "DROP TABLE a;\nCOMMIT;"), last]);
        let error = down(&broken, database).await.unwrap_err();
        assert!(error.starts_with(refusal), "{error}");
        assert_eq!(tables(database).await, "a b first", "{}", fixture.name);
        assert_eq!(down(&sound, database).await, Ok(None));
        assert_eq!(tables(database).await, "", "{}", fixture.name);
    }
}

#[tokio::test]
async fn the_check_for_head_says_why_a_migration_is_not_done() {
    for fixture in empty() {
        let broken = build(&[FIRST, ("CREATE TABLE a (x BIGINT);\nCOMMIT;", "DROP TABLE a")]);
        let check = MigrateCommand::Status { check: true };
        let connect = || Ok::<_, std::convert::Infallible>(fixture.database.clone());
        let error = check.run(&broken, connect).await.unwrap_err().to_string();
        assert!(error.starts_with("2_add_it.up.sql, line 2: `COMMIT` is not allowed"), "{error}");
    }
}

/// It cannot be changed any more: the file is held to be as it ran.
#[tokio::test]
async fn what_ran_already_is_not_refused() {
    for fixture in empty() {
        let database = &fixture.database;
        let old = ("CREATE TABLE a (x BIGINT);\nCOMMIT;", "DROP TABLE a");
        let harmless = build(&[("CREATE TABLE a (x BIGINT);", "DROP TABLE a")]);
        assert_eq!(up(&harmless, database).await, Ok(Some(1)));
        let checksum =
            Migration::new(1, "".into(), MigrationType::ReversibleUp, old.0.into_sql_str(), false).checksum;
        let scope = database.across_tenants("the test writes the table of migrations");
        let query = scope.query("UPDATE _sqlx_migrations SET checksum = $1").bind(checksum.to_vec());
        query.execute().await.unwrap();
        let newer = build(&[old, ("CREATE TABLE b (x BIGINT)", "DROP TABLE b")]);
        assert_eq!(up(&newer, database).await, Ok(Some(2)), "{}", fixture.name);
        assert_eq!(down(&newer, database).await, Ok(None), "{}", fixture.name);
    }
}

/// A variable of SQLite that reads like a dollar quote hides a statement from a reader, not from the run.
#[tokio::test]
async fn a_transaction_that_is_lost_all_the_same_is_not_recorded() {
    let fixture = empty().swap_remove(0);
    let hidden = "CREATE TABLE a (x BIGINT);\nINSERT INTO a VALUES ($$); COMMIT; INSERT INTO a VALUES ($$);";
    let error = up(&build(&[(hidden, "")]), &fixture.database).await.unwrap_err();
    assert!(
        error.starts_with("1_add_it.up.sql ended the transaction it ran in and is not recorded as applied"),
        "{error}"
    );
    let status = build(&[(hidden, "")]).status(&fixture.database).await.unwrap();
    assert_eq!(status.current(), None);
    execute(&fixture, "DROP TABLE a").await;
    assert_eq!(up(&build(&[FIRST]), &fixture.database).await, Ok(Some(1)));
}

#[tokio::test]
async fn sqlite_may_roll_back_by_itself_and_the_connection_is_usable_after() {
    let fixture = empty().swap_remove(0);
    for file in [
        "CREATE TABLE a (x BIGINT UNIQUE);\nINSERT INTO a VALUES (1);\nINSERT OR ROLLBACK INTO a VALUES (1);",
        "-- no-transaction\nSAVEPOINT s;\nCREATE TABLE a (x BIGINT);",
    ] {
        up(&build(&[(file, "")]), &fixture.database).await.unwrap_err();
        assert_eq!(tables(&fixture.database).await, "", "{file}");
    }
    assert_eq!(up(&build(&[FIRST]), &fixture.database).await, Ok(Some(1)));
}
