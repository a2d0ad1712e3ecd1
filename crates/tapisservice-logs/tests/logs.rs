//! The log lines a service writes: formats, ids, filing, forging, secrets.

#![expect(clippy::unwrap_used, reason = "a test helper that fails fails its test")]

use std::{
    error::Error,
    fmt, fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    time::Duration,
};

use http::Method;
use serde_json::{Value, json};
use tapisservice_core::testing;
use tapisservice_core::{Identity, RequestContext, ServiceInfo, TrackingId};
use tapisservice_logs::{self as logs, Capture, LogError, LogSettings};
use tempfile::TempDir;

const JWS: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjYW5hcnlAdGFjYyJ9.Y2FuYXJ5Y2FuYXJ5";

fn settings(config: Value) -> LogSettings {
    serde_json::from_value(config).unwrap()
}

/// The context of `GET path`.
fn context(request_id: &str, tracking_id: &str, path: &str) -> RequestContext {
    let service = ServiceInfo::new("bookmarks", "1");
    RequestContext::builder(service.into())
        .request_id(request_id)
        .tracking_id(TrackingId::new(tracking_id).ok())
        .target(Method::GET, path.parse().unwrap())
        .build()
}

fn identity(tenant: &str, user: &str) -> Identity {
    testing::identity_for(tenant, user)
}

/// Runs `work` with a subscriber of its own and returns the lines.
fn lines(config: Value, work: impl FnOnce()) -> Vec<String> {
    let capture = Capture::default();
    let subscriber = logs::subscriber(&settings(config), capture.clone());
    tracing::subscriber::with_default(subscriber, work);
    capture.lines()
}

/// A request with an inner span, an identity known half-way and an event in each place.
fn request() {
    tracing::info!("before");
    let g = context("r1", "t.1", "/v3/bookmarks?token=x");
    g.sync_scope(|| {
        tracing::info!("anonymous");
        testing::set_identity(&g, identity("tacc", "alice"));
        let inner = tracing::info_span!("store", bookmark_id = 7, attempt = tracing::field::Empty);
        inner.in_scope(|| {
            inner.record("attempt", 2);
            tracing::warn!(rows = 3, ratio = 0.5, attempt = 9, title = "a b", "saved");
        });
    });
}

#[test]
fn human_lines_carry_the_ids_and_the_fields_of_all_spans() {
    let lines = lines(json!({ "log_level": "INFO" }), request);
    let told: Vec<_> = lines.iter().map(|line| line.split_once(' ').unwrap().1).collect();
    assert_eq!(
        told,
        [
            "INFO  logs: before",
            "INFO  logs: anonymous method=GET path=/v3/bookmarks [req=r1 trk=t.1]",
            "WARN  logs: saved rows=3 ratio=0.5 attempt=9 title=\"a b\" bookmark_id=7 method=GET \
             path=/v3/bookmarks [tenant=tacc user=alice req=r1 trk=t.1]",
        ]
    );
}

#[test]
fn json_lines_carry_the_ids_and_the_fields_of_all_spans() {
    let lines = lines(json!({ "log_level": "INFO", "log_format": "json" }), request);
    let mut last: Value = serde_json::from_str(&lines[2]).unwrap();
    let time = last["time"].take();
    assert_eq!(time.as_str().unwrap().len(), "2026-01-02T03:04:05.006Z".len());
    assert_eq!(
        last,
        json!({
            "time": null, "level": "WARN", "target": "logs", "message": "saved",
            "tenant": "tacc", "user": "alice", "request_id": "r1", "tracking_id": "t.1",
            "fields": {
                "rows": 3, "ratio": 0.5, "attempt": 9, "title": "a b", "bookmark_id": 7,
                "method": "GET", "path": "/v3/bookmarks",
            },
        })
    );
    assert!(!lines[0].contains("request_id") && !lines[0].contains("fields"), "{}", lines[0]);
}

#[test]
fn an_error_line_knows_its_request_at_every_log_level() {
    for (level, marked) in [("ERROR", false), ("CRITICAL", true)] {
        let lines = lines(json!({ "log_level": level }), || {
            context("r1", "t.1", "/x").sync_scope(|| {
                let _inner = tracing::info_span!("inner", id = 7).entered();
                tracing::warn!("not shown");
                tracing::error!(critical = marked, "shown");
            });
        });
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].contains(&format!(" {level} logs: shown")), "{}", lines[0]);
        assert!(lines[0].contains("id=7") && lines[0].ends_with("[req=r1 trk=t.1]"), "{}", lines[0]);
    }
}

#[test]
fn a_spawned_task_takes_the_ids_along_with_g() {
    let lines = lines(json!({ "log_level": "ERROR" }), || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let g = context("r1", "t.1", "/x");
        runtime.block_on(async {
            let spawned = tokio::spawn(g.scope(async { tracing::error!("with") }));
            spawned.await.unwrap();
            g.scope(async { tokio::spawn(async { tracing::error!("without") }).await.unwrap() }).await;
        });
    });
    assert!(lines[0].ends_with("with method=GET path=/x [req=r1 trk=t.1]"), "{}", lines[0]);
    assert!(lines[1].ends_with("logs: without"), "{}", lines[1]);
}

#[test]
fn critical_shows_nothing_but_marked_events() {
    let lines = lines(json!({ "log_level": "CRITICAL", "loud_log_level": "TRACE" }), || {
        tracing::error!("plain");
        tracing::error!(critical = false, "denied");
        tracing::error!(critical = true, "marked");
        tracing::trace!(target: "loud::below", "traced");
    });
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].ends_with("CRITICAL logs: marked"));
    assert!(lines[1].ends_with("TRACE loud::below: traced"));
}

#[test]
fn dependencies_are_held_at_warn_unless_named() {
    let lines = lines(json!({ "log_level": "DEBUG", "h2_log_level": "DEBUG" }), || {
        tracing::info!(target: "hyper::proto", "1");
        tracing::warn!(target: "hyper::proto", "2");
        tracing::debug!(target: "h2::codec", "3");
        tracing::debug!(target: "bookmarks", "4");
    });
    let told: Vec<_> = lines.iter().map(|line| line.rsplit(' ').next().unwrap()).collect();
    assert_eq!(told, ["2", "3", "4"]);
}

#[test]
fn a_caller_cannot_forge_a_line_or_an_id() {
    let evil = "x\n2026-01-02T03:04:05.006Z ERROR bookmarks: forged\r\u{1b}[2J\u{85}\u{2028}\u{202e} user=root] [user=root";
    for format in ["human", "json"] {
        let lines = lines(json!({ "log_level": "INFO", "log_format": format }), || {
            // The types of ids refuse most of it: a request id that is made by hand is only text.
            let g = context(evil, "t.1", "/x");
            testing::set_identity(&g, identity("tacc", "x] [user=root"));
            g.sync_scope(|| tracing::info!(value = evil, debug = ?evil, "{evil}"));
        });
        assert_eq!(lines.len(), 1);
        let unsafe_char = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202e}');
        assert!(!lines[0].contains(unsafe_char), "{}", lines[0]);
        if format == "human" {
            assert!(lines[0].contains(r#" [tenant=tacc user="x] [user=root" req="x\n2026"#), "{}", lines[0]);
        } else {
            let line: Value = serde_json::from_str(&lines[0]).unwrap();
            assert_eq!((&line["request_id"], &line["message"]), (&json!(evil), &json!(evil)));
        }
    }
}

#[test]
fn odd_values_are_valid_json() {
    let lines = lines(json!({ "log_level": "INFO", "log_format": "json" }), || {
        tracing::info!(
            nan = f64::NAN,
            huge = u128::MAX,
            low = i64::MIN,
            text = "1",
            r#type = "t",
            error = &Canary as &dyn Error,
        );
    });
    let line: Value = serde_json::from_str(&lines[0]).unwrap();
    assert_eq!(line["message"], "");
    assert_eq!(line["fields"]["nan"], "NaN");
    assert_eq!(line["fields"]["low"], i64::MIN);
    assert_eq!(line["fields"]["text"], "1");
    assert_eq!(line["fields"]["type"], "t");
    assert_eq!(line["fields"]["huge"].as_str().unwrap(), u128::MAX.to_string());
}

proptest::proptest! {
    #[test]
    fn any_text_is_one_line_and_valid_json(text in "\\PC{0,40}|(?s:.{0,40})", secret in "[a-z\"\\\\= ,]{0,12}") {
        let config = |format: &str| json!({ "log_level": "INFO", "log_format": format });
        let work = || {
            let work = || tracing::info!(value = %text, debug = ?secret, "{text} password={secret:?}");
            context(&text, "t.1", "/x").sync_scope(work);
        };
        let (human, json) = (lines(config("human"), work), lines(config("json"), work));
        assert_eq!((human.len(), json.len()), (1, 1));
        assert!(!human[0].contains(char::is_control) && !json[0].contains(char::is_control));
        let line: Value = serde_json::from_str(&json[0]).unwrap();
        assert!(line["message"].as_str().unwrap().ends_with("password=\"***\""));
    }
}

/// An error that tells everything.
struct Canary;

impl fmt::Display for Canary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "connecting to postgres://u:canary-db@h/x with Bearer {JWS} failed, canary\"exact")
    }
}

impl fmt::Debug for Canary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Canary")
            .field("service_password", &"canary-debug\"quoted")
            .field("user_token", &Some("canary-some"))
            .field("exact", &"canary\"exact")
            .finish()
    }
}

impl Error for Canary {}

#[derive(Debug)]
struct Outer(Canary);

impl fmt::Display for Outer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not saved")
    }
}

impl Error for Outer {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[test]
fn canary_secrets_are_found_nowhere() {
    logs::redact_secret("canary\"exact");
    for format in ["human", "json"] {
        let lines = lines(json!({ "log_level": "TRACE", "log_format": format }), || {
            let outer = Outer(Canary);
            let g = context("canary\"exact", "t.1", &format!("/v3/{JWS}?a=canary"));
            testing::set_identity(&g, identity(JWS, "canary\"exact"));
            g.sync_scope(|| {
            let span = tracing::trace_span!("inner", token = "canary", note = JWS, shown = ?Canary);
            let _entered = span.entered();
            tracing::trace!(password = "canary", "token {JWS} and canary\"exact");
            tracing::error!(error = &outer as &dyn Error, "{}", outer.0);
            tracing::error!(?outer, %outer, nested = ?format!("{outer:?}"), "{outer:?}");
            tracing::info!(target: "canary\"exact", json = %json!({ "password": "canary", "a": "canary\"exact" }));
            tracing::info!("Authorization: Basic Y2FuYXJ5 x-tapis-token: canary password=canary");
            tracing::info!(access_token = 1, api_key = ?["canary"], "done");
            });
        });
        assert_eq!(lines.len(), 6);
        for line in &lines {
            for part in
                ["canary-", "canary\"", "canary\\", "=canary", ": canary", "\"canary\"", "Y2Fu", "eyJ"]
            {
                assert!(!line.contains(part), "{part} in {line}");
            }
            assert!(line.contains("***"), "{line}");
        }
        assert!(lines[1].contains("not saved: connecting to postgres://u:***@h/x"), "{}", lines[1]);
    }
}

#[test]
fn a_value_that_panics_while_it_is_recorded_leaves_the_log_working() {
    struct Panics;
    impl fmt::Debug for Panics {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            tracing::info!("from within");
            panic!("on purpose")
        }
    }
    let lines = lines(json!({ "log_level": "INFO" }), || {
        let span = tracing::info_span!("s", value = tracing::field::Empty);
        let _entered = span.enter();
        let recorded = catch_unwind(AssertUnwindSafe(|| {
            span.record("value", tracing::field::debug(Panics));
        }));
        assert!(recorded.is_err());
        tracing::info!("afterwards");
    });
    assert!(lines.last().unwrap().ends_with("afterwards"), "{lines:?}");
}

/// Writes through the real outputs and returns once everything is on disk.
fn write(config: Value, work: impl FnOnce()) {
    use tracing_subscriber::layer::SubscriberExt as _;
    let (layer, guard) = logs::layer(&settings(config)).unwrap();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), work);
    assert!(guard.flush(Duration::from_mins(1)));
    assert_eq!(guard.dropped_lines(), 0);
}

fn at(dir: &TempDir, name: &str) -> String {
    dir.path().join(name).to_str().unwrap().to_owned()
}

fn messages(path: impl AsRef<Path>) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| line.rsplit(": ").next().unwrap().to_owned()).collect()
}

fn one_line_per_module() {
    tracing::error!(target: "bookmarks::routes", "b");
    tracing::error!(target: "bookmarks::store", "s");
    tracing::error!(target: "tapisservice_auth::layer", "a");
    tracing::error!(target: "other", "o");
}

#[test]
fn split_files_each_module_on_its_own() {
    let dir = TempDir::new().unwrap();
    let config = json!({
        "log_filing_strategy": "split", "log_file": at(&dir, "service.log"), "bookmarks_log_file": at(&dir, "b.log"),
        "bookmarks.store_log_file": at(&dir, "s.log"), "tapisservice.auth_log_file": at(&dir, "b.log"),
    });
    write(config, one_line_per_module);
    assert_eq!(messages(dir.path().join("service.log")), ["o"]);
    assert_eq!(messages(dir.path().join("b.log")), ["b", "a"]);
    assert_eq!(messages(dir.path().join("s.log")), ["s"]);
}

#[test]
fn combined_appends_everything_to_one_file() {
    let dir = TempDir::new().unwrap();
    let path = at(&dir, "service.log");
    fs::write(&path, "x: kept\n").unwrap();
    let config = json!({ "log_file": path, "bookmarks_log_file": at(&dir, "b.log") });
    write(config.clone(), one_line_per_module);
    write(config, || tracing::error!("again"));
    assert_eq!(messages(&path), ["kept", "b", "s", "a", "o", "again"]);
    assert!(!dir.path().join("b.log").exists());
}

#[test]
fn several_writers_and_a_copytruncate_keep_lines_whole() {
    use tracing_subscriber::layer::SubscriberExt as _;
    let dir = TempDir::new().unwrap();
    let path = at(&dir, "service.log");
    let open = || logs::layer(&settings(json!({ "log_file": path }))).unwrap();
    let writers: Vec<_> = (0..3)
        .map(|n| {
            let (layer, guard) = open();
            std::thread::spawn(move || {
                let subscriber = tracing_subscriber::registry().with(layer);
                tracing::subscriber::with_default(subscriber, || {
                    for _ in 0..500 {
                        tracing::error!("writer {n} {}", "x".repeat(200));
                    }
                });
                drop(guard);
            })
        })
        .collect();
    for writer in writers {
        writer.join().unwrap();
    }
    assert_eq!(messages(&path).len(), 1500);
    assert!(messages(&path).iter().all(|line| line.starts_with("writer ") && line.len() == 209));

    let (layer, guard) = open();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        tracing::error!("old");
        assert!(guard.flush(Duration::from_mins(1)));
        fs::File::options().write(true).open(&path).unwrap().set_len(0).unwrap();
        tracing::error!("new");
    });
    drop(guard);
    assert_eq!(messages(&path), ["new"]);
}

#[test]
fn a_log_file_that_cannot_be_opened_is_named_with_the_way_out() {
    let dir = TempDir::new().unwrap();
    let refused = |path: &str| {
        logs::layer::<tracing_subscriber::Registry>(&settings(json!({ "log_file": path }))).err().unwrap()
    };

    let directory = refused(dir.path().to_str().unwrap());
    assert!(matches!(directory, LogError::Directory { .. }));
    assert!(directory.to_string().contains("create an empty file"), "{directory}");

    let missing = at(&dir, "nowhere/service.log");
    let error = refused(&missing);
    assert!(matches!(error, LogError::Open { .. }));
    assert!(
        error.to_string().contains(&missing) && error.to_string().contains("create the directory"),
        "{error}"
    );
}
