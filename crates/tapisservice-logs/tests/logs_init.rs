//! Installing the logger changes the whole process, so this test has one to itself.

use std::fs;

use serde_json::{Value, json};
use tapisservice_core::{RequestContext, ServiceInfo};
use tapisservice_logs::{self as logs, LogError, LogSettings};
use tempfile::TempDir;

const JWS: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjYW5hcnlAdGFjYyJ9.Y2FuYXJ5Y2FuYXJ5";

#[test]
fn init_installs_once_and_logs_panics_of_tasks_and_records_of_log() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("service.log");
    let config = json!({ "log_file": path, "log_format": "json", "log_level": "INFO" });
    let settings: LogSettings = serde_json::from_value(config).unwrap();
    let guard = logs::init(&settings).unwrap();
    assert!(matches!(logs::init(&settings), Err(LogError::AlreadySet)));

    let service = ServiceInfo::new("demo", "1");
    let g = RequestContext::builder(service.into()).request_id("r7").build();
    let task = std::thread::Builder::new()
        .name("task-7".into())
        .spawn(move || g.sync_scope(|| panic!("not\ngood: {JWS}")));
    assert!(task.unwrap().join().is_err());
    tracing_log::log::info!(target: "elsewhere::module", "by way of log");
    tracing_log::log::info!(target: "hyper::proto", "too much detail");
    tracing::info!("after a refused record");
    drop(guard);
    // From here on a failing assertion should be seen.
    drop(std::panic::take_hook());

    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let panics: Vec<_> = lines.iter().filter(|line| line["request_id"] == "r7").collect();
    assert_eq!(panics.len(), 1, "{text}");
    assert_eq!(panics[0]["level"], "CRITICAL");
    assert_eq!(panics[0]["message"], "panicked: not\ngood: ***");
    assert_eq!(panics[0]["fields"]["thread"], "task-7");
    assert!(panics[0]["fields"]["location"].as_str().unwrap().contains("logs_init.rs:"));
    let bridged = lines.iter().find(|line| line["message"] == "by way of log").unwrap();
    assert_eq!(bridged["target"], "elsewhere::module");
    assert!(bridged["fields"].is_null(), "{bridged}");
    assert!(!text.contains("too much detail"));
    assert!(text.contains("after a refused record"));
}
