//! Runs a service from its configuration to its exit code.

use std::net::SocketAddr;
use std::process::ExitCode;

use axum::BoxError;
use tapisservice_config::{Config, ConfigError, EXIT_CODE};
use tapisservice_core::Error;
use tapisservice_logs::{self as logs, LogError, LogGuard};
use tapisservice_serve::{ServeError, Server, Shutdown};
use tracing::{error, info, warn};

use crate::Settings;
use crate::app::{AppBuilder, BuildError};
use crate::metrics;

/// Why a service did not start, or failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The configuration is invalid.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Logs cannot be written.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The service cannot be built.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The service cannot listen.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// A setting of the service is invalid, or what it refers to cannot be used.
    #[error("{}", of_setting(.key, .source))]
    Setting {
        /// The setting.
        key: String,
        /// What is wrong. Its text is printed, so it must not contain a secret.
        source: BoxError,
    },
    /// The service failed. The text is printed, so it must not contain a secret.
    #[error(transparent)]
    Service(BoxError),
    /// The framework failed while the service was assembled.
    #[error("{}", .0.traceback())]
    Failed(#[source] Error),
}

impl StartError {
    /// An invalid setting: exit code 78.
    ///
    /// ```
    /// use tapisservice::StartError;
    ///
    /// let error = StartError::setting("shelf_count", "expected 1 to 100");
    /// assert_eq!(error.to_string(), "`shelf_count` (variable TAPIS_SHELF_COUNT): expected 1 to 100");
    /// ```
    pub fn setting(key: impl Into<String>, source: impl Into<BoxError>) -> Self {
        Self::Setting { key: key.into(), source: source.into() }
    }

    /// A failure that no setting fixes: exit code 1.
    pub fn service(source: impl Into<BoxError>) -> Self {
        Self::Service(source.into())
    }

    /// 78 (`EX_CONFIG`) if the service cannot start with this configuration or environment (an invalid setting, a port in use, an
    /// unwritable log file, routes that cannot be built), else 1 (rule C7, F26).
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Config(_) | Self::Log(_) | Self::Build(_) | Self::Serve(_) | Self::Setting { .. } => {
                ExitCode::from(EXIT_CODE)
            }
            Self::Service(_) | Self::Failed(_) => ExitCode::FAILURE,
        }
    }
}

/// Adds the name of the setting, unless the text has it.
fn of_setting(key: &str, source: &BoxError) -> String {
    let text = source.to_string();
    if text.contains(&format!("`{key}`")) {
        text
    } else {
        format!("`{key}` (variable TAPIS_{}): {text}", key.to_uppercase())
    }
}

impl From<Error> for StartError {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Runs a service until a signal stops it: initializes the logs, assembles the service, listens, serves and shuts down gracefully. A
/// failure is one line on standard error, and decides the exit code.
///
/// `assemble` gets the configuration, with the service's own settings, and the settings of the framework, opens what the service needs and returns the [`AppBuilder`].
/// SIGTERM, SIGINT and SIGQUIT stop the service, also while it is being assembled. A second signal exits immediately.
///
/// ```
/// use tapisservice::prelude::*;
/// use tapisservice::{App, Settings, run};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # let config = Settings::loader().environment([("service_name", "demo"), ("service_site_id", "tacc"), ("listen", "127.0.0.1:0"),
/// #     ("service_tenant_id", "admin"), ("primary_site_admin_tenant_base_url", "http://127.0.0.1:1"), ("drain_seconds", "0")])
/// #     .fallback_config("none", r#"{"tenants": ["*"]}"#)
/// #     .load().unwrap();
/// let exit_code = run(config, async |_config, settings| {
///     let app = App::builder(settings).routes(Routes::new());
///     # let stop = app.shutdown().clone();
///     # let app = app.on_listening(move |_| stop.trigger());
///     Ok(app)
/// })
/// .await;
/// # assert_eq!(exit_code, std::process::ExitCode::SUCCESS);
/// # }
/// ```
pub async fn run<S, F>(config: Config<S>, assemble: F) -> ExitCode
where
    F: AsyncFnOnce(&Config<S>, Settings) -> Result<AppBuilder, StartError>,
{
    let (settings, _guard) = match init(&config) {
        Ok(initialized) => initialized,
        Err(error) => return report_error(&error),
    };
    let logs_to_file = settings.logs.log_file.is_some();
    match serve(&config, settings, assemble).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Without a log file both outputs may be one terminal, where one line is enough.
            if logs_to_file {
                error!(reason = %error, "the service failed");
            }
            report_error(&error)
        }
    }
}

/// The output of a command such as `check-config` for a valid configuration: every key with its value and its source. Secrets are masked.
/// Warnings go to standard error.
pub fn show_config<S>(config: &Config<S>) -> String {
    for warning in config.warnings() {
        note(&format!("warning: {warning}"));
    }
    config.to_string()
}

/// Prints why a service does not start to standard error, and returns the exit code.
#[expect(clippy::print_stderr, reason = "logs may not be there, or go to a file nobody looks at now")]
pub fn report_error(error: &StartError) -> ExitCode {
    eprintln!("{error}");
    error.exit_code()
}

fn init<S>(config: &Config<S>) -> Result<(Settings, LogGuard), StartError> {
    let settings = Settings::from_config(config)?;
    if let Some(password) = &settings.service.service_password {
        logs::redact_secret(password.expose());
    }
    let guard = logs::init(&settings.logs)?;
    logs::set_panic_hook(metrics::count_panic);
    for warning in config.warnings() {
        if tracing::enabled!(tracing::Level::WARN) {
            warn!(%warning, "configuration warning");
        } else {
            note(&format!("warning: {warning}"));
        }
    }
    if let Some(tenants) = settings.auth.served_tenants() {
        // At every log level: the Python library ignores the list, so a file made for it may restrict the service by accident (rule H7).
        if tracing::enabled!(tracing::Level::WARN) {
            warn!(?tenants, "{RESTRICTED}");
        } else {
            note(&format!("warning: {RESTRICTED}: {}", tenants.join(", ")));
        }
    }
    Ok((settings, guard))
}

const RESTRICTED: &str = "serving only the tenants in the setting `tenants`; all others get 403";

/// Writes a line to standard error that must be seen at every log level.
#[expect(clippy::print_stderr, reason = "logs may not show it at their level")]
fn note(line: &str) {
    eprintln!("{line}");
}

async fn serve<S, F>(config: &Config<S>, settings: Settings, assemble: F) -> Result<(), StartError>
where
    F: AsyncFnOnce(&Config<S>, Settings) -> Result<AppBuilder, StartError>,
{
    let listen = settings.service.listen;
    // Local development: the port was not configured, and it may be in use (on macOS, AirPlay Receiver uses 5000).
    let may_move =
        settings.auth.server == tapisservice_auth::Environment::Dev && !config.is_configured("listen");
    let stop = Shutdown::on_signals()?;
    let app = tokio::select! {
        biased;
        () = stop.draining() => {
            note("stopped by a signal during startup");
            return Ok(());
        }
        app = assemble(config, settings) => app?,
    };
    // The author may have passed on the handle of the app already, so there are two.
    let handle = app.shutdown().clone();
    tokio::spawn(async move {
        stop.draining().await;
        handle.trigger();
    });
    let app = app.build()?;
    let server = if may_move { bind_next_free(listen).await? } else { Server::bind(listen).await? };
    info!(address = %server.local_addr(), "listening");
    app.serve(server).await?;
    Ok(())
}

/// Listens on the next free port if the first one is in use, and prints it.
async fn bind_next_free(listen: SocketAddr) -> Result<Server, ServeError> {
    let server = Server::bind_next_free(listen).await?;
    let address = server.local_addr();
    if listen.port() != 0 && address != listen {
        note(&format!("{listen} is in use: listening on {address} instead"));
    }
    Ok(server)
}
