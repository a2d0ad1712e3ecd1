use serde_json::json;

use crate::fake::Fake;
use crate::helpers::{SYSTEMS, TOKENS, expired, site, with};

#[tokio::test]
async fn generated_code_makes_signed_in_calls_that_renew_their_token() {
    let site = site().await;
    let tapis = with(&site, expired(&site)).await;
    let sdk = tapis.sdk_configuration("systems");
    let request = sdk.client.get(format!("{}/v3/systems", sdk.base_path));
    let body: serde_json::Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(body["result"][0]["id"], "alice-private");
    assert_eq!((site.request_count(TOKENS), site.request_count(SYSTEMS)), (1, 1));
}

#[tokio::test]
async fn the_version_that_generated_paths_lack_is_added() {
    let fake = Fake::responding([(200, json!({})), (200, json!({}))]).await;
    let tapis = fake.builder().access_token("canary").await.unwrap();
    let sdk = tapis.sdk_configuration("jobs");
    sdk.client.get(format!("{}/jobs/list?limit=1", sdk.base_path)).send().await.unwrap();
    sdk.client.get(format!("{}/v3/jobs/list", sdk.base_path)).send().await.unwrap();
    let asked: Vec<_> = fake.asked().into_iter().map(|asked| asked.request).collect();
    assert_eq!(asked, ["GET /v3/jobs/list?limit=1", "GET /v3/jobs/list"]);
}

#[tokio::test]
async fn the_token_goes_nowhere_else() {
    let (fake, other) = (Fake::responding([]).await, Fake::responding([]).await);
    let tapis = fake.builder().access_token("canary").await.unwrap();
    let outcome = tapis.sdk_configuration("jobs").client.get(format!("{}/v3/jobs", other.url)).send().await;
    assert!(outcome.is_err() && other.asked().is_empty());
}
