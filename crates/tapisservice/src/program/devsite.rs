//! Local development: a Tapis site in the same process, with the service behind its proxy.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Args;
use tapisservice_config::{Config, ConfigError};
use tapisservice_devsite::{DevSite, DevSiteBuilder, DevSiteError};
use tapisservice_serve::Shutdown;

use super::{TapisService, describe};
use crate::settings::DevsiteSettings;
use crate::{AppBuilder, RouteInfo, Settings, StartError, connect_address, report_error};

/// The folder of the site's keys, so that tokens stay valid after a restart.
const KEYS: &str = ".tapis/devsite";

/// The arguments of the command `devsite`.
#[derive(Debug, Clone, Args)]
pub(super) struct Arguments {
    /// The first port; each tenant has one, in a row
    #[arg(long, default_value_t = 5080)]
    port: u16,
    /// Where the service listens that the site routes to
    #[arg(long, default_value = "http://127.0.0.1:5000")]
    service_url: String,
}

/// The service as [`assemble`](super::assemble()) puts it together; if the configuration has `devsite`, beside a site of its own that
/// lives as long as it.
///
/// # Errors
///
/// When the service cannot start, or the site cannot: one of its ports is taken.
pub(super) async fn assemble<T: TapisService>(
    config: &Config<T::Settings>,
    mut settings: Settings,
) -> Result<AppBuilder, StartError> {
    if !settings.devsite.devsite {
        return super::assemble::<T>(config, settings).await;
    }
    let site = start(config, &settings).await?;
    // What only the running site knows.
    #[cfg(feature = "client")]
    {
        settings.client.primary_site_admin_tenant_base_url = site.primary_site_admin_tenant_base_url();
    }
    let (name, path) = (settings.service.service_name.clone(), path_to_try::<T>(&settings)?);
    let mut app = super::assemble::<T>(config, settings).await?;
    // Fill the cache before the first request. If this fails, it is retried like any refresh.
    let _ = app.tenants()?.refresh().await;
    // The hook owns the site, and the app the hook: the site ends with the app.
    Ok(app.on_listening(move |address| welcome(&site, &name, &path, address)))
}

/// Runs a site until a signal stops it.
pub(super) async fn serve_alone<T: TapisService>(arguments: Arguments) -> ExitCode {
    let name = T::PACKAGE.name;
    let site = DevSite::builder()
        .server("dev")
        .first_port(arguments.port)
        .key_folder(KEYS)
        .service(name, "devsite-service");
    let site = match site.start().await {
        Ok(site) => site,
        Err(error) => return report_error(&StartError::service(error)),
    };
    if let Err(error) = site.route_to(name, &arguments.service_url) {
        return report_error(&StartError::service(error));
    }
    let shutdown = match Shutdown::on_signals() {
        Ok(shutdown) => shutdown,
        Err(error) => return report_error(&error.into()),
    };
    print(&format!("\n{}", addresses(&site, name, "/hello")));
    shutdown.draining().await;
    ExitCode::SUCCESS
}

async fn start<S>(config: &Config<S>, settings: &Settings) -> Result<DevSite, StartError> {
    let service = &settings.service;
    let account =
        service.service_password.as_ref().map(|p| (service.service_name.clone(), p.expose().clone()));
    let site = site(&config.get::<String>("server")?, &settings.devsite, account);
    let started = if config.is_configured("devsite_port") {
        site.start().await
    } else {
        start_at_next_free(site, settings.devsite.devsite_port).await
    };
    started.map_err(|error| match error {
        DevSiteError::PortTaken { .. } => StartError::setting("devsite_port", error),
        _ => StartError::setting("devsite", error),
    })
}

/// The site that the settings ask for, with the account of the service.
fn site(server: &str, settings: &DevsiteSettings, account: Option<(String, String)>) -> DevSiteBuilder {
    let site = DevSite::builder().server(server).first_port(settings.devsite_port).key_folder(KEYS);
    match account {
        Some((name, password)) => site.service(name, password),
        None => site,
    }
}

/// The ports are not configured: if one is in use, try the next ones.
async fn start_at_next_free(site: DevSiteBuilder, first: u16) -> Result<DevSite, DevSiteError> {
    const STEP: u16 = 10;
    const TRIES: u16 = 20;
    for port in (0..TRIES).filter_map(|step| first.checked_add(step * STEP)) {
        match site.clone().first_port(port).start().await {
            Err(DevSiteError::PortTaken { .. } | DevSiteError::PortRange(_)) => {}
            started => return started,
        }
    }
    site.first_port(0).start().await
}

/// Whether the site can start as it is configured.
pub(crate) fn check(config: &Config) -> Result<(), ConfigError> {
    // That the values fit the structs is checked before.
    let Ok(settings) = config.parse::<DevsiteSettings>() else { return Ok(()) };
    if !settings.devsite {
        return Ok(());
    }
    let service =
        config.get::<Option<String>>("service_password")?.map(|_| config.get("service_name")).transpose()?;
    let site =
        site(&config.get::<String>("server")?, &settings, service.map(|name: String| (name, String::new())));
    let checked = site.check().map_err(|error| {
        let (key, what) = match error {
            DevSiteError::InvalidId(_) => (
                "service_name",
                "expected 1 to 63 letters, digits and hyphens, where `devsite` is true".to_owned(),
            ),
            DevSiteError::PortRange(_) => {
                ("devsite_port", "not enough ports after it for one per tenant".to_owned())
            }
            error => ("devsite", error.to_string()),
        };
        ConfigError::from(config.violation(key, what).depends_on("server"))
    });
    ConfigError::all([checked, check_ports(config, &site)])
}

/// The site takes its ports before anything else listens. Where nobody asked for the port of `listen`, the service moves
/// on to the next free one; `metrics_listen` never moves.
fn check_ports(config: &Config, site: &DevSiteBuilder) -> Result<(), ConfigError> {
    const WHAT: &str =
        "expected a port outside those of the site, which takes one per tenant from `devsite_port` on";
    let clashes = |key: &str| -> Result<(), ConfigError> {
        match config.get::<Option<SocketAddr>>(key)? {
            Some(address) if site.conflicts_with(address) => {
                Err(config.violation(key, WHAT).depends_on("devsite_port").into())
            }
            _ => Ok(()),
        }
    };
    let listen = if config.is_configured("listen") { clashes("listen") } else { Ok(()) };
    ConfigError::all([listen, clashes("metrics_listen")])
}

/// Routes the site's proxy to the service and prints all addresses.
fn welcome(site: &DevSite, name: &str, path: &str, address: SocketAddr) {
    let address = connect_address(address);
    if let Err(error) = site.route_to(name, &format!("http://{address}")) {
        tracing::error!(%error, "the site has no route to the service");
    }
    let service = format!("http://{address}/v3/{name}");
    let docs = if cfg!(feature = "swagger-ui") {
        format!("API docs to try    {service}/docs\n")
    } else {
        String::new()
    };
    print(&format!("\n{name} serves at   {service}\n{docs}{}", addresses(site, name, path)));
}

/// A route that shows who the caller is, or the first one that can be called with nothing but a token.
fn path_to_try<T: TapisService>(settings: &Settings) -> Result<String, StartError> {
    let routes = describe::of_settings::<T>(settings)?.routes;
    let to_try = |route: &&RouteInfo| {
        route.method == "GET" && !route.policy.starts_with("public") && !route.path.contains('{')
    };
    let candidates: Vec<_> = routes.iter().filter(to_try).collect();
    let chosen = candidates.iter().find(|route| route.path == "/whoami").or(candidates.first());
    Ok(chosen.map_or_else(|| "/hello".to_owned(), |route| route.path.clone()))
}

fn addresses(site: &DevSite, name: &str, path: &str) -> String {
    let (tenant, token) = (site.url(), site.token_for_user("tacc", "alice"));
    format!(
        "Tapis tenant tacc  {tenant}   (users alice and bob, password secret)\n\
         from Python        Tapis(base_url=\"{tenant}\", username=\"alice\", password=\"secret\")\n\
         \n\
         curl -H 'X-Tapis-Token: {token}' '{tenant}/v3/{name}{path}?pretty=true'\n\
         \n"
    )
}

fn print(text: &str) {
    // Standard output may be closed; the service continues.
    let _ = io::stdout().write_all(text.as_bytes());
}
