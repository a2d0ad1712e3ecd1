use serde_json::{Value, json};
use tapisservice_devsite::{SiteSpec, TenantSpec, TenantStatus};

use crate::helpers::{at, envelope, get, site};

fn ids(list: &Value, name: &str) -> Vec<String> {
    list["result"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| record[name].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn tenants_and_sites_are_listed_without_a_token() {
    let site = site().await;
    let tenants = envelope(get(at(&site, "admin", "/v3/tenants")).await, 200).await;
    assert_eq!(ids(&tenants, "tenant_id"), ["tacc", "admin", "dev", "uh", "adminuh"]);
    let sites = envelope(get(at(&site, "admin", "/v3/sites")).await, 200).await;
    assert_eq!(ids(&sites, "site_id"), ["tacc", "uh"]);
    for (path, field) in [("/v3/tenants/uh", "site_id"), ("/v3/sites/uh", "site_id")] {
        assert_eq!(envelope(get(at(&site, "uh", path)).await, 200).await["result"][field], "uh");
    }
    for path in ["/v3/tenants/nobody", "/v3/sites/nowhere"] {
        envelope(get(at(&site, "tacc", path)).await, 404).await;
    }
}

#[tokio::test]
async fn records_hold_what_the_clients_require() {
    let site = site().await;
    let tacc = envelope(get(at(&site, "admin", "/v3/tenants/tacc")).await, 200).await["result"].take();
    assert_eq!(tacc["base_url"], site.url());
    assert_eq!(tacc["token_service"], format!("{}/v3/tokens", site.url()));
    assert_eq!(tacc["status"], "active");
    assert_eq!(tacc["public_key"], site.public_key("tacc").unwrap());
    assert_eq!(tacc["token_gen_services"], json!(["authenticator"]));

    let primary = envelope(get(at(&site, "admin", "/v3/sites/tacc")).await, 200).await["result"].take();
    assert_eq!(primary["primary"], true);
    assert_eq!(primary["site_admin_tenant_id"], "admin");
    assert!(primary["services"].as_array().unwrap().contains(&json!("bookmarks")));
    assert_eq!(
        primary["tenant_base_url_template"],
        format!("http://${{tenant_id}}.localhost:{}", site.port())
    );

    let associate = envelope(get(at(&site, "admin", "/v3/sites/uh")).await, 200).await["result"].take();
    assert_eq!(
        (&associate["primary"], &associate["tenant_base_url_template"]),
        (&json!(false), &Value::Null)
    );
}

#[tokio::test]
async fn tenants_come_change_and_go_while_the_site_runs() {
    let site = site().await;
    let base_url = site.add_tenant(TenantSpec::new("guests", "tacc")).await.unwrap();
    let listed = envelope(get(format!("{base_url}/v3/tenants/guests")).await, 200).await;
    assert_eq!(listed["result"]["base_url"], base_url);

    site.set_tenant_status("guests", TenantStatus::Inactive).unwrap();
    site.patch_tenant("guests", "public_key", "garbage").unwrap();
    site.remove_tenant_field("guests", "owner").unwrap();
    let listed = envelope(get(at(&site, "tacc", "/v3/tenants/guests")).await, 200).await;
    assert_eq!(
        (&listed["result"]["status"], &listed["result"]["public_key"]),
        (&json!("inactive"), &json!("garbage"))
    );

    assert!(listed["result"].get("owner").is_none());

    site.remove_tenant("guests").unwrap();
    envelope(get(at(&site, "tacc", "/v3/tenants/guests")).await, 404).await;
    assert!(site.tenant_url("guests").is_none());
    assert!(site.remove_tenant("guests").is_err());
    assert!(site.add_tenant(TenantSpec::new("dev", "tacc")).await.unwrap_err().to_string().contains("twice"));
    assert!(
        site.add_tenant(TenantSpec::new("lost", "nowhere"))
            .await
            .unwrap_err()
            .to_string()
            .contains("no site")
    );
}

#[tokio::test]
async fn a_rotated_key_is_published_and_signs() {
    let site = site().await;
    let (old, token) = (site.public_key("dev").unwrap(), site.token_for_user("dev", "alice"));
    site.rotate_key("dev").await.unwrap();
    assert_ne!(site.public_key("dev").unwrap(), old);
    crate::helpers::verified_claims(&site, "dev", &site.token_for_user("dev", "alice")).await;
    let systems = crate::helpers::http().get(at(&site, "dev", "/v3/systems"));
    crate::helpers::response(systems.header("X-Tapis-Token", token), 401).await;
}

#[tokio::test]
async fn sites_and_tenants_can_be_all_others() {
    let site = tapisservice_devsite::DevSite::builder()
        .server("dev")
        .sites([SiteSpec::primary("here", "boss").services(["tokens"])])
        .tenants([
            TenantSpec::new("people", "here"),
            TenantSpec::new("boss", "here"),
            TenantSpec::new("odd", "here").without_key(),
        ])
        .start()
        .await
        .unwrap();
    let config = site.config_json("bookmarks").unwrap();
    assert_eq!((&config["service_site_id"], &config["service_tenant_id"]), (&json!("here"), &json!("boss")));
    assert_eq!(config["primary_site_admin_tenant_base_url"], site.tenant_url("boss").unwrap());
    let odd = envelope(get(at(&site, "people", "/v3/tenants/odd")).await, 200).await;
    assert_eq!(odd["result"]["public_key"], Value::Null);
    let here = envelope(get(at(&site, "people", "/v3/sites/here")).await, 200).await;
    assert_eq!(here["result"]["services"], json!(["tokens", "bookmarks"]));
}
