//! Lists a user's systems through the generated functions of the official SDK, on a Tapis site of its own: as a service on
//! behalf of the user, and as the user.
//!
//! `cargo run` in this folder.

use tapis_sdk::systems::apis::configuration::Configuration;
use tapis_sdk::systems::apis::systems_api::get_systems;
use tapis_sdk::systems::models::ListTypeEnum;
use tapisservice_client::{ClientSettings, SdkConfiguration, ServiceClient, TenantsApi};
use tapisservice_core::{TenantId, Username};
use tapisservice_devsite::{DevSite, System};
use tapisservice_tenants::TenantCache;
use tapisservice_user::UserClient;

type Error = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let site = DevSite::builder()
        .server("dev")
        .user("alice", "wonderland")
        .system(System::new("looking-glass", "alice"))
        .start()
        .await?;

    let tapis = service(&site).await?;
    let session = tapis.on_behalf_of_user(TenantId::new("tacc")?, Username::new("alice")?)?;
    println!("A service, on behalf of alice:");
    print(&systems(session.sdk_configuration("systems").await?).await?);

    let tapis = UserClient::builder(site.url()).password("alice", "wonderland").await?;
    println!("Alice herself:");
    print(&systems(tapis.sdk_configuration("systems")).await?);
    site.stop().await;
    Ok(())
}

/// The client that a service named bookmarks has.
async fn service(site: &DevSite) -> Result<ServiceClient, Error> {
    let settings = serde_json::from_value(site.config_json("bookmarks")?)?;
    let registry = TenantsApi::new(&ClientSettings::new(site.primary_site_admin_tenant_base_url()))?;
    let tenants = TenantCache::builder(registry).build();
    tenants.refresh().await?;
    Ok(ServiceClient::builder(settings, tenants).build()?)
}

/// Id and host of the systems that whoever the configuration is for can see.
async fn systems(sdk: SdkConfiguration) -> Result<Vec<(String, String)>, Error> {
    let configuration =
        Configuration { base_path: sdk.base_path, client: sdk.client, ..Configuration::default() };
    let all = Some(ListTypeEnum::All);
    let found =
        get_systems(&configuration, None, all, Some(10), None, None, None, None, None, None, None, None)
            .await?;
    let named = found.result.unwrap_or_default().into_iter();
    Ok(named.filter_map(|system| Some((system.id?, system.host?))).collect())
}

fn print(systems: &[(String, String)]) {
    for (id, host) in systems {
        println!("  {id} at {host}");
    }
}
