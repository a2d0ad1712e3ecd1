//! In whose name calls are made.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tapisservice_client::{ClientError, Operations, TypedOperation};
use tapisservice_core::testing;
use tapisservice_core::{Identity, RequestContext, ServiceInfo, TrackingId};

use crate::helpers::{Recorder, acting_for, client, site, systems};

fn request(tracking_id: &str) -> RequestContext {
    let service = ServiceInfo::new("bookmarks", "1");
    let tracking_id = TrackingId::new(tracking_id).unwrap();
    RequestContext::builder(Arc::new(service)).tracking_id(Some(tracking_id)).build()
}

fn identity(user: &str) -> Identity {
    testing::identity_for("tacc", user)
}

#[tokio::test]
async fn each_user_sees_what_is_theirs_and_the_service_what_is_its_own() {
    let site = site().await;
    let client = client(&site);
    let seen = |session| async move { systems(&session).await.unwrap() };
    assert_eq!(seen(acting_for(&client, "alice", "tacc")).await, ["alice-private", "workstation"]);
    assert_eq!(seen(acting_for(&client, "bob", "tacc")).await, ["workstation"]);
    assert_eq!(seen(client.as_service()).await, ["workstation"]);
    assert_eq!(site.request_count("POST /v3/tokens"), 1, "one token for the one site that was called");
}

#[tokio::test]
async fn each_request_says_for_whom_it_is_and_holds_no_other_credentials() {
    let site = site().await;
    let recorder = Recorder::behind(&site, "files").await;
    let client = client(&site);
    for session in [client.as_service(), acting_for(&client, "josé m", "dev")] {
        let response =
            session.resource_client("files").await.unwrap().get("/v3/files/x").send().await.unwrap();
        assert!(response.status().is_success());
    }
    let sent = recorder.all();
    let expected = [("admin", "bookmarks".as_bytes()), ("dev", "josé m".as_bytes())];
    for (sent, (tenant, user)) in sent.iter().zip(expected) {
        assert_eq!(sent.field("x-tapis-tenant"), Some(tenant));
        assert_eq!(sent.headers["x-tapis-user"].as_bytes(), user);
        assert_eq!(sent.field("authorization"), None);
        let claims = sent.claims();
        assert_eq!(claims["sub"], "bookmarks@admin");
        assert_eq!(claims["tapis/account_type"], "service");
        assert_eq!(claims["tapis/target_site"], "tacc");
    }
    assert_eq!(sent.len(), 2);
}

#[tokio::test]
async fn on_behalf_of_a_request_means_its_user_and_its_tracking_id() {
    let site = site().await;
    let recorder = Recorder::behind(&site, "systems").await;
    let client = client(&site);
    let g = request("jobs.4711");
    assert!(testing::set_identity(&g, identity("alice")));
    let session = client.on_behalf_of(&g).unwrap();
    let call = session.operation("systems", "getSystem");
    // Spawned without g: nothing ambient is needed.
    let response = tokio::spawn(call.arg("systemId", "workstation").send()).await.unwrap().unwrap();
    assert!(response.status().is_success());
    let sent = recorder.all().pop().unwrap();
    assert_eq!((sent.field("x-tapis-user"), sent.field("x-tapis-tenant")), (Some("alice"), Some("tacc")));
    assert_eq!(sent.field("x-tapis-tracking-id"), Some("jobs.4711"));
    assert_eq!(sent.path, "/v3/systems/workstation");
}

#[tokio::test]
async fn an_anonymous_request_is_nobody_to_act_for() {
    let site = site().await;
    let client = client(&site);
    let g = request("jobs.1");
    // Within the request, where a lesser framework would find somebody else's identity.
    let error = g.sync_scope(|| client.on_behalf_of(&g).unwrap_err());
    assert!(matches!(error, ClientError::Anonymous), "{error}");
    assert!(site.request_counts().is_empty(), "nothing is asked for");
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GetSystem<'a> {
    system_id: &'a str,
}

#[derive(Deserialize)]
struct System {
    owner: String,
}

impl TypedOperation for GetSystem<'_> {
    const RESOURCE: &'static str = "systems";
    const OPERATION_ID: &'static str = "getSystem";
    type Output = System;
}

#[tokio::test]
async fn a_typed_operation_runs_in_the_name_of_the_session() {
    let site = site().await;
    let client = client(&site);
    let private = GetSystem { system_id: "alice-private" };
    assert_eq!(acting_for(&client, "alice", "tacc").run(&private).await.unwrap().owner, "alice");
    assert!(acting_for(&client, "bob", "tacc").run(&private).await.is_err());
}
