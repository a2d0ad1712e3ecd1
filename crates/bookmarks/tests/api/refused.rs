//! What `check-config` refuses, the start refuses, in the same words, and the other way round.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Map, Value, json};

/// No line says any of what stands in a bad value.
const CANARY: &str = "canary";
const LOCAL: &str = include_str!("../../../../config-local.json");

/// A configuration that is refused: variables, changes to the file, and the pointers its lines begin with.
struct Refused {
    variables: Vec<(&'static str, String)>,
    file: Vec<(&'static str, Value)>,
    pointers: Vec<&'static str>,
}

fn variables(variables: &[(&'static str, &str)], pointers: &[&'static str]) -> Refused {
    let variables = variables.iter().map(|(name, text)| (*name, (*text).to_owned())).collect();
    Refused { variables, file: Vec::new(), pointers: pointers.to_vec() }
}

fn variable(name: &'static str, text: &str, pointer: &'static str) -> Refused {
    variables(&[(name, text)], &[pointer])
}

fn file(key: &'static str, value: Value, pointer: &'static str) -> Refused {
    Refused { variables: Vec::new(), file: vec![(key, value)], pointers: vec![pointer] }
}

/// One key that its schema refuses.
fn by_schema() -> Vec<Refused> {
    vec![
        variable("TAPIS_SERVER", "canary", "/server"),
        variable("TAPIS_LOG_LEVEL", "canary", "/log_level"),
        variable("TAPIS_LOG_FORMAT", "canary", "/log_format"),
        variable("TAPIS_SHOW_TRACEBACK", "canary", "/show_traceback"),
        variable("TAPIS_TENANTS_REFRESH_SECONDS", "0", "/tenants_refresh_seconds"),
        variable("TAPIS_MAX_URI_BYTES", "canary", "/max_uri_bytes"),
        variable("TAPIS_TOKEN_LEEWAY_SECONDS", "301", "/token_leeway_seconds"),
        variable("TAPIS_DEVSITE_PORT", "canary", "/devsite_port"),
        variable("TAPIS_SQL_POOL_MAX_CONNECTIONS", "0", "/sql_pool_max_connections"),
        file("tenants", json!("canary"), "/tenants"),
        file("tenants", json!(["canary", ""]), "/tenants/1"),
        file("primary_site_admin_tenant_base_url", Value::Null, "/primary_site_admin_tenant_base_url"),
        file("service_name", Value::Null, "/service_name"),
        file("service_password", json!("$env{NOT_SET}"), "/service_password"),
        file("service_password", json!({"canary": 1}), "/service_password"),
        file("x_log_level", json!("canary"), "/x_log_level"),
        file("x_log_file", json!(["canary"]), "/x_log_file"),
        file("expected_aud", json!([1]), "/expected_aud/0"),
    ]
}

/// One key that its type does not take.
fn by_type() -> Vec<Refused> {
    const URL: &str = "TAPIS_PRIMARY_SITE_ADMIN_TENANT_BASE_URL";
    let long = "x".repeat(256);
    let url = |text: &str| variable(URL, text, "/primary_site_admin_tenant_base_url");
    let database = |text: &str| variable("TAPIS_SQL_DB_URL", text, "/sql_db_url");
    vec![
        variable("TAPIS_LISTEN", "localhost:5990", "/listen"),
        variable("TAPIS_LISTEN", "5000", "/listen"),
        variable("TAPIS_LISTEN", "127.0.0.1:65536", "/listen"),
        variable("TAPIS_LISTEN", "canary", "/listen"),
        variable("TAPIS_METRICS_LISTEN", "localhost:9990", "/metrics_listen"),
        variable("TAPIS_METRICS_LISTEN", "[::canary]:9990", "/metrics_listen"),
        variable("TAPIS_SERVICE_NAME", "a:b", "/service_name"),
        variable("TAPIS_SERVICE_NAME", "a/canary", "/service_name"),
        variable("TAPIS_SERVICE_NAME", "a canary", "/service_name"),
        variable("TAPIS_SERVICE_NAME", "my_canary", "/service_name"),
        variable("TAPIS_SERVICE_NAME", &long, "/service_name"),
        variable("TAPIS_SERVICE_SITE_ID", "can\nary", "/service_site_id"),
        variable("TAPIS_SERVICE_SITE_ID", &long, "/service_site_id"),
        variable("TAPIS_SERVICE_TENANT_ID", "canary,b", "/service_tenant_id"),
        variable("TAPIS_SERVICE_TENANT_ID", " canary", "/service_tenant_id"),
        variable("TAPIS_BASE_PATH", "/{canary}", "/base_path"),
        variable("TAPIS_BASE_PATH", "/:canary", "/base_path"),
        variable("TAPIS_BASE_PATH", "canary", "/base_path"),
        url("canary"),
        url("http://[::canary"),
        url("http://h.test/canary"),
        url("http://h.test?x=canary"),
        url("http://h.test/#canary"),
        url("http://u:canary@h.test"),
        database("mysql://canary"),
        database("postgres://h"),
        database("postgres://h/canary"),
        database("postgres://u:can#ary@h/d"),
        database("postgres://u:p@h/d?sslmode=canary"),
        database("sqlite://"),
        database("sqlite://x.db?mode=canary"),
        file("header_timeout_seconds", json!(1e-12), "/header_timeout_seconds"),
    ]
}

/// Ports that the site for development has, 5080 to 5084 unless it is told another first one.
fn ports_of_the_site() -> Vec<Refused> {
    const LISTEN: &str = "TAPIS_LISTEN";
    const METRICS: &str = "TAPIS_METRICS_LISTEN";
    let first = |port| ("TAPIS_DEVSITE_PORT", port);
    vec![
        variable(LISTEN, "127.0.0.1:5080", "/listen"),
        variable(LISTEN, "[::1]:5082", "/listen"),
        variable("TAPIS_DEVSITE_PORT", "5000", "/listen"),
        variables(&[(LISTEN, "0.0.0.0:6204"), first("6200")], &["/listen"]),
        variable(METRICS, "127.0.0.1:5084", "/metrics_listen"),
        variables(&[(METRICS, "[::]:6200"), first("6200")], &["/metrics_listen"]),
        variables(
            &[(LISTEN, "127.0.0.1:6201"), (METRICS, "[::1]:6202"), first("6200")],
            &["/listen", "/metrics_listen"],
        ),
    ]
}

/// Keys that do not go together, and several faults at once.
fn together() -> Vec<Refused> {
    let stop = [("TAPIS_SHUTDOWN_SECONDS", "1"), ("TAPIS_DRAIN_SECONDS", "5")];
    let several = [
        ("TAPIS_LISTEN", "localhost:5990"),
        ("TAPIS_METRICS_LISTEN", "localhost:9990"),
        ("TAPIS_SQL_DB_URL", "postgres://h"),
        ("TAPIS_SERVICE_NAME", "a:b"),
        ("TAPIS_PRIMARY_SITE_ADMIN_TENANT_BASE_URL", "http://h.test/v3"),
        ("TAPIS_LOG_LEVEL", "canary"),
        ("TAPIS_SERVER", "canary"),
    ];
    let pointers = [
        "/listen",
        "/log_level",
        "/metrics_listen",
        "/primary_site_admin_tenant_base_url",
        "/server",
        "/service_name",
        "/shutdown_seconds",
        "/sql_db_url",
    ];
    let metrics = [("TAPIS_LISTEN", "127.0.0.1:5990"), ("TAPIS_METRICS_LISTEN", "0.0.0.0:5990")];
    vec![
        variables(&stop, &["/shutdown_seconds"]),
        variables(&metrics, &["/metrics_listen"]),
        variable("TAPIS_SERVER", "prod", "/devsite"),
        variables(&[several.as_slice(), stop.as_slice()].concat(), &pointers),
        // Whether these two go together shows when the first is mended.
        variables(&[("TAPIS_DRAIN_SECONDS", "canary"), stop[0]], &["/drain_seconds"]),
    ]
}

fn run(folder: &Path, argument: &str, refused: &Refused) -> Output {
    let mut config: Map<String, Value> = serde_json::from_str(LOCAL).unwrap();
    for (key, value) in &refused.file {
        match value {
            Value::Null => drop(config.remove(*key)),
            value => drop(config.insert((*key).to_owned(), value.clone())),
        }
    }
    std::fs::write(folder.join("config.json"), Value::Object(config).to_string()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_bookmarks"));
    command.arg(argument).env_clear().env("TAPIS_CONFIG_PATH", "config.json").current_dir(folder);
    // What is not refused by its configuration ends at once, too.
    command.env("TAPIS_LOG_FILE", "no/such/folder/service.log");
    command.envs(refused.variables.iter().map(|(name, text)| (name, text))).output().unwrap()
}

fn lines(output: &Output) -> Vec<String> {
    String::from_utf8(output.stderr.clone()).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn check_config_and_the_start_refuse_the_same_in_the_same_words() {
    let folder = tempfile::tempdir().unwrap();
    let all: Vec<_> =
        [by_schema(), by_type(), ports_of_the_site(), together()].into_iter().flatten().collect();
    assert!(all.len() >= 50, "{}", all.len());
    let mut wrong = Vec::new();
    for refused in &all {
        let what = format!("{:?} {:?}", refused.variables, refused.file);
        let checked = run(folder.path(), "check-config", refused);
        let started = run(folder.path(), "serve", refused);
        let told = lines(&checked);
        let pointers: Vec<_> = told.iter().map(|line| line.split(": ").next().unwrap()).collect();
        let is_refused = |output: &Output| output.status.code() == Some(78) && output.stdout.is_empty();
        let explained =
            |line: &String| line.contains(" (from ") || line.contains("; set it in the file config.json");
        if !(is_refused(&checked) && is_refused(&started))
            || told != lines(&started)
            || pointers != refused.pointers
            || told.iter().any(|line| line.contains(CANARY))
            || !told.iter().all(explained)
        {
            wrong.push(format!("{what}\n  check-config: {told:?}\n  start: {:?}", lines(&started)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn ports_that_do_not_meet_those_of_the_site_are_accepted() {
    let folder = tempfile::tempdir().unwrap();
    for variables in [
        &[("TAPIS_LISTEN", "127.0.0.1:5079"), ("TAPIS_METRICS_LISTEN", "127.0.0.1:5085")][..],
        &[("TAPIS_LISTEN", "127.0.0.1:0"), ("TAPIS_METRICS_LISTEN", "0.0.0.0:0")],
        &[("TAPIS_LISTEN", "127.0.0.1:5080"), ("TAPIS_DEVSITE_PORT", "0")],
        &[("TAPIS_LISTEN", "127.0.0.1:5080"), ("TAPIS_DEVSITE", "false")],
        &[("TAPIS_LISTEN", "192.0.2.1:5080")],
    ] {
        let checked = run(folder.path(), "check-config", &self::variables(variables, &[]));
        assert_eq!(checked.status.code(), Some(0), "{variables:?}: {:?}", lines(&checked));
    }
    // The service moves on where nobody asked for its port, which is then not one of a fault.
    let by_default = Refused {
        variables: vec![("TAPIS_DEVSITE_PORT", "5000".to_owned())],
        file: vec![("listen", Value::Null)],
        pointers: Vec::new(),
    };
    let checked = run(folder.path(), "check-config", &by_default);
    assert_eq!(checked.status.code(), Some(0), "{:?}", lines(&checked));
}

#[test]
fn a_port_in_use_is_told_with_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = listener.local_addr().unwrap().to_string();
    for (variable, key, other) in [
        ("TAPIS_METRICS_LISTEN", "`metrics_listen`", ("TAPIS_LISTEN", "127.0.0.1:0")),
        ("TAPIS_LISTEN", "`listen`", ("TAPIS_METRICS_LISTEN", "127.0.0.1:0")),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bookmarks"));
        command.env_clear().env("TAPIS_CONFIG_PATH", "config.json").current_dir(folder.path());
        std::fs::write(folder.path().join("config.json"), LOCAL).unwrap();
        command.env("TAPIS_DEVSITE", "false").env("TAPIS_SQL_DB_URL", "sqlite::memory:");
        let started = command.env(variable, &taken).envs([other]).output().unwrap();
        let told = lines(&started);
        let said = told.last().unwrap();
        assert_eq!(started.status.code(), Some(78), "{told:?}");
        assert!(said.contains(&taken) && said.contains(&format!("change {key}")), "{told:?}");
    }
}

#[test]
#[cfg(unix)]
fn a_variable_that_is_not_utf_8_is_a_fault() {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt as _;
    let bytes = || OsString::from_vec(b"p\xe9ss".to_vec());
    let folder = tempfile::tempdir().unwrap();
    let mut config: Map<String, Value> = serde_json::from_str(LOCAL).unwrap();
    config.insert("x".to_owned(), json!("$env{OF_X}"));
    config.remove("listen");
    std::fs::write(folder.path().join("config.json"), Value::Object(config).to_string()).unwrap();
    let names = ["TAPIS_SERVICE_PASSWORD", "TAPIS_DEVSITE_PORT", "listen", "OF_X", "TAPIS_NO_KEY", "OTHER"];
    let told = [
        ("/devsite_port", "TAPIS_DEVSITE_PORT"),
        ("/listen", "variable listen"),
        ("/service_password", "TAPIS_SERVICE_PASSWORD"),
        ("/x", "OF_X"),
    ];
    for argument in ["check-config", "serve"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bookmarks"));
        command.arg(argument).env_clear().env("TAPIS_CONFIG_PATH", "config.json").current_dir(folder.path());
        let output = command.envs(names.map(|name| (name, bytes()))).output().unwrap();
        let lines = lines(&output);
        assert_eq!((output.status.code(), lines.len()), (Some(78), told.len()), "{lines:?}");
        for (line, (pointer, variable)) in lines.iter().zip(told) {
            assert!(line.starts_with(&format!("{pointer}: ")) && line.contains("UTF-8"), "{line}");
            assert!(line.contains(variable) && !line.contains('\u{fffd}'), "{line}");
        }
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_bookmarks"));
    let output = command.arg("check-config").env_clear().env("TAPIS_CONFIG_PATH", bytes()).output().unwrap();
    assert_eq!((output.status.code(), lines(&output).len()), (Some(78), 1));
}

#[test]
fn white_space_at_the_end_of_a_secret_is_pointed_out() {
    let folder = tempfile::tempdir().unwrap();
    let warned = variables(&[("TAPIS_SERVICE_PASSWORD", "canary\n")], &[]);
    let checked = run(folder.path(), "check-config", &warned);
    let warning = "warning: /service_password ends with white space (from the environment variable \
                   TAPIS_SERVICE_PASSWORD); remove it unless it belongs to the secret";
    assert_eq!((checked.status.code(), lines(&checked)), (Some(0), vec![warning.to_owned()]));
    assert!(!String::from_utf8(checked.stdout).unwrap().contains(CANARY));

    // At the start, too, whatever is logged.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    for level in ["WARN", "ERROR"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bookmarks"));
        command.env_clear().env("TAPIS_CONFIG_PATH", "config.json").current_dir(folder.path());
        command.env("TAPIS_LISTEN", taken.local_addr().unwrap().to_string()).env("TAPIS_DEVSITE", "false");
        command.env("TAPIS_SQL_DB_URL", "sqlite::memory:").env("TAPIS_LOG_LEVEL", level);
        let started = command.env("TAPIS_SERVICE_PASSWORD", "canary\n").output().unwrap();
        let told = [started.stdout, started.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
        assert_eq!(started.status.code(), Some(78), "{told}");
        assert_eq!(told.matches("/service_password ends with white space").count(), 1, "{level}: {told}");
        assert!(!told.contains(CANARY), "{told}");
    }
}
