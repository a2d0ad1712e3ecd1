//! A service calls another one on behalf of a user and prints the result.
//!
//! ```text
//! echo PASSWORD | cargo run -p tapisservice-client --example call_on_behalf -- \
//!     --registry http://localhost:5050 --service jobs --site tacc --service-tenant admin \
//!     --tenant tacc --user alice systems getSystem systemId=workstation
//! ```
//!
//! The password comes from standard input, as arguments can be seen by everybody on the machine. What is called is an operation of the
//! bundled specifications (`systems getSystem systemId=workstation`), or a path (`bookmarks
//! /v3/bookmarks/whoami`).

use std::error::Error;

use clap::Parser;
use tapisservice_client::transport::LocalhostResolver;
use tapisservice_client::{
    Call, ClientSettings, ServiceClient, ServiceClientSettings, ServiceSession, TenantsApi, Transport,
    TransportSettings,
};
use tapisservice_core::{SiteId, TenantId, Username};
use tapisservice_tenants::TenantCache;

/// Calls a service on behalf of a user.
#[derive(Parser)]
struct Arguments {
    /// The base URL of the primary site's admin tenant.
    #[arg(long)]
    registry: String,
    /// The name of the calling service; its password is read from standard input.
    #[arg(long)]
    service: Username,
    /// The site it runs at.
    #[arg(long)]
    site: SiteId,
    /// The tenant it lives in.
    #[arg(long)]
    service_tenant: TenantId,
    /// The tenant of the user.
    #[arg(long)]
    tenant: TenantId,
    /// The user.
    #[arg(long)]
    user: Username,
    /// The resource to call, such as `systems`.
    resource: String,
    /// An operation of it, or a path to GET.
    operation: String,
    /// The arguments of the operation: `name=value`.
    #[arg(value_parser = pair)]
    arguments: Vec<(String, String)>,
}

fn pair(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once('=').ok_or("an argument is name=value")?;
    Ok((name.to_owned(), value.to_owned()))
}

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, reason = "the response is what the example is for")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let password = std::io::read_to_string(std::io::stdin())?.trim_end().to_owned();
    let tapis = client(&arguments, password)?;
    let session = tapis.on_behalf_of_user(arguments.tenant.clone(), arguments.user.clone())?;
    let response = call(&session, &arguments).await?.send().await?;
    println!("{:#}", response.deserialize::<serde_json::Value>().await?);
    Ok(())
}

fn client(arguments: &Arguments, password: String) -> Result<ServiceClient, Box<dyn Error>> {
    let (service, site) = (arguments.service.clone(), arguments.site.clone());
    let settings = ServiceClientSettings::new(service, password, site, arguments.service_tenant.clone());
    let registry = TenantsApi::new(&ClientSettings::new(&arguments.registry))?;
    let transport = Transport::builder(&TransportSettings::default())
        .http(|http| http.dns_resolver(LocalhostResolver))
        .build()?;
    let tenants = TenantCache::builder(registry).build();
    Ok(ServiceClient::builder(settings, tenants).transport(transport).build()?)
}

async fn call(session: &ServiceSession, arguments: &Arguments) -> Result<Call, Box<dyn Error>> {
    let (resource, operation) = (&arguments.resource, &arguments.operation);
    if operation.starts_with('/') {
        return Ok(session.resource_client(resource).await?.get(operation));
    }
    let call = session.operation(resource, operation);
    Ok(arguments.arguments.iter().fold(call, |call, (name, value)| call.arg(name, value)))
}
