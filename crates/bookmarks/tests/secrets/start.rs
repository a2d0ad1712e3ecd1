//! Starts that fail, and commands that only look: bad configurations that are full of secrets.

use std::process::Output;

use serde_json::{Value, json};

use crate::evidence::Evidence;
use crate::process::command;
use crate::text::{DATABASE_PASSWORD, NESTED_SECRET, OWN_SECRET, SERVICE_PASSWORD, percent};

/// Starts in vain; what is printed goes to the evidence.
pub(crate) fn refuse(evidence: &mut Evidence) {
    let folder = tempfile::tempdir().unwrap();
    // Where a configuration is good enough to start with, the port is taken.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let run = |settings: &str, arguments: &[&str]| {
        let mut command = command(folder.path(), &json!({}));
        std::fs::write(folder.path().join("config.json"), settings).unwrap();
        command.args(arguments).env("TAPIS_LISTEN", &address).output().unwrap()
    };
    let good = with("own_secret", json!(OWN_SECRET));
    let shown = run(&good.to_string(), &["check-config"]);
    assert!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stderr));
    let text = keep(evidence, "check-config", &shown);
    assert!(text.contains("own_secret = \"***\"") && text.contains("service_password = \"***\""), "{text}");

    let text = good.to_string();
    let broken = [
        text.replace("\"tenants\"", "\"own_secret\": 1, \"tenants\""),
        text[..text.len() - 1].to_owned(),
        format!("{text}{SERVICE_PASSWORD}"),
    ];
    for settings in faulty().iter().map(Value::to_string).chain(broken) {
        let refused = run(&settings, &["serve"]);
        let told = keep(evidence, "a start that is refused", &refused);
        assert!(refused.status.code() == Some(78) && !told.is_empty(), "{:?} {told}", refused.status);
        keep(evidence, "check-config of what is wrong", &run(&settings, &["check-config"]));
    }
    let nobody = with(
        "sql_db_url",
        json!(format!("postgres://canary:{}@127.0.0.1:1/tapis", percent(DATABASE_PASSWORD))),
    );
    for arguments in [&["upgrade", "--wait", "1"][..], &["current"], &["history"], &["healthcheck"]] {
        keep(evidence, "a command", &run(&nobody.to_string(), arguments));
    }
}

/// A good configuration but for one key.
fn with(key: &str, value: Value) -> Value {
    let mut values = json!({
        "service_name": "bookmarks", "service_site_id": "tacc", "service_tenant_id": "admin", "tenants": ["*"],
        "primary_site_admin_tenant_base_url": "http://127.0.0.1:1", "server": "dev", "log_level": "TRACE",
        "service_password": SERVICE_PASSWORD, "postgres_password": DATABASE_PASSWORD,
        "own_list": [{"inner": [NESTED_SECRET]}],
    });
    values[key] = value;
    values
}

/// Configurations that are refused, each with a secret in the place that is at fault.
fn faulty() -> Vec<Value> {
    let url = |rest: &str| {
        json!(format!("postgres://canary:{}@127.0.0.1:1/tapis{rest}", percent(DATABASE_PASSWORD)))
    };
    vec![
        with("service_password", json!([SERVICE_PASSWORD])),
        with("service_password", json!({"x": SERVICE_PASSWORD})),
        with("own_secret", json!({"text": OWN_SECRET})),
        with("own_list", json!([{"inner": NESTED_SECRET}])),
        with("own_list", json!([{"inner": [{"deep": NESTED_SECRET}]}])),
        with("sql_db_url", json!(format!("mysql://canary:{}@h/d", percent(DATABASE_PASSWORD)))),
        with("sql_db_url", url(&format!("?password={}", percent(DATABASE_PASSWORD)))),
        with("sql_db_url", url(&format!("?sslmode={}", percent(DATABASE_PASSWORD)))),
        with("sql_db_url", json!(format!("postgres://canary:{DATABASE_PASSWORD}@127.0.0.1:99999/tapis"))),
        with("tenants", json!(SERVICE_PASSWORD)),
        with("metrics_listen", json!(SERVICE_PASSWORD)),
        with("primary_site_admin_tenant_base_url", json!(SERVICE_PASSWORD)),
        with("log_level", json!(SERVICE_PASSWORD)),
        with("devsite_port", json!("$env{CANARY_SERVICE_PASSWORD}")),
        with("service_password", json!("$env{CANARY_SERVICE_PASSWORD}$env{NOT_SET}")),
        with("max_body_bytes", json!(SERVICE_PASSWORD)),
    ]
}

/// What it printed.
fn keep(evidence: &mut Evidence, what: &str, output: &Output) -> String {
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    evidence.output(what, &text);
    text
}
