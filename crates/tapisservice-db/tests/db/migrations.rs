//! Migrations run once, whoever starts them.

use std::time::Duration;

use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migration, MigrationType, Migrator as Files};
use tapisservice_db::migrate::{
    Downgrade, MigrationEntry, MigrationError, MigrationEvent, MigrationState, Migrator, Upgrade,
};
use tapisservice_db::{Database, SchemaCheck};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinHandle;

use crate::helpers::{Fixture, TIMEOUT, empty, migrator, postgres, upgrade};

const HEAD: i64 = 20_260_103_000_000;

async fn down(
    migrator: &Migrator,
    database: &Database,
    to: Downgrade,
) -> Result<Option<i64>, MigrationError> {
    let status = migrator.downgrade(database, to, TIMEOUT, &mut |_| ()).await;
    status.map(|status| status.current())
}

async fn up(migrator: &Migrator, database: &Database, to: Upgrade) -> Result<Option<i64>, MigrationError> {
    migrator.upgrade(database, to, TIMEOUT, &mut |_| ()).await.map(|status| status.current())
}

fn files(pairs: &[(i64, &'static str, &'static str)]) -> Migrator {
    let file = |version, kind, sql: &'static str| {
        Migration::new(version, "test".into(), kind, sql.into_sql_str(), false)
    };
    let both = pairs.iter().flat_map(|(version, up, down)| {
        [file(*version, MigrationType::ReversibleUp, up), file(*version, MigrationType::ReversibleDown, down)]
    });
    Migrator::new(Files::with_migrations(both.collect())).unwrap()
}

#[tokio::test]
async fn every_migration_goes_up_and_down_and_up_again() {
    for fixture in empty() {
        let (migrator, database) = (migrator(), &fixture.database);
        assert_eq!(up(&migrator, database, Upgrade::Head).await.unwrap(), Some(HEAD), "{}", fixture.name);
        assert_eq!(down(&migrator, database, Downgrade::Steps(1)).await.unwrap(), Some(20_260_102_000_000));
        assert_eq!(
            down(&migrator, database, Downgrade::To(20_260_101_000_000)).await.unwrap(),
            Some(20_260_101_000_000)
        );
        assert_eq!(down(&migrator, database, Downgrade::Base).await.unwrap(), None);
        assert_eq!(
            up(&migrator, database, Upgrade::To(20_260_102_000_000)).await.unwrap(),
            Some(20_260_102_000_000)
        );
        assert_eq!(up(&migrator, database, Upgrade::Head).await.unwrap(), Some(HEAD));
    }
}

#[tokio::test]
async fn targets_that_the_direction_does_not_lead_to_are_refused() {
    for fixture in empty() {
        let (migrator, database) = (migrator(), &fixture.database);
        let unknown = up(&migrator, database, Upgrade::To(7)).await;
        assert!(matches!(unknown, Err(MigrationError::NoSuchVersion(7))));
        up(&migrator, database, Upgrade::To(20_260_102_000_000)).await.unwrap();
        let past = up(&migrator, database, Upgrade::To(20_260_101_000_000)).await;
        assert!(matches!(past, Err(MigrationError::AlreadyPast(20_260_101_000_000))), "{past:?}");
        let ahead = down(&migrator, database, Downgrade::To(HEAD)).await;
        assert!(matches!(ahead, Err(MigrationError::NotReached(HEAD))), "{ahead:?}");
        let unknown = down(&migrator, database, Downgrade::To(7)).await;
        assert!(matches!(unknown, Err(MigrationError::NoSuchVersion(7))));
    }
}

/// How many migrations ran in all, of several runners with connections of their own, as other processes have.
async fn run_together(fixture: &Fixture, migrator: fn() -> Migrator) -> u32 {
    let mut runners = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let database = Database::connect_lazy(&fixture.settings).unwrap();
        runners.spawn(async move {
            let mut ran = 0;
            let tell = &mut |event| ran += u32::from(matches!(event, MigrationEvent::Finished { .. }));
            let status = migrator().upgrade(&database, Upgrade::Head, TIMEOUT, tell).await.unwrap();
            assert_eq!(status.at_head(), Ok(()));
            ran
        });
    }
    runners.join_all().await.iter().sum()
}

#[tokio::test]
async fn runners_that_start_together_run_each_migration_once() {
    for fixture in empty() {
        assert_eq!(run_together(&fixture, migrator).await, 3, "{}", fixture.name);
    }
}

#[tokio::test]
async fn migrations_without_a_transaction_run_once_too() {
    fn without_transactions() -> Migrator {
        let files = (1..=24).flat_map(|version| {
            let file = |kind, sql: String| {
                Migration::new(version, "test".into(), kind, sqlx::AssertSqlSafe(sql).into_sql_str(), true)
            };
            [
                file(MigrationType::ReversibleUp, format!("CREATE TABLE t{version} (x BIGINT)")),
                file(MigrationType::ReversibleDown, format!("DROP TABLE t{version}")),
            ]
        });
        Migrator::new(Files::with_migrations(files.collect())).unwrap()
    }
    for fixture in empty() {
        assert_eq!(run_together(&fixture, without_transactions).await, 24, "{}", fixture.name);
    }
}

#[tokio::test]
async fn a_changed_file_is_refused_with_what_to_do() {
    for fixture in empty() {
        let database = &fixture.database;
        up(&files(&[(1, "CREATE TABLE a (x BIGINT)", "DROP TABLE a")]), database, Upgrade::Head)
            .await
            .unwrap();
        let changed = files(&[
            (1, "CREATE TABLE a (y BIGINT)", "DROP TABLE a"),
            (2, "CREATE TABLE b (x BIGINT)", "DROP TABLE b"),
        ]);
        let error = up(&changed, database, Upgrade::Head).await.unwrap_err().to_string();
        assert!(
            error.starts_with("migration 1 was changed after it was applied to this database: restore"),
            "{error}"
        );
        let status = changed.status(database).await.unwrap();
        assert_eq!(states(status.migrations()), [(1, MigrationState::Changed), (2, MigrationState::Pending)]);
        let reason = SchemaCheck::new(database.clone(), changed).ready().await.unwrap_err();
        assert_eq!(reason.to_string(), "migration 1 was changed after it was applied");
    }
}

#[tokio::test]
async fn changed_line_endings_are_said_to_be_that() {
    const UNIX: (i64, &str, &str) = (1, "CREATE TABLE a (\n  x BIGINT\n);\n", "DROP TABLE a");
    const WINDOWS: (i64, &str, &str) = (1, "CREATE TABLE a (\r\n  x BIGINT\r\n);\r\n", "DROP TABLE a");
    for (ran, now, former) in [(UNIX, WINDOWS, "LF"), (WINDOWS, UNIX, "CRLF")] {
        for fixture in empty() {
            let database = &fixture.database;
            assert_eq!(up(&files(&[ran]), database, Upgrade::Head).await.unwrap(), Some(1));
            let migrator = files(&[now]);
            for error in [
                up(&migrator, database, Upgrade::Head).await,
                down(&migrator, database, Downgrade::Base).await,
            ] {
                let expected = format!(
                    "1_test.up.sql was changed after it was applied to this database: its line endings were {former}. \
                     Restore them, and build again; `*.sql text eol={}` in .gitattributes keeps them",
                    former.to_ascii_lowercase()
                );
                assert_eq!(error.unwrap_err().to_string(), expected, "{}", fixture.name);
            }
            let status = migrator.status(database).await.unwrap();
            assert_eq!(status.migrations()[0].state, MigrationState::LineEndingsChanged { former });
            let reason = SchemaCheck::new(database.clone(), migrator).ready().await.unwrap_err();
            assert_eq!(reason.to_string(), "migration 1 has other line endings than when it was applied");
        }
    }
}

fn states(migrations: &[MigrationEntry]) -> Vec<(i64, MigrationState)> {
    migrations.iter().map(|migration| (migration.version, migration.state)).collect()
}

#[tokio::test]
async fn a_failing_migration_leaves_nothing_and_no_lock_behind() {
    for fixture in empty() {
        let database = &fixture.database;
        let good = (1, "CREATE TABLE a (x BIGINT)", "DROP TABLE a");
        let broken =
            files(&[good, (2, "CREATE TABLE b (x BIGINT); INSERT INTO nowhere VALUES (1);", "DROP TABLE b")]);
        let error = up(&broken, database, Upgrade::Head).await.unwrap_err();
        assert!(matches!(error, MigrationError::Failed { version: 2, .. }), "{error:?}");
        let mended = files(&[good, (2, "CREATE TABLE b (x BIGINT)", "DROP TABLE b")]);
        assert_eq!(up(&mended, database, Upgrade::Head).await.unwrap(), Some(2), "{}", fixture.name);
    }
}

#[tokio::test]
async fn a_database_ahead_of_the_build_serves_but_is_not_taken_back() {
    for fixture in empty() {
        let database = &fixture.database;
        let first = (1, "CREATE TABLE a (x BIGINT)", "DROP TABLE a");
        let new = files(&[first, (2, "CREATE TABLE b (x BIGINT)", "DROP TABLE b")]);
        up(&new, database, Upgrade::Head).await.unwrap();
        let old = files(&[first]);
        let mut events = Vec::new();
        old.upgrade(database, Upgrade::Head, TIMEOUT, &mut |event| events.push(event)).await.unwrap();
        assert_eq!(events, [MigrationEvent::Ahead { unknown: 1 }]);
        SchemaCheck::new(database.clone(), old.clone()).ready().await.unwrap();
        let error = down(&old, database, Downgrade::Base).await.unwrap_err();
        assert!(matches!(error, MigrationError::Unknown(2)), "{error:?}");
    }
}

#[tokio::test]
async fn an_unfinished_migration_stops_everything() {
    for fixture in empty() {
        let database = &fixture.database;
        upgrade(database).await;
        let scope = database.across_tenants("the test breaks the table of migrations");
        scope
            .query("UPDATE _sqlx_migrations SET success = FALSE WHERE version = $1")
            .bind(HEAD)
            .execute()
            .await
            .unwrap();
        let error = up(&migrator(), database, Upgrade::Head).await.unwrap_err();
        assert!(matches!(error, MigrationError::Dirty(HEAD)), "{error:?}");
        let reason = SchemaCheck::new(database.clone(), migrator()).ready().await.unwrap_err();
        assert_eq!(reason.to_string(), format!("migration {HEAD} is unfinished"));
    }
}

#[tokio::test]
async fn readiness_says_what_is_missing() {
    for fixture in empty() {
        let check = |migrator| SchemaCheck::new(fixture.database.clone(), migrator);
        let reason = check(migrator()).ready().await.unwrap_err();
        assert_eq!(
            reason.to_string(),
            "3 pending, starting with migration 20260101000000",
            "{}",
            fixture.name
        );
        upgrade(&fixture.database).await;
        check(migrator()).ready().await.unwrap();
    }
}

#[tokio::test]
async fn a_runner_waits_while_another_holds_the_lock() {
    let Some(fixture) = empty().pop().filter(|_| postgres().is_some()) else { return };
    // What another runner holds, in the code of this one.
    let holder = fixture.database.across_tenants("the test holds the lock of the migrations");
    let mut holder = holder.begin().await.unwrap();
    holder.query("SELECT pg_advisory_xact_lock($1)").bind(0x7461_7069_736d_6967_i64).execute().await.unwrap();
    let (runner, mut told) = runner_that_tells(&fixture);
    assert_eq!(told.recv().await, Some(MigrationEvent::WaitingForLock));
    holder.rollback().await.unwrap();
    runner.await.unwrap();
}

#[tokio::test]
async fn a_runner_waits_for_the_lock_beside_an_sqlite_file() {
    let fixture = empty().swap_remove(0);
    let holder = std::fs::File::create(fixture.folder.path().join("in/a/test.db-migrate.lock")).unwrap();
    holder.lock().unwrap();
    let (runner, mut told) = runner_that_tells(&fixture);
    assert_eq!(told.recv().await, Some(MigrationEvent::WaitingForLock));
    drop(holder);
    runner.await.unwrap();
}

fn runner_that_tells(fixture: &Fixture) -> (JoinHandle<()>, UnboundedReceiver<MigrationEvent>) {
    let (sender, told) = tokio::sync::mpsc::unbounded_channel();
    let database = fixture.database.clone();
    let runner = tokio::spawn(async move {
        let tell = &mut |event| drop(sender.send(event));
        migrator().upgrade(&database, Upgrade::Head, TIMEOUT, tell).await.unwrap();
    });
    (runner, told)
}

#[tokio::test]
async fn a_wrong_password_is_not_waited_for() {
    let Some(postgres) = postgres() else { return };
    let settings = postgres.settings("tapis").with_credentials("tapis", "wrong");
    let database = Database::connect_lazy(&settings).unwrap();
    let migrator = migrator();
    let run = up(&migrator, &database, Upgrade::Head);
    let error = tokio::time::timeout(TIMEOUT / 2, run).await.expect("it does not wait").unwrap_err();
    assert!(matches!(error, MigrationError::Query(_)), "{error:?}");
}

#[tokio::test]
async fn a_database_that_does_not_come_is_given_up() {
    let settings = tapisservice_db::DatabaseSettings::new("127.0.0.1:1/x").with_credentials("u", "p");
    let database = Database::connect_lazy(&settings).unwrap();
    let mut waited = 0;
    let tell = &mut |event| waited += u32::from(matches!(event, MigrationEvent::WaitingForDatabase { .. }));
    let error = migrator().upgrade(&database, Upgrade::Head, Duration::from_secs(2), tell).await.unwrap_err();
    assert!(matches!(error, MigrationError::Unreachable { .. }), "{error:?}");
    assert!(waited >= 1);
}

#[tokio::test]
async fn migrations_that_cannot_be_trusted_are_refused_at_once() {
    let file = |version, kind| Migration::new(version, "x".into(), kind, "SELECT 1".into_sql_str(), false);
    let new = |files| Migrator::new(Files::with_migrations(files));
    let one_way = new(vec![file(1, MigrationType::ReversibleUp)]);
    assert!(matches!(one_way, Err(MigrationError::NotReversible(1))));
    let simple = new(vec![file(1, MigrationType::Simple)]);
    assert!(matches!(simple, Err(MigrationError::NotReversible(1))));
    let up = || file(1, MigrationType::ReversibleUp);
    let twice = new(vec![up(), up(), file(1, MigrationType::ReversibleDown)]);
    assert!(matches!(twice, Err(MigrationError::DuplicateVersion(1))));
}
