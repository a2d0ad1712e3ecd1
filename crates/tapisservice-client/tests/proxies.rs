//! No proxy that the environment names stands between a service and Tapis. Variables belong to a whole process, so each test runs
//! other tests of this file as a process of its own.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::Command;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use serde_json::{Value, json};
use tapisservice_client::transport::{LocalhostResolver, Transport, TransportSettings};
use tapisservice_client::{CallDestination, ClientSettings, ResourceClient, ServiceClient, TenantsApi};
use tapisservice_core::{TenantId, Username};
use tapisservice_devsite::DevSite;
use tapisservice_tenants::{TenantCache, TenantSource as _};
use tokio::net::TcpListener;

/// Nobody listens there.
const DEAD: &str = "http://127.0.0.1:1";
const FOR_HTTP: [&str; 4] = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
const FOR_HTTPS: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

/// Runs tests of this file with one variable naming a proxy that does not answer.
fn run(variable: &str, tests: &[&str]) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "--ignored"]).args(tests);
    for other in FOR_HTTP.iter().chain(&FOR_HTTPS).chain(&["NO_PROXY", "no_proxy", "REQUEST_METHOD"]) {
        command.env_remove(other);
    }
    let output = command.env(variable, DEAD).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    let passed = format!("{} passed", tests.len());
    assert!(output.status.success() && told.contains(&passed), "{variable}: {told}");
}

#[test]
fn no_call_goes_through_a_proxy_of_the_environment() {
    for variable in FOR_HTTP {
        run(variable, &["inside::a_client_of_reqwest_asks_the_proxy", "inside::every_call_arrives"]);
    }
}

#[test]
fn no_call_over_tls_goes_through_a_proxy_of_the_environment() {
    for variable in FOR_HTTPS {
        let tests =
            ["inside::a_client_of_reqwest_asks_the_proxy_over_tls", "inside::every_call_over_tls_arrives"];
        run(variable, &tests);
    }
}

mod inside {
    use super::*;

    #[expect(clippy::disallowed_methods, reason = "shows that the variables are heeded")]
    async fn is_refused(url: String) -> bool {
        let client = reqwest::Client::builder().timeout(Duration::from_secs(10)).build().unwrap();
        let error = client.get(url).send().await.unwrap_err();
        error.is_connect() && !error.is_timeout()
    }

    async fn upstream() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().fallback(get(|| async { axum::Json(json!({"result": "arrived"})) }));
        tokio::spawn(async { axum::serve(listener, app).await });
        url
    }

    fn transport() -> Transport {
        let mut settings = TransportSettings::default();
        settings.client_retries = 0;
        Transport::builder(&settings).http(|http| http.dns_resolver(LocalhostResolver)).build().unwrap()
    }

    #[tokio::test]
    #[ignore = "runs in a process of its own, with other variables"]
    async fn a_client_of_reqwest_asks_the_proxy() {
        let url = upstream().await;
        assert!(is_refused(url).await, "the test is for nothing");
    }

    #[tokio::test]
    #[ignore = "runs in a process of its own, with other variables"]
    async fn every_call_arrives() {
        let site = DevSite::builder().server("dev").user("alice", "wonderland").start().await.unwrap();
        // The registry.
        let settings = ClientSettings::new(site.primary_site_admin_tenant_base_url());
        let api = TenantsApi::new(&settings).unwrap();
        assert!(!api.fetch().await.unwrap().tenants.is_empty());
        // A call, through the site's router to a service behind it. A change of the client cannot bring proxies back.
        site.route_to("files", &upstream().await).unwrap();
        let dead = || reqwest::Proxy::all(DEAD).unwrap();
        let changed =
            Transport::builder(&TransportSettings::default()).http(|http| http.proxy(dead())).build();
        for transport in [transport(), changed.unwrap()] {
            let destination = CallDestination::new(&site.url(), "tacc", "files").unwrap();
            let response =
                ResourceClient::new(&transport, destination, None).get("/v3/files/x").send().await.unwrap();
            assert_eq!(response.deserialize::<String>().await.unwrap(), "arrived");
        }
        // A service, which gets a token first.
        let config = serde_json::from_value(site.config_json("bookmarks").unwrap()).unwrap();
        let tenants = TenantCache::builder(api).build();
        tenants.refresh().await.unwrap();
        let service = ServiceClient::builder(config, tenants).transport(transport()).build().unwrap();
        let alice = (TenantId::new("tacc").unwrap(), Username::new("alice").unwrap());
        let session = service.on_behalf_of_user(alice.0, alice.1).unwrap();
        let call = session.operation("systems", "getSystems");
        assert!(call.send().await.unwrap().deserialize::<Value>().await.unwrap().is_array());
        assert_eq!(site.request_count("POST /v3/tokens"), 1);
    }

    /// A port that takes connections, and the base URL that leads there.
    async fn listener() -> (TcpListener, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        (listener, url)
    }

    #[tokio::test]
    #[ignore = "runs in a process of its own, with other variables"]
    async fn a_client_of_reqwest_asks_the_proxy_over_tls() {
        let (_listener, url) = listener().await;
        assert!(is_refused(url).await, "the test is for nothing");
    }

    #[tokio::test]
    #[ignore = "runs in a process of its own, with other variables"]
    async fn every_call_over_tls_arrives() {
        // TLS is not spoken there: that somebody connects is what counts.
        let (listener, url) = listener().await;
        let api = TenantsApi::new(&ClientSettings::new(&url)).unwrap();
        tokio::select! {
            arrived = listener.accept() => drop(arrived.unwrap()),
            outcome = api.fetch() => panic!("{:?}", outcome.map(|_| ())),
        }
        let caller =
            ResourceClient::new(&transport(), CallDestination::new(&url, "tacc", "files").unwrap(), None);
        tokio::select! {
            arrived = listener.accept() => drop(arrived.unwrap()),
            outcome = caller.get("/v3/files/x").send() => panic!("{outcome:?}"),
        }
    }
}
