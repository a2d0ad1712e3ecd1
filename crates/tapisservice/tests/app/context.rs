//! `g` reaches wherever a handler's code goes.

use axum::body::Body;
use axum::routing::get;
use http::Method;
use serde_json::json;
use tapisservice::core::ContextView;
use tapisservice::prelude::*;

use crate::helpers::{request, start};

async fn whoami(g: RequestContext) -> Envelope<ContextView> {
    Envelope::new(ContextView::from(&g))
}

/// The same `g` from an argument, from the task, from a spawned task and from a blocking one.
async fn everywhere(context: RequestContext) -> Result<Envelope<[bool; 3]>> {
    let id = context.request_id().to_owned();
    let here = g()?.request_id() == id;
    let spawned = tokio::spawn(context.scope(async { g().map(|g| g.request_id().to_owned()) })).await??;
    let carried = context.clone();
    let blocking =
        tokio::task::spawn_blocking(move || carried.sync_scope(|| g().map(|g| g.request_id().to_owned())));
    Ok(Envelope::new([here, spawned == id, blocking.await?? == id]))
}

async fn lost() -> Result<Envelope<()>> {
    tokio::spawn(async { g().map(|_| ()) }).await??;
    Ok(Envelope::new(()))
}

fn routes() -> Routes {
    Routes::new()
        .route(Policy::authenticated(), "/whoami", get(whoami))
        .route(Policy::public(), "/open", get(whoami))
        .route(Policy::authenticated(), "/everywhere", get(everywhere))
        .route(Policy::public(), "/lost", get(lost))
}

#[tokio::test]
async fn the_pair_a_service_uses_is_the_on_behalf_of_pair() {
    let running = start(routes(), json!({}), |app| app).await;
    let request = request(Method::GET, "/v3/demo/whoami")
        .header("x-tapis-token", running.site.token_for_service("admin", "jobs", "tacc"))
        .header("x-tapis-tenant", "dev")
        .header("x-tapis-user", "bob")
        .header("x-tapis-tracking-id", "jobs.17")
        .header("x-request-id", "abc-1");
    let response = running.send(request.body(Body::empty()).unwrap()).await;
    let g = &response.body["result"];
    let expected = [
        ("request_username", "bob"),
        ("request_tenant_id", "dev"),
        ("request_site_id", "tacc"),
        ("username", "jobs"),
        ("tenant_id", "admin"),
        ("account_type", "service"),
        ("site_id", "tacc"),
        ("x_tapis_user", "bob"),
        ("tracking_id", "jobs.17"),
        ("request_id", "abc-1"),
    ];
    for (name, value) in expected {
        assert_eq!(g[name], value, "{name}");
    }
    assert_eq!(g["request_tenant_base_url"], running.site.tenant_url("dev").unwrap());
    assert_eq!(response.headers["x-request-id"], "abc-1");
}

#[tokio::test]
async fn ids_that_are_not_well_formed_are_replaced() {
    let running = start(routes(), json!({}), |app| app).await;
    let request = request(Method::GET, "/v3/demo/open")
        .header("x-tapis-tracking-id", "no dot")
        .header("x-request-id", "a b");
    let response = running.send(request.body(Body::empty()).unwrap()).await;
    assert!(response.body["result"]["tracking_id"].as_str().unwrap().starts_with("demo."));
    assert_ne!(response.headers["x-request-id"], "a b");
    assert_eq!(response.body["result"]["username"], json!(null));
}

#[tokio::test]
async fn g_is_carried_into_tasks_and_its_absence_is_named() {
    let running = start(routes(), json!({"show_traceback": false}), |app| app).await;
    assert_eq!(running.get("/v3/demo/everywhere").await.body["result"], json!([true, true, true]));
    let lost = running.get_anonymously("/v3/demo/lost").await;
    assert_eq!(lost.status, 500);
    assert_eq!(lost.message(), "The service is misconfigured.");
}
