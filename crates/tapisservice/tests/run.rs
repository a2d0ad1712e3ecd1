//! The life of a process under [`run`](tapisservice::run), whatever its author does.
//!
//! The ignored tests here are processes of their own; the others start them and send signals.

#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::convert::Infallible;
use std::future::pending;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStdout, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tapisservice::prelude::*;
use tapisservice::{App, Settings, run};
use tokio::sync::Barrier;

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

/// The signal finds its tasks at work.
#[test]
#[ignore = "a process that the other tests start"]
fn child_with_tasks() {
    exit_with(|config| {
        run(config, async |_, settings| {
            let both_run = Arc::new(Barrier::new(2));
            let met = both_run.clone();
            let purge = BackgroundTask::new("purge", Schedule::once(), move |task| {
                let both_run = both_run.clone();
                async move {
                    both_run.wait().await;
                    println!("\nready for a signal");
                    task.shutdown().draining().await;
                    tokio::time::sleep(Duration::from_secs(2)).await;
                    tracing::info!("purged");
                    Ok(())
                }
            });
            let import = BackgroundTask::new("import", Schedule::once(), move |task| {
                let met = met.clone();
                async move {
                    met.wait().await;
                    task.shutdown().draining().await;
                    panic!("canary")
                }
            });
            Ok(App::builder(settings).background(purge).background(import))
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

/// The process, once it waits for a signal, and the rest of its output.
fn start(test: &str) -> (Child, BufReader<ChildStdout>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut lines = output.by_ref().lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("ready for a signal")), "{test} gets ready");
    (child, output)
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
        let (child, _output) = start("child_that_serves");
        signal(&child, name);
        assert_eq!(exit_code(child), Some(0), "{name}");
    }
}

#[test]
fn a_service_that_is_still_starting_stops_too() {
    let (child, _output) = start("child_that_never_starts");
    signal(&child, "TERM");
    assert_eq!(exit_code(child), Some(0));
}

/// Work begun with `tokio::spawn` ended with the process, and what it logged in the end was lost.
#[test]
fn a_background_task_ends_its_work_and_its_last_line_is_in_the_log() {
    let (child, output) = start("child_with_tasks");
    signal(&child, "TERM");
    assert_eq!(exit_code(child), Some(0));
    let log = std::io::read_to_string(output).unwrap();
    for text in
        ["purged task=purge [req=", "background task completed", "panicked: canary", "task=import [req="]
    {
        assert!(log.contains(text), "{text} in {log}");
    }
}

#[test]
fn a_signal_that_asks_for_nothing_changes_nothing() {
    let (child, _output) = start("child_that_serves");
    for name in ["USR1", "HUP", "USR2", "ALRM"] {
        signal(&child, name);
    }
    signal(&child, "TERM");
    assert_eq!(exit_code(child), Some(0));
}
