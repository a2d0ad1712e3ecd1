//! `bookmarks` alone: the service with a site of its own, from any folder.
#![cfg(all(feature = "devsite", unix))]

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tapisservice::testing::TestClient;

/// The process, and what it said one can do.
struct Local {
    process: Child,
    client: TestClient,
}

impl Local {
    fn start(command: &mut Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
        let curl = said.into_iter().find(|line| line.starts_with("curl ")).expect("it prints a curl line");
        let parts: Vec<_> = curl.split('\'').collect();
        let token = parts[1].strip_prefix("X-Tapis-Token: ").unwrap();
        let url = parts[3].split("/whoami").next().unwrap();
        Self { process, client: TestClient::at(url).with_token(token) }
    }

    fn stop(mut self) -> ExitStatus {
        assert!(Command::new("kill").arg(self.process.id().to_string()).status().unwrap().success());
        self.process.wait().unwrap()
    }
}

fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bookmarks"));
    command.env_clear().env("TAPIS_LISTEN", "127.0.0.1:0").env("TAPIS_DEVSITE_PORT", "0").current_dir(folder);
    command
}

#[tokio::test]
async fn what_it_prints_works_and_is_kept_until_the_next_time() {
    let folder = tempfile::tempdir().unwrap();
    let first = Local::start(&mut command(folder.path()));
    assert_eq!(first.client.get("/whoami").await.result()["request_username"], "alice");
    let body = json!({"name": "results", "system_id": "workstation", "path": "/work"});
    first.client.post("").json(&body).await.assert_status(201);
    assert_eq!(first.stop().code(), Some(0));

    let second = Local::start(&mut command(folder.path()));
    let listed = second.client.get("").await;
    assert_eq!(listed.result()[0]["name"], "results");
    assert_eq!(second.stop().code(), Some(0));
}

#[tokio::test]
async fn with_its_ports_taken_the_first_command_moves_on() {
    let folder = tempfile::tempdir().unwrap();
    let taken = [TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap()];
    let [service, site] = taken.each_ref().map(|taken| taken.local_addr().unwrap());
    let mut config = local_config();
    config["listen"] = json!(service.to_string());
    config["devsite_port"] = json!(site.port().min(65_531));
    std::fs::write(folder.path().join("config-local.json"), config.to_string()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_bookmarks"));
    command.env_clear().current_dir(folder.path()).stderr(Stdio::piped());
    let mut local = Local::start(&mut command);
    let stderr = local.process.stderr.take().unwrap();
    assert_eq!(local.client.get("/whoami").await.result()["request_username"], "alice");
    assert!(!local.client.url("").contains(&format!(":{}/", site.port())), "{}", local.client.url(""));
    let told = BufReader::new(stderr).lines().next().unwrap().unwrap();
    let start = format!("{service} is in use: listening on ");
    let moved = told.strip_prefix(&start).and_then(|rest| rest.strip_suffix(" instead")).expect("it says so");
    TestClient::at(format!("http://{moved}/v3/bookmarks")).get("/hello").await.assert_ok();
    assert_eq!(local.stop().code(), Some(0));
}

#[test]
fn an_address_that_was_configured_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut config = local_config();
    config["listen"] = json!(address);
    config["devsite_port"] = json!(0);
    for name in ["config-local.json", "config.json"] {
        std::fs::write(folder.path().join(name), config.to_string()).unwrap();
    }
    let with = |name: &str, text: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bookmarks"));
        command.env_clear().current_dir(folder.path()).env(name, text).output().unwrap()
    };
    // A file that was named, a variable, and production, whoever said it.
    let file = with("TAPIS_CONFIG_PATH", "config.json");
    let variable = with("TAPIS_LISTEN", &address);
    config["server"] = json!("prod");
    config["devsite"] = json!(false);
    std::fs::write(folder.path().join("config-local.json"), config.to_string()).unwrap();
    let production = with("TAPIS_SQL_DB_URL", "sqlite::memory:");
    for output in [file, variable, production] {
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), told.lines().count()), (Some(78), 1), "{told}");
        assert!(told.contains(&address) && told.contains("`listen`"), "{told}");
    }
}

fn local_config() -> Value {
    serde_json::from_str(include_str!("../../../../config-local.json")).unwrap()
}

/// As on a machine behind an institute's proxy: whoever is asked through the variables is not there.
#[tokio::test]
async fn it_works_whatever_proxy_the_environment_names() {
    const PROXY: &str = "http://127.0.0.1:1";
    let folder = tempfile::tempdir().unwrap();
    let mut command = command(folder.path());
    for variable in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        command.env(variable, PROXY);
    }
    let local = Local::start(&mut command);
    let start = Instant::now();
    while local.client.get("/ready").await.status() != 200 {
        assert!(start.elapsed() < Duration::from_mins(1), "it is not ready");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(local.client.get("/whoami").await.result()["request_username"], "alice");
    assert_eq!(local.stop().code(), Some(0));
}

#[test]
fn a_port_that_is_taken_is_named_with_what_to_change() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let port = address.port().to_string();
    let service = command(folder.path()).env("TAPIS_LISTEN", address.to_string()).output().unwrap();
    let site = command(folder.path()).env("TAPIS_DEVSITE_PORT", &port).output().unwrap();
    for (output, key) in [(service, "`listen`"), (site, "TAPIS_DEVSITE_PORT")] {
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), told.lines().count()), (Some(78), 1), "{told}");
        assert!(told.contains(&port) && told.contains(key), "{told}");
    }
}

#[test]
fn the_site_starts_for_development_only() {
    let folder = tempfile::tempdir().unwrap();
    let output = command(folder.path()).env("TAPIS_SERVER", "prod").output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(78), "{told}");
    assert!(told.contains("starts only where `server` is \"dev\""), "{told}");
}
