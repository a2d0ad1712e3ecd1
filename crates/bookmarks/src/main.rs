//! The command line of the service.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use bookmarks::BookmarksSettings;
use clap::{Parser, Subcommand};
use tapisservice::config::{Config, ConfigError};
use tapisservice::db::migrate::{CommandError, MigrateCommand};
use tapisservice::{Settings, StartError, report_error, run, show_config};

/// The example service: users keep bookmarks to paths on Tapis systems.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve until SIGTERM or SIGINT (the default)
    Serve,
    /// List the routes: method, path, policy, operation id
    Routes,
    /// Print the OpenAPI document
    Openapi,
    /// Print the configuration, with secrets masked and the source of each value, or every error in it
    CheckConfig,
    /// Check that the local service is alive (for container health checks)
    Healthcheck,
    #[command(flatten)]
    Migrate(MigrateCommand),
}

#[tokio::main]
async fn main() -> ExitCode {
    match Cli::parse().command.unwrap_or(Command::Serve) {
        Command::Serve => match load() {
            Ok(config) => serve(config).await,
            Err(error) => report_error(&error.into()),
        },
        Command::Routes => print(routes()),
        Command::Openapi => print(openapi()),
        Command::CheckConfig => print(load().map(|config| show_config(&config)).map_err(StartError::from)),
        Command::Healthcheck => print(healthcheck()),
        Command::Migrate(command) => migrate(command).await,
    }
}

async fn migrate(command: MigrateCommand) -> ExitCode {
    let connect = || load().map_err(StartError::from).and_then(|config| bookmarks::connect(&config));
    match command.run(bookmarks::migrator(), connect).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(CommandError::Connect(error)) => report_error(&error),
        Err(error) => report_error(&StartError::service(error)),
    }
}

#[cfg(feature = "devsite")]
async fn serve(config: Config<BookmarksSettings>) -> ExitCode {
    run(config, bookmarks::devsite::app_with_site).await
}

#[cfg(not(feature = "devsite"))]
async fn serve(config: Config<BookmarksSettings>) -> ExitCode {
    run(config, bookmarks::app).await
}

/// The configuration of a deployment. On a machine without one, a development build uses `config-local.json` of the
/// current folder, or the version compiled into the service.
fn load() -> Result<Config<BookmarksSettings>, ConfigError> {
    let loader = bookmarks::loader();
    if cfg!(feature = "devsite") && !Path::new("/home/tapis/config.json").exists() {
        const LOCAL: &str = include_str!("../../../config-local.json");
        return loader.local_config("config-local.json", LOCAL).load();
    }
    loader.load()
}

fn routes() -> Result<String, StartError> {
    let app = bookmarks::describe()?;
    let lines: Vec<_> = app.routes().iter().map(ToString::to_string).collect();
    Ok(lines.join("\n") + "\n")
}

fn openapi() -> Result<String, StartError> {
    let document = bookmarks::describe()?.openapi().to_pretty_json();
    document.map(|json| json + "\n").map_err(StartError::service)
}

fn healthcheck() -> Result<String, StartError> {
    let settings = Settings::from_config(&load()?)?;
    match tapisservice::healthcheck(&settings.service) {
        Ok(()) => Ok("healthy\n".to_owned()),
        Err(unhealthy) => Err(StartError::service(unhealthy)),
    }
}

fn print(text: Result<String, StartError>) -> ExitCode {
    match text {
        // The reader may have closed the pipe, as `head` does.
        Ok(text) => match io::stdout().write_all(text.as_bytes()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        },
        Err(error) => report_error(&error),
    }
}
