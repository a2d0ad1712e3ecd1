//! Local development: a Tapis site in the same process, with the service behind its proxy.

use std::io::{self, Write as _};
use std::net::SocketAddr;

use tapisservice::config::Config;
use tapisservice::{AppBuilder, Settings, StartError, connect_address};
use tapisservice_devsite::{DevSite, DevSiteBuilder, DevSiteError};

use crate::BookmarksSettings;

/// The folder of the site's keys, so that tokens stay valid after a restart.
const KEYS: &str = ".tapis/devsite";

/// The service as [`app`](crate::app()) assembles it. With `devsite` in the configuration it starts a site of its own, which lives as
/// long as the app.
///
/// # Errors
///
/// As [`app`](crate::app()), and when the site cannot start: `server` is not `dev`, or one of its ports is in use.
pub async fn app_with_site(
    config: &Config<BookmarksSettings>,
    mut settings: Settings,
) -> Result<AppBuilder, StartError> {
    let own = config.settings();
    if !own.devsite {
        return crate::app(config, settings).await;
    }
    let site = start(config, own, &settings).await?;
    // Values that only the running site has.
    settings.client.primary_site_admin_tenant_base_url = site.primary_site_admin_tenant_base_url();
    let name = settings.service.service_name.clone();
    let mut app = crate::app(config, settings).await?;
    // Fill the cache before the first request. If this fails, it is retried like any refresh.
    let _ = app.tenants()?.refresh().await;
    // The hook owns the site, and the app the hook: the site ends with the app.
    Ok(app.on_listening(move |address| welcome(&site, &name, address)))
}

async fn start<S>(
    config: &Config<S>,
    own: &BookmarksSettings,
    settings: &Settings,
) -> Result<DevSite, StartError> {
    let service = &settings.service;
    let account =
        service.service_password.as_ref().map(|p| (service.service_name.clone(), p.expose().clone()));
    let site = site(&config.get::<String>("server")?, own, account);
    let started = if config.is_configured("devsite_port") {
        site.start().await
    } else {
        start_at_next_free(site, own.devsite_port).await
    };
    started.map_err(|error| match error {
        DevSiteError::PortTaken { .. } => StartError::setting("devsite_port", error),
        _ => StartError::setting("devsite", error),
    })
}

/// The site that the settings describe, with the account of the service.
pub(crate) fn site(
    server: &str,
    own: &BookmarksSettings,
    account: Option<(String, String)>,
) -> DevSiteBuilder {
    let site = DevSite::builder().server(server).first_port(own.devsite_port).key_folder(KEYS);
    match account {
        Some((name, password)) => site.service(name, password),
        None => site,
    }
}

/// The ports are not configured: if one is in use, try the next ones.
async fn start_at_next_free(site: DevSiteBuilder, first: u16) -> Result<DevSite, DevSiteError> {
    const PORT_STEP: u16 = 10;
    const MAX_ATTEMPTS: u16 = 20;
    for port in (0..MAX_ATTEMPTS).filter_map(|step| first.checked_add(step * PORT_STEP)) {
        match site.clone().first_port(port).start().await {
            Err(DevSiteError::PortTaken { .. } | DevSiteError::PortRange(_)) => {}
            started => return started,
        }
    }
    site.first_port(0).start().await
}

/// Routes the site's proxy to the service and prints all addresses.
fn welcome(site: &DevSite, name: &str, address: SocketAddr) {
    let address = connect_address(address);
    if let Err(error) = site.route_to(name, &format!("http://{address}")) {
        tracing::error!(%error, "the site has no route to the service");
    }
    let (tenant, token) = (site.url(), site.user_token("alice", "tacc"));
    let text = format!(
        "\n\
         {name} serves at   http://{address}/v3/{name}\n\
         API docs to try    http://{address}/v3/{name}/docs\n\
         Tapis tenant tacc  {tenant}   (users alice and bob, password secret)\n\
         from Python        Tapis(base_url=\"{tenant}\", username=\"alice\", password=\"secret\")\n\
         \n\
         curl -H 'X-Tapis-Token: {token}' '{tenant}/v3/{name}/whoami?pretty=true'\n\
         \n"
    );
    // Standard output may be closed; the service continues.
    let _ = io::stdout().write_all(text.as_bytes());
}
