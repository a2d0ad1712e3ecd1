//! The command line, without serving.

use std::process::{Command, Output};

use serde_json::Value;

fn bookmarks(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_bookmarks"));
    command.args(arguments).env_clear().envs(variables.iter().copied()).current_dir(folder.path());
    let output = command.output().unwrap();
    assert_eq!(folder.path().read_dir().unwrap().count(), 0, "it left something behind");
    output
}

const LOCAL: (&str, &str) =
    ("TAPIS_CONFIG_PATH", concat!(env!("CARGO_MANIFEST_DIR"), "/../../config-local.json"));

/// Runs commands one after the other on one database.
fn on_database(url: &str, commands: &[&str]) -> Vec<(Option<i32>, String, String)> {
    let run = |command: &&str| {
        let arguments: Vec<_> = command.split(' ').collect();
        let output = bookmarks(&arguments, &[LOCAL, ("TAPIS_SQL_DB_URL", url)]);
        let line = |bytes: &[u8]| text(bytes).trim_end().to_owned();
        (output.status.code(), line(&output.stdout), line(&output.stderr))
    };
    commands.iter().map(run).collect()
}

const HEAD: &str = "20261101000000";

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn the_document_and_the_routes_need_neither_configuration_nor_database() {
    let nothing = [("TAPIS_CONFIG_PATH", "does-not-exist.json")];
    let openapi = bookmarks(&["openapi"], &nothing);
    assert!(openapi.status.success(), "{}", text(&openapi.stderr));
    let document: Value = serde_json::from_slice(&openapi.stdout).unwrap();
    assert_eq!(document["paths"]["/v3/bookmarks"]["post"]["operationId"], "createBookmark");
    let routes = bookmarks(&["routes"], &nothing);
    let stdout = text(&routes.stdout);
    let lines: Vec<_> =
        stdout.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    for expected in
        ["PATCH /{bookmark_id} authenticated updateBookmark", "GET /hello public (token ignored) hello"]
    {
        assert!(lines.iter().any(|line| line == expected), "{lines:?}");
    }
}

#[test]
fn a_configuration_is_shown_with_origins_and_without_secrets() {
    let variables = [LOCAL, ("TAPIS_SERVICE_PASSWORD", "canary"), ("TAPIS_SQL_DB_URL", "sqlite://canary.db")];
    let output = bookmarks(&["check-config"], &variables);
    let shown = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(!shown.contains("canary"), "{shown}");
    for line in [
        "service_password = \"***\" (the environment variable TAPIS_SERVICE_PASSWORD)",
        "sql_db_url = \"***\" (the environment variable TAPIS_SQL_DB_URL)",
        "devsite_port = 5080 (the default in the framework's base schema)",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{line}\n{shown}");
    }
}

#[test]
fn all_faults_of_a_configuration_are_told_at_once() {
    let variables = [
        LOCAL,
        ("TAPIS_SQL_DB_URL", "mysql://canary"),
        ("TAPIS_DEVSITE_PORT", "canary"),
        ("TAPIS_LOG_LEVEL", "canary"),
    ];
    for arguments in [&["check-config"][..], &["serve"], &[]] {
        let output = bookmarks(arguments, &variables);
        let told = text(&output.stderr);
        assert_eq!((output.status.code(), told.lines().count()), (Some(78), 3), "{told}");
        for key in ["/sql_db_url:", "/devsite_port:", "/log_level:"] {
            assert!(told.lines().any(|line| line.starts_with(key)), "{key}\n{told}");
        }
        assert!(!told.contains("canary"), "{told}");
    }
}

#[test]
fn the_database_is_migrated_by_commands() {
    let folder = tempfile::tempdir().unwrap();
    let postgres = tapisservice::testing::Postgres::start();
    let sqlite = format!("sqlite://{}", folder.path().join("data").join("x.db").display());
    let urls = [Some(sqlite), postgres.as_ref().map(|postgres| postgres.url("tapis"))];
    for url in urls.into_iter().flatten() {
        let commands =
            ["migrate status", "migrate status --check", "upgrade", "migrate up", "migrate status --check"];
        let ran = on_database(&url, &commands);
        let said: Vec<_> = ran.iter().map(|(code, out, _)| (code.unwrap(), &**out)).collect();
        let head = format!("{HEAD} (head)");
        let status = |state| format!("{HEAD} {:<40} {state}\n", "create bookmarks");
        let (before, after) = (status("pending") + "base", status("applied") + &head);
        let expected = [(0, &*before), (1, ""), (0, &*head), (0, &*head), (0, &*after)];
        assert_eq!(said, expected, "{ran:?}");
        assert!(ran[1].2.contains("not at head: 1 pending"), "{ran:?}");
        assert!(ran[2].2.contains(&format!("applying {HEAD} create bookmarks (1 of 1)")), "{ran:?}");

        let ran =
            on_database(&url, &["migrate down", "migrate down base", "migrate up 7", "migrate up tail"]);
        let said: Vec<_> = ran.iter().map(|(code, out, _)| (code.unwrap(), &**out)).collect();
        assert_eq!(said, [(0, "base"), (0, "base"), (1, ""), (2, "")], "{ran:?}");
        assert!(!format!("{ran:?}").contains("canary"), "{ran:?}");
    }
}

#[test]
fn a_new_migration_needs_no_database() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let output = bookmarks(&["migrate", "new", "add", "notes", "--folder", path], &[]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let files: Vec<_> = text(&output.stdout).lines().collect();
    assert!(
        files[0].ends_with("_add_notes.up.sql") && files[1].ends_with("_add_notes.down.sql"),
        "{files:?}"
    );
    assert!(files.iter().all(|file| std::path::Path::new(file).exists()));
}

#[test]
fn a_migration_that_cannot_reach_its_database_fails_and_shows_no_password() {
    let ran = on_database("postgres://canary:canary@127.0.0.1:1/x", &["upgrade --wait 0", "migrate status"]);
    for (code, _, told) in &ran {
        assert_eq!(*code, Some(1), "{told}");
        assert!(!told.contains("canary"), "{told}");
    }
    assert!(ran[0].2.contains("still unreachable"), "{ran:?}");
}

#[test]
fn a_configuration_is_checked_and_its_settings_are_told() {
    let checked = bookmarks(&["config", "check"], &[LOCAL]);
    assert_eq!((checked.status.code(), text(&checked.stdout)), (Some(0), "the configuration is valid\n"));
    let shown = bookmarks(&["config", "show"], &[LOCAL]);
    assert_eq!(text(&shown.stdout), text(&bookmarks(&["check-config"], &[LOCAL]).stdout));
    let wrong = bookmarks(&["config", "check"], &[LOCAL, ("TAPIS_LOG_LEVEL", "LOUD")]);
    assert_eq!((wrong.status.code(), text(&wrong.stdout)), (Some(78), ""));
    let docs = bookmarks(&["config", "docs"], &[("TAPIS_CONFIG_PATH", "does-not-exist.json")]);
    for row in ["| `sql_db_url` | string | `\"sqlite://.tapis/bookmarks.db?mode=rwc\"` |", "| `log_level` |"]
    {
        assert!(text(&docs.stdout).contains(row), "{row}\n{}", text(&docs.stdout));
    }
}

#[test]
fn the_document_and_the_program_have_one_version() {
    let document: Value = serde_json::from_slice(&bookmarks(&["openapi"], &[LOCAL]).stdout).unwrap();
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    let version = format!("bookmarks {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(text(&bookmarks(&["--version"], &[]).stdout), version);
    let set: Value =
        serde_json::from_slice(&bookmarks(&["openapi"], &[LOCAL, ("TAPIS_VERSION", "7")]).stdout).unwrap();
    assert_eq!(set["info"]["version"], "7");
}

#[test]
fn an_older_document_is_compared_with_that_of_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let mut document: Value = serde_json::from_slice(&bookmarks(&["openapi"], &[LOCAL]).stdout).unwrap();
    let old = folder.path().join("old.json");
    let diff = |document: &Value| {
        std::fs::write(&old, document.to_string()).unwrap();
        bookmarks(&["openapi", "diff", old.to_str().unwrap()], &[LOCAL])
    };
    assert_eq!(text(&diff(&document).stdout), "no changes\n");

    document["components"]["schemas"]["CreateBookmark"]["properties"]["name"]["maxLength"] = 100.into();
    let narrowed = diff(&document);
    assert_eq!(narrowed.status.code(), Some(1));
    assert_eq!(
        text(&narrowed.stderr),
        "breaking: POST /v3/bookmarks: body/name: maxLength is 80, was 100\nbreaking changes: 1\n"
    );
    document["components"]["schemas"]["CreateBookmark"]["properties"]["name"]["maxLength"] = 50.into();
    let widened = diff(&document);
    assert_eq!(widened.status.code(), Some(0));
    assert_eq!(text(&widened.stdout), "compatible: POST /v3/bookmarks: body/name: maxLength is 80, was 50\n");
    let missing = bookmarks(&["openapi", "diff", "does-not-exist.json"], &[LOCAL]);
    assert!(text(&missing.stderr).starts_with("does-not-exist.json: "), "{}", text(&missing.stderr));
    let other = diff(&serde_json::json!([]));
    assert_eq!(other.status.code(), Some(1));
    assert!(
        text(&other.stderr).ends_with("is no OpenAPI document: it has no paths\n"),
        "{}",
        text(&other.stderr)
    );
}
