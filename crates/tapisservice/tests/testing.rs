//! What authors of services test with, tested.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::time::Duration;

use serde_json::json;
use tapisservice::client::ServiceClient;
use tapisservice::config::{Config, ConfigError};
use tapisservice::prelude::*;
use tapisservice::testing::{InjectedFault, TenantSpec, TestService, TestServiceBuilder};

/// Stations stand on systems, and ask for them on behalf of their users.
#[derive(Clone)]
struct Weather {
    systems: ServiceClient,
    unit: String,
}

#[derive(serde::Deserialize, JsonSchema)]
struct WeatherSettings {
    /// The unit of temperatures.
    #[serde(default = "celsius")]
    unit: String,
}

fn celsius() -> String {
    "celsius".to_owned()
}

impl TapisService for Weather {
    const PACKAGE: Package = Package::new("weather", "0.1.0", "");
    type Settings = WeatherSettings;

    fn routes() -> Routes<Self> {
        Routes::new()
            .route(Policy::public(), "/unit", axum::routing::get(show_unit))
            .route(
                Policy::authenticated(),
                "/stations/{system_id}",
                axum::routing::get(show_station).put(put_station),
            )
            .route(Policy::service_only(), "/for-services", axum::routing::get(show_caller))
            .route(Policy::authenticated(), "/caller", axum::routing::get(show_caller))
    }

    async fn start(startup: &mut Startup<WeatherSettings>) -> std::result::Result<Self, StartError> {
        Ok(Self { systems: startup.service_client()?, unit: startup.settings().unit.clone() })
    }

    fn check(config: &Config<WeatherSettings>) -> std::result::Result<(), ConfigError> {
        match config.settings().unit.as_str() {
            "" => Err(config.violation("unit", "expected a unit").into()),
            _ => Ok(()),
        }
    }
}

async fn show_unit(State(weather): State<Weather>) -> Envelope<String> {
    Envelope::new(weather.unit)
}

async fn show_caller(identity: Identity) -> Envelope<String> {
    Envelope::new(format!("{}@{}", identity.username(), identity.tenant_id()))
}

async fn show_station(
    g: RequestContext,
    State(weather): State<Weather>,
    Path(system_id): Path<String>,
) -> Result<Envelope<serde_json::Value>> {
    let call = weather.systems.on_behalf_of(&g)?.operation("systems", "getSystem");
    let call = call.arg("systemId", system_id).arg("select", "host");
    Ok(Envelope::new(call.send().await?.deserialize().await?))
}

async fn put_station(Path(system_id): Path<String>, Json(body): Json<serde_json::Value>) -> Envelope<String> {
    Envelope::new(format!("{system_id}: {body}"))
}

async fn start() -> TestService<Weather> {
    TestService::start().await
}

fn builder() -> TestServiceBuilder<Weather> {
    TestService::builder()
}

#[tokio::test]
async fn every_kind_of_caller_is_one_call_away() {
    let service = builder().site(|site| site.tenant(TenantSpec::new("guests", "tacc"))).start().await;
    service.anonymous().get("/unit").await.assert_ok();
    service.anonymous().get("/caller").await.assert_status(401);
    assert_eq!(service.bob().get("/caller").await.result(), "bob@tacc");
    let admin = service.tenant_admin("guests").get("/caller").await;
    assert_eq!(admin.assert_ok().result(), "admin@guests");
    service.alice().get("/for-services").await.assert_status(403);
    let jobs = service.service_account("jobs");
    let for_alice = jobs.clone().on_behalf_of("dev", "alice").get("/for-services").await;
    assert_eq!(for_alice.assert_ok().result(), "alice@dev");
    jobs.get("/for-services").await.assert_status(401);
    let expired = service.site().expired_token_for_user("tacc", "alice");
    service.anonymous().with_token(&expired).get("/stations/x").await.assert_status(401);
}

#[tokio::test]
async fn requests_have_bodies_and_headers_and_responses_are_read_whole() {
    let service = start().await;
    let bob = service.bob();
    let put =
        bob.put("/stations/roof").json(&json!({"height": 12})).header("X-Tapis-Tracking-ID", "x.y").await;
    assert_eq!((put.status().as_u16(), put.result()), (200, json!("roof: {\"height\":12}")));
    assert_eq!(put.header("content-type"), Some("application/json"));
    assert!(put.text().contains(&put.message()));
    let refused = bob.put("/stations/roof").header("Content-Type", "application/json").body("{").await;
    refused.assert_status(400);
}

#[tokio::test]
async fn settings_and_what_is_wrong_with_them() {
    let service = builder().setting("unit", "kelvin").start().await;
    assert_eq!(service.anonymous().get("/unit").await.result(), "kelvin");
    assert_eq!(service.config().settings().unit, "kelvin");
    let error = builder().setting("unit", "").try_start().await.unwrap_err();
    assert!(error.to_string().starts_with("/unit: expected a unit"), "{error}");
}

#[tokio::test]
async fn a_service_is_ready_stops_and_starts_again() {
    let mut service = start().await;
    service.until_ready().await;
    let (alice, before) = (service.alice(), service.address());
    alice.get("/unit").await.assert_ok();
    service.restart().await;
    assert_ne!(service.address(), before);
    alice.get("/unit").await.assert_ok();
    service.until_ready().await;
}

#[tokio::test]
async fn a_registry_that_fails_is_outlived() {
    let service = start().await;
    service.site().inject_fault("/v3/tenants", InjectedFault::Status(500));
    assert!(service.app().tenants().refresh().await.is_err());
    service.alice().get("/unit").await.assert_ok();
    // Nothing was read from the registry before this start.
    let mut service = service;
    service.restart().await;
    service.alice().get("/stations/x").await.assert_status(503);
    service.site().clear_faults();
    service.app().tenants().refresh().await.unwrap();
    service.alice().put("/stations/x").json(&json!(1)).await.assert_ok();
}

#[tokio::test]
async fn a_double_responds_by_its_rules_and_records_what_it_was_asked() {
    let service = start().await;
    let systems = service.double("systems").await;
    systems.when("getSystem").respond(json!({"host": "roof.example.org"}));
    systems.when("getSystem").arg("systemId", "cellar").respond_error(404, "There is no such system.");

    let alice = service.user("dev", "alice");
    assert_eq!(alice.get("/stations/a%20roof").await.assert_ok().result()["host"], "roof.example.org");
    let calls = systems.expect("getSystem", 1);
    let call = &calls[0];
    assert_eq!((call.method.as_str(), &*call.path), ("GET", "/v3/systems/a%20roof"));
    assert_eq!((&*call.args["systemId"], &*call.args["select"]), ("a roof", "host"));
    assert_eq!((&call.body, call.status.as_u16()), (&json!(null), 200));
    let caller = call.caller.as_ref().unwrap();
    assert_eq!((&*caller.tenant, &*caller.username), ("admin", "weather"));
    assert_eq!(caller.on_behalf_of, Some(("dev".to_owned(), "alice".to_owned())));

    systems.forget_calls();
    let cellar = service.alice().get("/stations/cellar").await;
    assert!(!cellar.status().is_success(), "{}", cellar.text());
    systems.expect("getSystem", 1);
    systems.expect("getSystems", 0);
}

#[tokio::test]
async fn an_operation_without_a_rule_is_a_501_that_names_it() {
    let service = start().await;
    let systems = service.double("systems").await;
    let url = service.site().url();
    let site = tapisservice::testing::TestClient::at(format!("{url}/v3/systems"));
    let message = "The double of systems has no response for getSystem.";
    site.get("/roof").await.assert_error(501, message);
    site.delete("/a/b/c").await.assert_error(404, "systems has no operation DELETE /v3/systems/a/b/c.");
    let told = panic_of(|| drop(systems.expect("getSystem", 2)));
    for part in [
        "expected 2 calls of getSystem, got 1.",
        "GET /v3/systems/roof (getSystem): 501",
        "(no operation): 404",
    ] {
        assert!(told.contains(part), "{told}");
    }
    let told = panic_of(|| drop(systems.expect("get_system", 1)));
    assert!(told.contains("did you mean \"getSystem\""), "{told}");
}

#[cfg(feature = "spec-files")]
#[tokio::test]
async fn a_double_can_have_any_openapi_file() {
    const NOTES: &str = r#"{"paths": {"/notes/{id}": {"get": {"operationId": "getNote"}}}}"#;
    let service = start().await;
    let notes = service.double_from_openapi("notes", NOTES).await;
    notes.when("getNote").arg("id", "7").respond("seven");
    let site = tapisservice::testing::TestClient::at(format!("{}/v3/notes", service.site().url()));
    assert_eq!(site.get("/7").await.assert_ok().result(), "seven");
}

#[tokio::test]
async fn assertions_show_the_response() {
    let service = start().await;
    let refused = service.anonymous().get("/caller").await;
    refused.assert_error(401, "No Tapis access token found in the request.");
    for told in [
        panic_of(|| _ = refused.assert_ok()),
        panic_of(|| _ = refused.assert_status(403)),
        panic_of(|| _ = refused.assert_error(401, "Go away.")),
    ] {
        assert!(told.contains("No Tapis access token found"), "{told}");
    }
}

#[tokio::test]
async fn two_services_share_nothing() {
    let (one, two) = tokio::join!(start(), start());
    assert_ne!(one.address(), two.address());
    assert_ne!(one.site().port(), two.site().port());
    one.site().inject_fault("/v3/weather", InjectedFault::Status(500));
    two.alice().get("/unit").await.assert_ok();
    drop(one);
    tokio::time::sleep(Duration::from_millis(50)).await;
    two.alice().get("/unit").await.assert_ok();
}

#[track_caller]
fn panic_of(run: impl FnOnce()) -> String {
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).unwrap_err();
    panic.downcast_ref::<String>().unwrap().clone()
}
