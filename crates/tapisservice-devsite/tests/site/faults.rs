use std::time::{Duration, Instant};

use tapisservice_devsite::{DevSite, InjectedFault};

use crate::helpers::{envelope, get, http, site};

fn sites(site: &DevSite) -> String {
    format!("{}/v3/sites", site.url())
}

#[tokio::test]
async fn a_fault_spoils_answers_until_it_is_cleared() {
    let site = site().await;
    site.inject_fault("/v3/sites", InjectedFault::Status(500));
    envelope(get(sites(&site)).await, 500).await;
    envelope(get(format!("{}/uh", sites(&site))).await, 500).await;
    envelope(get(format!("{}/v3/tenants", site.url())).await, 200).await;
    site.clear_faults();
    envelope(get(sites(&site)).await, 200).await;
}

#[tokio::test]
async fn a_fault_can_be_for_one_method_and_some_requests() {
    let site = site().await;
    site.inject_fault("PUT /v3/sites", InjectedFault::Status(500));
    envelope(get(sites(&site)).await, 200).await;
    site.inject_fault_times("GET /v3/sites", InjectedFault::Status(503), 2);
    for status in [503, 503, 200] {
        envelope(get(sites(&site)).await, status).await;
    }
}

#[tokio::test]
async fn garbage_is_served_as_asked() {
    let site = site().await;
    site.inject_fault("/v3/sites", InjectedFault::Html);
    let res = get(sites(&site)).await;
    assert_eq!((res.status().as_u16(), &res.headers()["content-type"]), (200, &"text/html".parse().unwrap()));

    let content_type = "application/json".to_owned();
    site.inject_fault("/v3/sites", InjectedFault::Response { status: 200, content_type, body: "[1,".into() });
    assert_eq!(get(sites(&site)).await.text().await.unwrap(), "[1,");

    site.inject_fault("/v3/sites", InjectedFault::Redirect("/v3/tenants".into()));
    assert!(get(sites(&site)).await.url().path() == "/v3/tenants");
}

#[tokio::test]
async fn connections_break_as_asked() {
    let site = site().await;
    site.inject_fault("/v3/sites", InjectedFault::Disconnect);
    assert!(http().get(sites(&site)).send().await.is_err());
    site.inject_fault("/v3/sites", InjectedFault::Truncated);
    let res = get(sites(&site)).await;
    assert_eq!(res.status().as_u16(), 200);
    assert!(res.bytes().await.is_err());
}

#[tokio::test]
async fn answers_are_slow_or_never_come_as_asked() {
    let site = site().await;
    let (begun, delay) = (Instant::now(), Duration::from_millis(50));
    site.inject_fault("/v3/sites", InjectedFault::Slow(delay));
    envelope(get(sites(&site)).await, 200).await;
    assert!(begun.elapsed() >= delay);

    site.inject_fault("/v3/sites/hello", InjectedFault::Drip(Duration::from_micros(1)));
    envelope(get(format!("{}/hello", sites(&site))).await, 200).await;

    site.inject_fault("/v3/sites", InjectedFault::Hang);
    let hanging = http().get(sites(&site)).timeout(Duration::from_millis(200)).send().await;
    assert!(hanging.unwrap_err().is_timeout());
}

#[tokio::test]
async fn requests_are_counted_spoiled_or_not() {
    let site = site().await;
    let _ = get(format!("{}?limit=1", sites(&site))).await;
    site.inject_fault("/v3/sites", InjectedFault::Status(500));
    let _ = get(sites(&site)).await;
    assert_eq!((site.request_count("GET /v3/sites"), site.request_count("GET /v3/tenants")), (2, 0));
    assert_eq!(site.request_counts().len(), 1);
    site.reset_request_counts();
    assert_eq!(site.request_count("GET /v3/sites"), 0);
}
