//! No proxy that the environment names stands between a user and Tapis. Variables belong to a whole process, so the test runs another test
//! of this file as a process of its own.

use std::process::Command;

use serde_json::Value;
use tapisservice_devsite::DevSite;
use tapisservice_user::UserClient;

/// Nobody listens there.
const DEAD: &str = "http://127.0.0.1:1";
const PROXIES: [&str; 4] = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];

#[test]
fn no_log_in_and_no_call_goes_through_a_proxy_of_the_environment() {
    for variable in PROXIES {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "--ignored", "a_log_in_and_a_call_arrive"]);
        for other in PROXIES.iter().chain(&["NO_PROXY", "no_proxy", "REQUEST_METHOD"]) {
            command.env_remove(other);
        }
        let output = command.env(variable, DEAD).output().unwrap();
        let told = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && told.contains("1 passed"), "{variable}: {told}");
    }
}

#[tokio::test]
#[ignore = "runs in a process of its own, with other variables"]
async fn a_log_in_and_a_call_arrive() {
    let site = DevSite::builder().server("dev").user("alice", "wonderland").start().await.unwrap();
    let url = site.tenant_url("tacc").unwrap();
    let alice = UserClient::builder(url).password("alice", "wonderland").await.unwrap();
    let call = alice.operation("systems", "getSystems");
    assert!(call.send().await.unwrap().deserialize::<Value>().await.unwrap().is_array());
}
