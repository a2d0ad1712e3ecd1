//! The service with a site of its own, as `cargo run` starts it: the site's keys and log-ins are secrets, too.

use std::process::Child;
use std::time::{Duration, Instant};

use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};

use crate::canary::Canaries;
use crate::drive::client;
use crate::evidence::Evidence;
use crate::process::{command, holds_secrets};
use crate::text::{CLIENT_KEY, SERVICE_PASSWORD, WRONG_PASSWORD};

const TIMEOUT: Duration = Duration::from_mins(1);

/// Serves, is logged in at, and stops. The command line that it prints holds a token on purpose, once.
pub(crate) async fn serve(canaries: &mut Canaries, evidence: &mut Evidence) {
    let folder = tempfile::tempdir().unwrap();
    let output = |name: &str| std::fs::File::create(folder.path().join(name)).unwrap();
    let mut command = command(folder.path(), &settings());
    let process = command.stdout(output("printed")).stderr(output("stderr")).spawn().unwrap();
    let process = Running(process);
    let printed = folder.path().join("printed");
    let (curl, rest) = command_line(&printed).await;
    let parts: Vec<_> = curl.split('\'').collect();
    let (token, url) = (parts[1].strip_prefix("X-Tapis-Token: ").unwrap(), parts[3]);
    canaries.add_token("the token that is printed once", token);
    let base = url.split("/v3/").next().unwrap();
    let client = client();

    for (status, request) in log_ins(&client, base) {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), status, "{:?}", response.url());
        if status == 201 {
            // These are for whoever logged in: they are read, not searched, and searched for in all the rest.
            let result = response.json::<Value>().await.unwrap()["result"].take();
            for kind in ["access_token", "refresh_token"] {
                if let Some(token) = result[kind][kind].as_str() {
                    canaries.add_token(&format!("the {kind} of a user who logged in"), token);
                }
            }
        } else {
            evidence.record_response("a log-in", response).await;
        }
    }
    let who = client.get(url).header("X-Tapis-Token", token).send().await.unwrap();
    assert_eq!(evidence.record_response("whoami", who).await, 200);
    process.stop();

    let keys = folder.path().join(".tapis").join("devsite");
    for entry in std::fs::read_dir(keys).unwrap().map(Result::unwrap) {
        let text = std::fs::read_to_string(entry.path()).unwrap_or_default();
        if text.contains("PRIVATE KEY") {
            canaries.add_key(&format!("the key {}", entry.file_name().display()), &text);
        }
    }
    let printed = std::fs::read_to_string(printed).unwrap();
    assert_eq!(printed.matches(token).count(), 1, "the token is printed once");
    evidence.output("what is printed but for the command line", &printed.replace(&curl, ""));
    assert!(!rest.is_empty());
    evidence.files(folder.path(), |name| holds_secrets(name) || [".tapis", "printed"].contains(&name));
}

fn settings() -> Value {
    let mut values: Value = serde_json::from_str(include_str!("../../../../config-local.json")).unwrap();
    values["service_password"] = json!(SERVICE_PASSWORD);
    values["listen"] = json!("127.0.0.1:0");
    values["devsite_port"] = json!(0);
    values["log_level"] = json!("TRACE");
    values["hyper_log_level"] = json!("TRACE");
    values
}

/// The line that works as it stands, and what is printed besides.
async fn command_line(printed: &std::path::Path) -> (String, String) {
    let start = Instant::now();
    loop {
        let text = std::fs::read_to_string(printed).unwrap();
        if let Some(line) = text.lines().find(|line| line.starts_with("curl ") && line.ends_with('\'')) {
            return (line.to_owned(), text.replace(line, ""));
        }
        assert!(start.elapsed() < TIMEOUT, "it prints no command line");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn log_ins(client: &Client, base: &str) -> Vec<(u16, RequestBuilder)> {
    let url = format!("{base}/v3/oauth2/tokens");
    let log_in =
        |password: &str| json!({"grant_type": "password", "username": "alice", "password": password});
    let post = |body: Value| client.post(&url).json(&body);
    vec![
        (201, post(log_in("secret"))),
        (401, post(log_in(WRONG_PASSWORD))),
        (401, post(log_in("secret")).basic_auth("devsite-client", Some(CLIENT_KEY))),
        (400, post(json!({"grant_type": WRONG_PASSWORD, "username": [WRONG_PASSWORD]}))),
        (401, post(json!({"grant_type": "refresh_token", "refresh_token": WRONG_PASSWORD}))),
    ]
}

struct Running(Child);

impl Running {
    fn stop(mut self) {
        assert!(std::process::Command::new("kill").arg(self.0.id().to_string()).status().unwrap().success());
        assert_eq!(self.0.wait().unwrap().code(), Some(0));
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
