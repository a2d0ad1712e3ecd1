//! The life of a process under [`run`](tapisservice::run), whatever its author does.
//!
//! The ignored tests here are processes of their own; the others start them and send signals.

#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::convert::Infallible;
use std::future::pending;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;

use tapisservice::prelude::*;
use tapisservice::{App, Settings, run};

#[test]
#[ignore = "a process that the other tests start"]
fn child_that_serves() {
    exit_with(|config| {
        run(config, async |_, settings| {
            let app = App::builder(settings).routes(Routes::new());
            Ok(app.on_listening(|_| println!("\nready for a signal")))
        })
    });
}

#[test]
#[ignore = "a process that the other tests start"]
fn child_that_never_starts() {
    exit_with(|config| {
        run(config, async |_, _| {
            println!("\nready for a signal");
            match pending::<Infallible>().await {}
        })
    });
}

fn exit_with<F: Future<Output = ExitCode>>(running: impl FnOnce(Config) -> F) {
    let settings = [
        ("service_name", "demo"),
        ("service_site_id", "tacc"),
        ("service_tenant_id", "admin"),
        ("primary_site_admin_tenant_base_url", "http://127.0.0.1:1"),
        ("listen", "127.0.0.1:0"),
        ("drain_seconds", "0"),
        ("TAPIS_LOG_LEVEL", "INFO"),
    ];
    let config = Settings::loader().environment(settings).fallback_config("none", r#"{"tenants": []}"#);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let code = runtime.block_on(running(config.load().unwrap()));
    std::process::exit(i32::from(code != ExitCode::SUCCESS));
}

/// The process, once it waits for a signal.
fn start(test: &str) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.as_mut().unwrap());
    let ready = output.lines().map_while(Result::ok).any(|line| line.contains("ready for a signal"));
    assert!(ready, "{test} gets ready");
    child
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args(["-s", name, &child.id().to_string()]).status().unwrap().success());
}

/// The exit code, or `None` when the process has to be killed.
fn exit_code(mut child: Child) -> Option<i32> {
    for _ in 0..2000 {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    None
}

#[test]
fn a_service_that_compiles_stops_on_each_signal_that_asks_for_it() {
    for name in ["TERM", "INT", "QUIT"] {
        let child = start("child_that_serves");
        signal(&child, name);
        assert_eq!(exit_code(child), Some(0), "{name}");
    }
}

#[test]
fn a_service_that_is_still_starting_stops_too() {
    let child = start("child_that_never_starts");
    signal(&child, "TERM");
    assert_eq!(exit_code(child), Some(0));
}

#[test]
fn a_signal_that_asks_for_nothing_changes_nothing() {
    let child = start("child_that_serves");
    for name in ["USR1", "HUP", "USR2", "ALRM"] {
        signal(&child, name);
    }
    signal(&child, "TERM");
    assert_eq!(exit_code(child), Some(0));
}
