//! Alive and ready (rule D4, F01 and F18).

use std::time::Duration;

use serde_json::json;
use tapisservice::prelude::*;
use tapisservice::{App, ReadyCheck};
use tapisservice_devsite::{DevSite, InjectedFault};

use crate::helpers::{Running, settings, start};

#[tokio::test]
async fn ready_names_what_is_missing_and_alive_does_not_care() {
    let failing = ReadyCheck::new("database", || async { Err("canary at db.internal".to_owned()) });
    let running = start(Routes::new(), json!({}), |app| app.ready_check(failing)).await;
    for path in ["/v3/demo/ready", "/v3/demo/readycheck"] {
        let response = running.get_anonymously(path).await;
        assert_eq!(
            (response.status.as_u16(), response.message()),
            (503, "The service is not ready: database.")
        );
    }
    for path in ["/v3/demo/hello", "/v3/demo/healthcheck"] {
        assert_eq!(running.get_anonymously(path).await.status, 200);
    }
}

#[tokio::test]
async fn a_draining_service_is_not_ready() {
    let running = start(Routes::new(), json!({}), |app| app).await;
    assert_eq!(running.get_anonymously("/v3/demo/ready").await.status, 200);
    running.app.shutdown().trigger();
    assert_eq!(running.get_anonymously("/v3/demo/ready").await.status, 503);
    assert_eq!(running.get_anonymously("/v3/demo/healthcheck").await.status, 200);
}

#[tokio::test]
async fn a_registry_that_is_down_at_start_makes_503_until_it_returns() {
    let site = DevSite::builder().server("dev").start().await.unwrap();
    site.inject_fault("/v3/tenants", InjectedFault::Status(500));
    let routes = Routes::new().route(
        Policy::authenticated(),
        "/x",
        axum::routing::get(|| async { Envelope::new(()) }),
    );
    let app = App::builder(settings(&site, &json!({}))).routes(routes).build().unwrap();
    let refresher = app.tenants().spawn_refresh();
    let running = Running { site, app };
    assert_eq!(running.get_anonymously("/v3/demo/healthcheck").await.status, 200);
    assert_eq!(running.get_anonymously("/v3/demo/ready").await.status, 503);
    let response = running.get("/v3/demo/x").await;
    assert_eq!((response.status.as_u16(), response.headers.contains_key("retry-after")), (503, true));
    running.site.clear_faults();
    let back = async {
        while running.get("/v3/demo/x").await.status != 200 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), back).await.unwrap();
    assert_eq!(running.get_anonymously("/v3/demo/ready").await.status, 200);
    refresher.abort();
}
