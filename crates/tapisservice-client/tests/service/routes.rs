//! The right site, with the right token (rules R1 to R5).

use http::StatusCode;
use tapisservice_client::{ClientError, RoutingError, ServiceClient};
use tapisservice_devsite::TenantSpec;

use crate::helpers::{Recorder, acting_for, client, settings, site, systems, tenants, transport, until};

#[tokio::test]
async fn a_service_of_the_owning_site_gets_a_token_for_that_site() {
    let site = site().await;
    let client = client(&site);
    // Systems checks the target site of the token (rule O2).
    assert_eq!(systems(&acting_for(&client, "alice", "uh")).await.unwrap(), ["alice-private", "workstation"]);
    let sites: Vec<_> = client.report().tokens.into_iter().map(|token| token.site.to_string()).collect();
    assert_eq!(sites, ["uh"]);
}

#[tokio::test]
async fn what_the_owning_site_does_not_run_is_reached_at_the_primary_site_under_the_tenants_name() {
    let site = site().await;
    let recorder = Recorder::behind(&site, "apps").await;
    let client = client(&site);
    let call = acting_for(&client, "alice", "uh").operation("apps", "getApps");
    assert!(call.send().await.unwrap().status().is_success());
    let sent = recorder.all().pop().unwrap();
    assert_eq!(sent.field("host").unwrap(), format!("uh.localhost:{}", site.port()));
    assert_eq!(sent.claims()["tapis/target_site"], "tacc");
}

#[tokio::test]
async fn the_security_kernel_of_another_sites_tenant_is_asked_at_the_primary_site() {
    let site = site().await;
    site.grant_role("uh", "alice", "reader");
    let client = client(&site);
    let call = acting_for(&client, "alice", "uh").operation("sk", "getUserRoles");
    let roles = call
        .arg("user", "alice")
        .arg("tenant", "uh")
        .send()
        .await
        .unwrap()
        .deserialize::<serde_json::Value>()
        .await
        .unwrap();
    assert_eq!(roles["names"][0], "reader");
    assert_eq!(client.report().tokens[0].site, "tacc");
}

#[tokio::test]
async fn a_service_of_an_associate_site_holds_a_token_for_its_own_site_and_one_for_the_primary() {
    let site = site().await;
    let config = site.config_json_at("files", "uh").unwrap();
    let cache = tenants(&site);
    let client =
        ServiceClient::builder(settings(config), cache.clone()).transport(transport()).build().unwrap();
    let keeping = client.spawn_token_renewal();
    assert!(client.check().await.is_err(), "the registry is not read yet");
    cache.refresh().await.unwrap();
    until(async || {
        client.report().tokens.iter().filter(|t| t.usable_for.is_some()).count().eq(&2).then_some(())
    })
    .await;
    let sites: Vec<_> = client.report().tokens.into_iter().map(|token| token.site.to_string()).collect();
    assert_eq!(sites, ["tacc", "uh"]);
    client.check().await.unwrap();
    assert_eq!(site.request_count("POST /v3/tokens"), 2);
    for tenant in ["uh", "adminuh"] {
        assert!(
            systems(&acting_for(&client, "alice", tenant)).await.unwrap().contains(&"workstation".to_owned())
        );
    }
    // A service of an associate site may not act for another site's tenants (rule O5); the request went where it belongs.
    let refused = systems(&acting_for(&client, "alice", "tacc")).await.unwrap_err();
    assert_eq!(refused.status(), Some(StatusCode::FORBIDDEN));
    assert_eq!(site.request_count("POST /v3/tokens"), 2, "both tokens were at hand");
    keeping.abort();
}

#[tokio::test]
async fn a_tenant_that_is_new_is_found_and_one_that_is_not_there_is_an_error() {
    let site = site().await;
    let client = client(&site);
    systems(&acting_for(&client, "alice", "tacc")).await.unwrap();
    let before = site.request_count("GET /v3/tenants");
    site.add_tenant(TenantSpec::new("guests", "tacc")).await.unwrap();
    systems(&acting_for(&client, "alice", "guests")).await.unwrap();
    assert_eq!(site.request_count("GET /v3/tenants"), before + 1);
    for _ in 0..3 {
        let error = systems(&acting_for(&client, "alice", "nowhere")).await.unwrap_err();
        let unknown =
            matches!(&error, ClientError::Routing(RoutingError::UnknownTenant(id)) if *id == "nowhere");
        assert!(unknown, "{error}");
    }
    assert!(site.request_count("GET /v3/tenants") <= before + 2);
}

#[tokio::test]
async fn an_operation_is_prepared_without_asking_anybody_and_sending_it_reports_what_is_wrong() {
    let site = site().await;
    let client = client(&site);
    let prepare = |tenant: &str, operation: &str| {
        acting_for(&client, "alice", tenant).operation("systems", operation).arg("systemId", "workstation")
    };
    let (unknown, routeless) = (prepare("tacc", "getSistem"), prepare("nowhere", "getSystem"));
    assert!(format!("{unknown:?}").contains("getSistem") && format!("{routeless:?}").contains("{systemId}"));
    let error = unknown.send().await.unwrap_err();
    assert!(matches!(error, ClientError::UnknownOperation(_)), "{error}");
    assert!(error.to_string().contains(r#"did you mean "getSystem"?"#), "{error}");
    assert!(site.request_counts().is_empty(), "nobody is asked until a call is sent that could succeed");
    let error = routeless.send().await.unwrap_err();
    assert!(matches!(error, ClientError::Routing(_)), "{error}");
    assert!(prepare("tacc", "getSystem").send().await.is_ok());
}

#[tokio::test]
async fn the_sdk_configuration_leads_generated_clients_to_the_same_place() {
    let site = site().await;
    let recorder = Recorder::behind(&site, "jobs").await;
    let client = client(&site);
    let sdk = acting_for(&client, "alice", "tacc").sdk_configuration("jobs").await.unwrap();
    assert_eq!(Some(&sdk.base_path), site.tenant_url("tacc").as_ref());
    for path in ["/jobs/list", "/v3/jobs/list"] {
        sdk.client.get(format!("{}{path}", sdk.base_path)).send().await.unwrap();
    }
    for sent in recorder.all() {
        assert_eq!(sent.path, "/v3/jobs/list");
        assert_eq!(sent.field("x-tapis-user"), Some("alice"));
        assert_eq!(sent.claims()["sub"], "bookmarks@admin");
    }
    let elsewhere = site.tenant_url("dev").unwrap();
    assert!(sdk.client.get(format!("{elsewhere}/v3/jobs/list")).send().await.is_err());
    assert_eq!(recorder.all().len(), 2);
}
