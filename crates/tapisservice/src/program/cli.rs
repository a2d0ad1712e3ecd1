//! The command line of a service.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
#[cfg(any(feature = "postgres", feature = "sqlite"))]
use tapisservice_db::migrate::{CommandError, MigrateCommand};
use tokio::runtime::Runtime;

use super::load::load;
use super::{TapisService, describe};
use crate::{Settings, StartError, report_error, run, show_config};

#[derive(Parser)]
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
    /// Print the OpenAPI document, or compare it with an older one
    Openapi {
        #[command(subcommand)]
        command: Option<OpenapiCommand>,
    },
    /// Check, show or document the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print the configuration, with secrets masked and the source of each value, or every error in it; the same as `config show`
    CheckConfig,
    /// Apply, revert, list or create migrations
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    #[command(subcommand)]
    Migrate(MigrateCommand),
    /// Apply pending migrations; the same as `migrate up`
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    Upgrade(tapisservice_db::migrate::UpArguments),
    /// Check that the local service is alive (for container health checks)
    Healthcheck,
    /// Run the embedded Tapis site alone, without the service
    #[cfg(feature = "devsite")]
    Devsite(super::devsite::Arguments),
}

#[derive(Subcommand)]
enum OpenapiCommand {
    /// List what changed since an older document; fail if a client of it may break
    Diff {
        /// The older document, as `openapi` printed it
        old: PathBuf,
        /// The newer document; without it, the one of this program
        new: Option<PathBuf>,
    },
}

#[derive(Subcommand)]
enum ConfigCommand {
    /// Check the configuration and print every error in it
    Check,
    /// Print the configuration, with secrets masked and the source of each value
    Show,
    /// Print a table of all settings, as Markdown
    Docs,
}

/// Commands that only a service with a database has.
#[cfg(any(feature = "postgres", feature = "sqlite"))]
const OF_DATABASE: [&str; 2] = ["migrate", "upgrade"];

pub(super) fn main<T: TapisService>() -> ExitCode {
    let command = match parse::<T>().command.unwrap_or(Command::Serve) {
        Command::Routes => return print(routes::<T>()),
        Command::Openapi { command: None } => return print(openapi::<T>()),
        Command::Openapi { command: Some(OpenapiCommand::Diff { old, new }) } => {
            return print(diff::<T>(&old, new.as_deref()));
        }
        Command::Config(ConfigCommand::Check) => return print(check_config::<T>()),
        Command::Config(ConfigCommand::Show) | Command::CheckConfig => return print(show::<T>()),
        Command::Config(ConfigCommand::Docs) => return print(Ok(super::load::settings_table::<T>())),
        Command::Healthcheck => return print(healthcheck::<T>()),
        command => command,
    };
    let ended = block_on(async {
        match command {
            #[cfg(any(feature = "postgres", feature = "sqlite"))]
            Command::Migrate(command) => migrate::<T>(command).await,
            #[cfg(any(feature = "postgres", feature = "sqlite"))]
            Command::Upgrade(arguments) => migrate::<T>(MigrateCommand::Up(arguments)).await,
            #[cfg(feature = "devsite")]
            Command::Devsite(arguments) => super::devsite::serve_alone::<T>(arguments).await,
            _ => serve::<T>().await,
        }
    });
    ended.unwrap_or_else(|error| report_error(&StartError::service(error)))
}

/// Runs the future on a runtime, and waits for nothing else. Dropping a runtime waits for threads that are blocked, without a limit: the
/// process would outlive its `shutdown_seconds`.
fn block_on<F: Future>(future: F) -> io::Result<F::Output> {
    let runtime = Runtime::new()?;
    let output = runtime.block_on(future);
    runtime.shutdown_background();
    Ok(output)
}

/// The arguments of the process. Exits on `--help`, `--version` and errors.
fn parse<T: TapisService>() -> Cli {
    let package = T::PACKAGE;
    let command = Cli::command().name(package.name).version(package.version).about(package.description);
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    let command = if T::migrations().is_none() {
        OF_DATABASE.iter().fold(command, |command, name| command.mut_subcommand(name, |one| one.hide(true)))
    } else {
        command
    };
    Cli::from_arg_matches(&command.get_matches()).unwrap_or_else(|error| error.exit())
}

async fn serve<T: TapisService>() -> ExitCode {
    let config = match load::<T>() {
        Ok(config) => config,
        Err(error) => return report_error(&error.into()),
    };
    #[cfg(feature = "devsite")]
    return run(config, super::devsite::assemble::<T>).await;
    #[cfg(not(feature = "devsite"))]
    run(config, super::assemble::<T>).await
}

#[cfg(any(feature = "postgres", feature = "sqlite"))]
async fn migrate<T: TapisService>(command: MigrateCommand) -> ExitCode {
    let Some(migrator) = T::migrations() else {
        return report_error(&StartError::service(super::database::NoDatabase));
    };
    let connect =
        || load::<T>().map_err(StartError::from).and_then(|config| super::database::connect(&config));
    match command.run(&migrator, connect).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(CommandError::Connect(error)) => report_error(&error),
        Err(error) => report_error(&StartError::service(error)),
    }
}

fn routes<T: TapisService>() -> Result<String, StartError> {
    let lines: Vec<_> = describe::<T>()?.routes.iter().map(ToString::to_string).collect();
    Ok(lines.join("\n") + "\n")
}

#[cfg(feature = "openapi")]
fn openapi<T: TapisService>() -> Result<String, StartError> {
    let document = describe::<T>()?.openapi.to_pretty_json();
    document.map(|json| json + "\n").map_err(StartError::service)
}

#[cfg(not(feature = "openapi"))]
fn openapi<T: TapisService>() -> Result<String, StartError> {
    Err(StartError::service("this program is built without the feature `openapi` of tapisservice"))
}

/// The changes, one per line. Breaking ones are an error, so that a CI job fails.
#[cfg(feature = "openapi")]
fn diff<T: TapisService>(old: &Path, new: Option<&Path>) -> Result<String, StartError> {
    let read = |path: &Path| {
        let text = std::fs::read(path)
            .map_err(|error| StartError::service(format!("{}: {error}", path.display())))?;
        let document: serde_json::Value = serde_json::from_slice(&text)
            .map_err(|error| StartError::service(format!("{} is not JSON: {error}", path.display())))?;
        if document["paths"].is_object() {
            Ok(document)
        } else {
            Err(StartError::service(format!("{} is no OpenAPI document: it has no paths", path.display())))
        }
    };
    let new = match new {
        Some(path) => read(path)?,
        None => serde_json::to_value(describe::<T>()?.openapi).map_err(StartError::service)?,
    };
    let changes = crate::docs::compare(&read(old)?, &new);
    let breaking = changes.iter().filter(|change| change.is_breaking).count();
    let lines = changes.iter().map(|change| format!("{change}\n")).collect::<Vec<_>>().concat();
    if breaking == 0 {
        return Ok(if lines.is_empty() { "no changes\n".to_owned() } else { lines });
    }
    Err(StartError::service(format!("{lines}breaking changes: {breaking}")))
}

#[cfg(not(feature = "openapi"))]
fn diff<T: TapisService>(_: &Path, _: Option<&Path>) -> Result<String, StartError> {
    openapi::<T>()
}

fn check_config<T: TapisService>() -> Result<String, StartError> {
    load::<T>()
        .map(|config| show_config(&config))
        .map(|_| "the configuration is valid\n".to_owned())
        .map_err(StartError::from)
}

fn show<T: TapisService>() -> Result<String, StartError> {
    load::<T>().map(|config| show_config(&config)).map_err(StartError::from)
}

fn healthcheck<T: TapisService>() -> Result<String, StartError> {
    let settings = Settings::from_config(&load::<T>()?)?;
    match crate::healthcheck(&settings.service) {
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

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn a_blocked_thread_does_not_hold_up_the_end() {
        let start = Instant::now();
        let begin = async {
            tokio::task::spawn_blocking(|| thread::sleep(Duration::from_mins(1)));
            7
        };
        assert_eq!(block_on(begin).unwrap(), 7);
        assert!(start.elapsed() < Duration::from_secs(30));
    }
}
