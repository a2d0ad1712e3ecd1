//! A handler calls another service, and `?` answers its own caller as docs/CLIENT.md says.

use axum::Extension;
use axum::extract::Path;
use axum::routing::get;
use http::StatusCode;
use serde_json::{Value, json};
use tapisservice::App;
use tapisservice::client::ServiceClient;
use tapisservice::prelude::*;
use tapisservice_devsite::{DevSite, InjectedFault};

use crate::helpers::{Running, TestResponse, settings};

/// The natural line, without a word about errors.
async fn system(
    Extension(tapis): Extension<ServiceClient>,
    g: RequestContext,
    Path(id): Path<String>,
) -> Result<Envelope<Value>> {
    let response =
        tapis.on_behalf_of(&g)?.operation("systems", "getSystem").arg("systemId", id).send().await?;
    Ok(Envelope::new(response.deserialize().await?))
}

async fn own_system(
    Extension(tapis): Extension<ServiceClient>,
    Path(id): Path<String>,
) -> Result<Envelope<Value>> {
    let response = tapis.as_service().operation("systems", "getSystem").arg("systemId", id).send().await?;
    Ok(Envelope::new(response.deserialize().await?))
}

async fn misspelt(Extension(tapis): Extension<ServiceClient>) -> Result<Envelope<()>> {
    tapis.as_service().operation("systems", "getSistem").send().await?;
    Ok(Envelope::new(()))
}

/// A service that asks for systems; the registry has not been read.
async fn start(changes: Value) -> Running {
    let site = DevSite::builder().server("dev").start().await.unwrap();
    let mut builder = App::builder(settings(&site, &changes));
    let tapis = builder.service_client().unwrap();
    let routes = Routes::new()
        .route(Policy::authenticated(), "/systems/{id}", get(system).layer(Extension(tapis.clone())))
        .route(Policy::public(), "/anonymous/{id}", get(system).layer(Extension(tapis.clone())))
        .route(Policy::public(), "/own/{id}", get(own_system).layer(Extension(tapis.clone())))
        .route(Policy::public(), "/misspelt", get(misspelt).layer(Extension(tapis)));
    Running { site, app: builder.routes(routes).build().unwrap() }
}

/// Nothing is repeated, and the second failure in a row opens the circuit breaker.
fn no_retries() -> Value {
    json!({"client_retries": 0, "client_breaker_failures": 2, "client_breaker_seconds": 600})
}

fn retry_after(response: &TestResponse) -> Option<u64> {
    response.headers.get_all("retry-after").iter().next()?.to_str().ok()?.parse().ok()
}

#[tokio::test]
async fn what_the_other_service_says_of_the_request_is_passed_on_and_its_failures_are_503() {
    let running = start(no_retries()).await;
    running.app.tenants().refresh().await.unwrap();
    let response = running.get("/v3/demo/systems/workstation").await;
    assert_eq!((response.status, &response.body["result"]["id"]), (StatusCode::OK, &json!("workstation")));

    // The other service's message, too: it speaks of what the caller asked for.
    let response = running.get("/v3/demo/systems/made-up").await;
    assert_eq!(response.status, StatusCode::NOT_FOUND);
    assert!(response.message().contains("made-up"), "{}", response.message());
    let body = json!({"message": "alice may not", "result": null, "status": "error", "version": "1"});
    let refusal = InjectedFault::Response {
        status: 403,
        content_type: "application/json".to_owned(),
        body: body.to_string().into(),
    };
    running.site.inject_fault("/v3/systems", refusal);
    let response = running.get("/v3/demo/systems/workstation").await;
    assert_eq!((response.status, response.message()), (StatusCode::FORBIDDEN, "alice may not"));

    // A refused token, a failing service, and then its open circuit breaker.
    running.site.clear_faults();
    for (fault, status) in [(401, 503), (500, 502), (503, 503), (503, 503)] {
        running.site.clear_faults();
        running.site.inject_fault("/v3/systems", InjectedFault::Status(fault));
        let response = running.get("/v3/demo/systems/workstation").await;
        assert_eq!(response.status.as_u16(), status, "{fault}: {}", response.message());
    }
    running.site.clear_faults();
    let asked = running.site.request_count("GET /v3/systems");
    let response = running.get("/v3/demo/systems/workstation").await;
    assert_eq!(
        (response.status, response.message()),
        (StatusCode::SERVICE_UNAVAILABLE, "An upstream service is unavailable.")
    );
    assert!(retry_after(&response).is_some_and(|seconds| (500..=600).contains(&seconds)), "{response:?}");
    assert_eq!(running.site.request_count("GET /v3/systems"), asked, "nothing is sent");
}

#[tokio::test]
async fn a_registry_or_tokens_that_are_not_there_yet_are_503_and_a_mistake_of_the_service_is_500() {
    let running = start(no_retries()).await;
    running.site.inject_fault("/v3/tenants", InjectedFault::Status(503));
    let response = running.get_anonymously("/v3/demo/own/workstation").await;
    assert_eq!(
        (response.status, response.message()),
        (StatusCode::SERVICE_UNAVAILABLE, "The tenant registry is not available.")
    );
    assert!(retry_after(&response).is_some(), "{response:?}");
    running.site.clear_faults();
    running.app.tenants().refresh().await.unwrap();

    running.site.inject_fault("/v3/tokens", InjectedFault::Status(503));
    let response = running.get("/v3/demo/systems/workstation").await;
    assert_eq!(response.status, StatusCode::SERVICE_UNAVAILABLE, "{}", response.message());
    assert!(retry_after(&response).is_some(), "{response:?}");

    let response = running.get_anonymously("/v3/demo/anonymous/workstation").await;
    assert_eq!(response.status, StatusCode::UNAUTHORIZED, "{}", response.message());
    let response = running.get_anonymously("/v3/demo/misspelt").await;
    let expected = (StatusCode::INTERNAL_SERVER_ERROR, "An upstream service could not be called.");
    assert_eq!((response.status, response.message()), expected);
}
