//! The figures for Prometheus, of a running service (rule D7). A binary of its own: there is one recorder a process.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use serde_json::json;
use tapisservice::prelude::*;
use tapisservice::serve::Server;
use tapisservice::{App, Settings, logs};
use tapisservice_devsite::DevSite;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

async fn get(address: SocketAddr, path: &str) -> String {
    let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    answer
}

async fn panics() -> Envelope<()> {
    panic!("canary")
}

async fn task_panics() -> Envelope<()> {
    let ended = tokio::spawn(async { panic!("canary") }).await;
    assert!(ended.is_err_and(|error| error.is_panic()));
    Envelope::new(())
}

#[tokio::test]
async fn requests_connections_tenants_and_tokens_are_counted_on_a_port_of_their_own() {
    let site = DevSite::builder().server("dev").start().await.unwrap();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut values = site.config_json("demo").unwrap();
    values["metrics_listen"] = free.to_string().into();
    values["tenants"] = json!(["tacc", "dev"]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.json");
    std::fs::write(&path, values.to_string()).unwrap();
    let config =
        Config::loader().environment([("TAPIS_CONFIG_PATH", path.to_str().unwrap())]).load().unwrap();
    let settings = Settings::from_config(&config).unwrap();

    let routes = Routes::new().route(Policy::public(), "/panics", axum::routing::get(panics)).route(
        Policy::public(),
        "/task-panics",
        axum::routing::get(task_panics),
    );
    let mut app = App::builder(settings).routes(routes);
    app.service_client().unwrap();
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
    for path in ["/v3/demo/hello", "/v3/demo/nothing", "/v3/demo/panics"] {
        get(address, path).await;
    }
    assert!(get(address, "/metrics").await.starts_with("HTTP/1.1 404"), "the public port has none");

    let metrics = get(free, "/metrics").await;
    let expected = [
        "tapisservice_requests_total{method=\"GET\",status=\"404\"} 2",
        "tapisservice_requests_total{method=\"GET\",status=\"500\"} 1",
        "tapisservice_panics_total 1",
        "tapisservice_request_seconds_bucket{method=\"GET\",le=\"0.5\"}",
        "tapisservice_connections_accepted_total",
        "tapisservice_tenants 5",
        "tapisservice_tenant_served{tenant=\"tacc\"} 1",
        "tapisservice_tenant_served{tenant=\"dev\"} 1",
        "tapisservice_registry_up 1",
        "tapisservice_tasks ",
        "tapisservice_token_usable_seconds{site=\"tacc\"}",
    ];
    for line in expected {
        assert!(metrics.contains(line), "{line} in {metrics}");
    }
    assert!(!metrics.contains("canary") && !metrics.contains("tenant=\"*\""));

    // With the panic hook each panic is counted where it happens: once, and whether or not it ends its request.
    let log = folder.path().join("service.log");
    let _guard = logs::init(&serde_json::from_value(json!({"log_file": log})).unwrap()).unwrap();
    for path in ["/v3/demo/panics", "/v3/demo/task-panics"] {
        get(address, path).await;
    }
    let metrics = get(free, "/metrics").await;
    drop(std::panic::take_hook());
    assert!(metrics.contains("tapisservice_panics_total 3"), "{metrics}");
    shutdown.trigger();
    running.abort();
}
