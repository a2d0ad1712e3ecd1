//! Starts a site: `cargo run -p tapisservice-devsite --example site [FIRST_PORT [SERVICE=http://HOST:PORT ...]]`.

use std::error::Error;

use tapisservice_devsite::DevSite;

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, reason = "the addresses are what the example is for")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let first_port = arguments.next().map_or(Ok(0), |port| port.parse())?;
    let site =
        DevSite::builder().server("dev").first_port(first_port).key_folder(".tapis/devsite").start().await?;
    for route in arguments {
        let (service, upstream) = route.split_once('=').ok_or("a route is SERVICE=http://HOST:PORT")?;
        site.route_to(service, upstream)?;
    }
    for tenant in site.tenant_ids() {
        println!("{tenant:8} {}", site.tenant_url(&tenant).unwrap_or_default());
    }
    println!("a service starts with {:#}", site.config_json("bookmarks")?);
    let token = site.token_for_user("tacc", "alice");
    println!("curl -H 'X-Tapis-Token: {token}' '{}/v3/systems?listType=ALL'", site.url());
    tokio::signal::ctrl_c().await?;
    site.stop().await;
    Ok(())
}
