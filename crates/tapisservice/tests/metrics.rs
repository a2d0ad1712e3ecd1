//! The metrics of a running service (rule D7). A binary of its own: a process has one recorder.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use serde_json::json;
use tapisservice::prelude::*;
use tapisservice::serve::Server;
use tapisservice::{App, Settings, count_panic, logs};
use tapisservice_db::{Database, DatabaseSettings};
use tapisservice_devsite::DevSite;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

async fn get(address: SocketAddr, path: &str) -> String {
    let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    socket.read_to_string(&mut response).await.unwrap();
    response
}

async fn panics() -> Envelope<()> {
    panic!("canary")
}

async fn task_panics() -> Envelope<()> {
    let ended = tokio::spawn(async { panic!("canary") }).await;
    assert!(ended.is_err_and(|error| error.is_panic()));
    Envelope::new(())
}

/// What a metric is, by its name: its type and its labels.
type Metrics = BTreeMap<String, (String, BTreeSet<String>)>;

/// The table of `docs/OPERATIONS.md`.
fn documented() -> Metrics {
    let page = include_str!("../../../docs/OPERATIONS.md");
    let (_, table) = page.split_once("| metric | type | labels | value |\n|---|---|---|---|\n").unwrap();
    let rows = table.lines().take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let labels = cells[3].split(',').map(|label| label.trim().trim_matches('`').to_owned());
        let labels = labels.filter(|label| !label.is_empty()).collect();
        (cells[1].trim_matches('`').to_owned(), (cells[2].to_owned(), labels))
    })
    .collect()
}

/// The metrics of a page, each of which has a `HELP`.
fn scraped(page: &str) -> Metrics {
    let mut metrics = Metrics::new();
    let mut described = BTreeSet::new();
    for line in page.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, text) = help.split_once(' ').unwrap();
            assert!(text.ends_with('.'), "{line}");
            described.insert(name.to_owned());
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').unwrap();
            metrics.insert(name.to_owned(), (kind.to_owned(), BTreeSet::new()));
        } else if let Some((name, labels)) =
            line.rsplit_once('}').and_then(|(sample, _)| sample.split_once('{'))
        {
            let name = ["_bucket", "_sum", "_count"]
                .iter()
                .find_map(|end| name.strip_suffix(end))
                .filter(|name| metrics.contains_key(*name))
                .unwrap_or(name);
            let names = labels.split("\",").map(|label| label.split_once('=').unwrap().0.to_owned());
            metrics.get_mut(name).unwrap().1.extend(names.filter(|label| label != "le"));
        }
    }
    assert_eq!(described, metrics.keys().cloned().collect());
    metrics
}

#[tokio::test]
async fn the_page_has_the_documented_metrics_with_their_help_on_a_port_of_its_own() {
    let site = DevSite::builder().server("dev").start().await.unwrap();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut values = site.config_json("demo").unwrap();
    values["metrics_listen"] = free.to_string().into();
    values["tenants"] = json!(["tacc", "dev"]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.json");
    std::fs::write(&path, values.to_string()).unwrap();
    let config =
        Settings::loader().environment([("TAPIS_CONFIG_PATH", path.to_str().unwrap())]).load().unwrap();
    let settings = Settings::from_config(&config).unwrap();

    let routes = Routes::new().route(Policy::public(), "/panics", axum::routing::get(panics)).route(
        Policy::public(),
        "/task-panics",
        axum::routing::get(task_panics),
    );
    let database = Database::connect_lazy(&DatabaseSettings::new("sqlite::memory:")).unwrap();
    let hour = Schedule::every(Duration::from_hours(1));
    let mut app = App::builder(settings)
        .routes(routes)
        .on_scrape(move || database.record_metrics())
        .background(BackgroundTask::new("purge", hour, async |_| Ok(())))
        .background(BackgroundTask::new("import", hour, async |_| Err(Error::dao("canary"))))
        .background(BackgroundTask::new("consumer", Schedule::once(), async |task: TaskContext| {
            task.shutdown().draining().await;
            Ok(())
        }));
    let tapis = app.service_client().unwrap();
    let app = app.build().unwrap();
    app.tenants().refresh().await.unwrap();
    let shutdown = app.shutdown().clone();
    let server = Server::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = server.local_addr();
    let running = tokio::spawn(app.serve(server));

    let ready = async {
        while !get(address, "/v3/demo/ready").await.starts_with("HTTP/1.1 200") {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), ready).await.unwrap();
    // As `run` does: each panic is counted where it happens, once, and whether or not it ends its request.
    logs::set_panic_hook(count_panic);
    for path in ["/v3/demo/hello", "/v3/demo/nothing", "/v3/demo/panics", "/v3/demo/task-panics"] {
        get(address, path).await;
    }
    // From here on a failing assertion should be seen.
    drop(std::panic::take_hook());
    assert!(get(address, "/metrics").await.starts_with("HTTP/1.1 404"), "the public port has none");

    let missing =
        tapis.as_service().operation("systems", "getSystem").arg("systemId", "nothing").send().await;
    assert!(missing.is_err());

    let metrics = get(free, "/metrics").await;
    assert_eq!(scraped(&metrics), documented(), "{metrics}");
    let expected = [
        "http_server_request_duration_seconds_count{http_request_method=\"GET\",url_scheme=\"http\",\
         http_response_status_code=\"404\",network_protocol_version=\"1.1\"} 2",
        "http_server_request_duration_seconds_count{http_request_method=\"GET\",url_scheme=\"http\",http_route=\"/v3/demo/panics\",\
         http_response_status_code=\"500\",error_type=\"500\",network_protocol_version=\"1.1\"} 1",
        "http_route=\"/v3/demo/hello\",http_response_status_code=\"200\",network_protocol_version=\"1.1\",le=\"0.005\"}",
        "http_server_active_requests{http_request_method=\"GET\",url_scheme=\"http\"} 0",
        "http_client_request_duration_seconds_count{http_request_method=\"GET\",server_address=\"localhost\"",
        "http_response_status_code=\"404\",network_protocol_version=\"1.1\",error_type=\"404\"}",
        "db_client_connection_max{db_client_connection_pool_name=\"sql\"} ",
        "tapisservice_panics_total 2",
        "tapisservice_tenants 5",
        "tapisservice_served_tenant_info{tenant=\"tacc\"} 1",
        "tapisservice_served_tenant_info{tenant=\"dev\"} 1",
        "tapisservice_registry_up 1",
        "tapisservice_service_token_remaining_seconds{site=\"tacc\"}",
        "tapisservice_background_task_runs_total{task=\"purge\",outcome=\"success\"} 1",
        "tapisservice_background_task_runs_total{task=\"purge\",outcome=\"panic\"} 0",
        "tapisservice_background_task_runs_total{task=\"import\",outcome=\"error\"} 1",
        "tapisservice_background_task_run_duration_seconds_bucket{task=\"purge\",le=\"3600\"} 1",
        "tapisservice_background_task_last_success_timestamp_seconds{task=\"purge\"} 1",
        "tapisservice_background_task_last_success_timestamp_seconds{task=\"import\"} 0",
        "tapisservice_background_task_running{task=\"consumer\"} 1",
        "tapisservice_background_task_running{task=\"purge\"} 0",
        "tapisservice_circuit_breaker_open{site=\"tacc\",service=\"systems\"} 0",
    ];
    for line in expected {
        assert!(metrics.contains(line), "{line} in {metrics}");
    }
    assert!(!metrics.contains("canary") && !metrics.contains("tenant=\"*\""));
    shutdown.trigger();
    running.abort();
}
