//! The service on a site, as its callers meet it.

use serde_json::{Value, json};
use tapisservice::testing::TestService;
use weather::Weather;

fn harbour() -> Value {
    json!({"name": "harbour", "latitude": 27.8, "longitude": -97.4, "system_id": "workstation"})
}

async fn station(service: &TestService<Weather>) -> String {
    let made = service.alice().post("/stations").json(&harbour()).await;
    made.assert_status(201).result()["station_id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn a_station_is_created_read_replaced_and_deleted() {
    let service = TestService::<Weather>::start().await;
    let id = station(&service).await;
    let alice = service.alice();
    assert_eq!(alice.get(&format!("/stations/{id}")).await.assert_ok().result()["name"], "harbour");
    alice.post("/stations").json(&harbour()).await.assert_status(409);

    let mut moved = harbour();
    moved["latitude"] = json!(27.9);
    let replaced = alice.put(&format!("/stations/{id}")).json(&moved).await;
    assert_eq!(replaced.assert_ok().result()["latitude"], 27.9);
    alice.delete(&format!("/stations/{id}")).await.assert_ok();
    alice.put(&format!("/stations/{id}")).json(&moved).await.assert_status(404);
    alice
        .get("/stations/harbour")
        .await
        .assert_error(400, "Invalid path parameter \"station_id\": expected a UUID.");
}

#[tokio::test]
async fn a_station_belongs_to_its_tenant() {
    let service = TestService::<Weather>::start().await;
    let id = station(&service).await;
    let stranger = service.user("dev", "alice");
    stranger.get(&format!("/stations/{id}")).await.assert_status(404);
    assert_eq!(stranger.get("/stations").await.metadata()["recordCount"], 0);
    let list = service.bob().get("/stations?limit=1&pretty=true").await;
    assert_eq!(list.assert_ok().metadata()["recordCount"], 1);
    service
        .bob()
        .get("/stations?limit=ten")
        .await
        .assert_error(400, "Invalid query parameter \"limit\": expected a whole number from 0 to 1000.");
}

#[tokio::test]
async fn a_station_is_where_the_earth_is_and_its_data_where_the_user_sees_it() {
    let service = TestService::<Weather>::start().await;
    for (field, value, expected) in [
        ("latitude", json!(91), "a number from -90 to 90"),
        ("latitude", json!("north"), "a number"),
        ("name", json!(""), "1 to 80 characters"),
        ("system_id", json!("nowhere"), "a system that you can see"),
    ] {
        let mut body = harbour();
        body[field] = value;
        let message = format!("Invalid value at \"/{field}\": expected {expected}.");
        service.alice().post("/stations").json(&body).await.assert_error(400, &message);
    }
}

#[tokio::test]
async fn observations_are_taken_line_by_line() {
    let service = TestService::<Weather>::start().await;
    let observations = format!("/stations/{}/observations", station(&service).await);
    let alice = service.alice();
    let line = |n| format!("2026-11-28T12:{:02}:{:02}Z,{n}", n / 60, n % 60);
    let csv = (0..1200).map(line).collect::<Vec<_>>().join("\n");
    assert_eq!(alice.post(&observations).body(csv).await.assert_ok().result(), 1200);
    let latest = alice.get(&observations).await.assert_ok().result();
    assert_eq!((&latest[0]["celsius"], latest.as_array().map(Vec::len)), (&1199.0.into(), Some(1000)));
    let told = "Line 2: expected a time and degrees Celsius, such as 2026-11-28T12:00:00Z,21.5.";
    alice.post(&observations).body("2026-11-28T12:00:00Z,1\nwarm\n").await.assert_error(400, told);
}

#[tokio::test]
async fn what_the_service_does_needs_no_token() {
    let service = TestService::<Weather>::start().await;
    assert_eq!(service.anonymous().get("/about").await.assert_ok().result()["keep_days"], 30);
    service.anonymous().get("/stations").await.assert_status(401);
}
