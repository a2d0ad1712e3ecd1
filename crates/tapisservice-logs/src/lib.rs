#![doc = include_str!("../README.md")]

mod background;
mod capture;
mod error;
mod escape;
mod fields;
mod file;
mod filter;
mod guard;
mod human;
mod json;
mod layer;
mod level;
mod line;
mod module;
mod output;
mod panic;
mod redact;
mod request;
mod settings;

use std::sync::Arc;

use tracing::Subscriber;
use tracing_subscriber::{Layer, fmt::MakeWriter, layer::SubscriberExt, registry, registry::LookupSpan};

pub use self::{
    capture::Capture,
    error::LogError,
    guard::LogGuard,
    level::{LogLevel, UnknownLevel},
    panic::set_panic_hook,
    redact::{redact, redact_secret},
    request::REQUEST_SPAN,
    settings::{FilingStrategy, LogFormat, LogSettings},
};
#[doc(no_inline)]
pub use tapisservice_core::Throttled;

use self::{
    filter::{Levels, LogFilter},
    layer::LogLayer,
};

/// Sets up logging for the whole process: subscriber, bridge from the `log` crate, [panic hook](set_panic_hook).
///
/// Keep the guard until the end of `main`. A service that needs a second layer, for example to export traces, builds
/// its own subscriber with [`layer`] and installs it with [`install`].
///
/// # Errors
///
/// If a log file cannot be opened, a writer thread cannot be started, or a subscriber is already installed.
pub fn init(settings: &LogSettings) -> Result<LogGuard, LogError> {
    let (layer, guard) = layer(settings)?;
    install(settings, registry().with(layer))?;
    Ok(guard)
}

/// Installs a subscriber that contains [`layer`], the bridge from the `log` crate and the panic hook.
///
/// If the `log` crate already has a logger, that one stays.
///
/// # Errors
///
/// [`LogError::AlreadySet`] if the process already has a subscriber. Nothing is changed then.
pub fn install(
    settings: &LogSettings,
    subscriber: impl Subscriber + Send + Sync + 'static,
) -> Result<(), LogError> {
    tracing::subscriber::set_global_default(subscriber).map_err(|_| LogError::AlreadySet)?;
    let verbosity = Levels::new(settings).most_verbose();
    let bridge = tracing_log::LogTracer::builder().with_max_level(as_log(verbosity));
    // Fails only if another logger is installed, which stays.
    let _ = bridge.init();
    set_panic_hook(|| ());
    Ok(())
}

/// The logging layer with the configured outputs, to be combined with other layers.
///
/// # Errors
///
/// If a log file cannot be opened or a writer thread cannot be started.
pub fn layer<S>(settings: &LogSettings) -> Result<(impl Layer<S> + Send + Sync + use<S>, LogGuard), LogError>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let (outputs, guard) = output::open(settings)?;
    Ok((layer_over(settings, outputs, output::is_ansi(settings)), guard))
}

/// A subscriber that writes to another writer, for `tracing::subscriber::with_default` in tests.
///
/// Each write is one line. The files of the settings are not opened.
pub fn subscriber<W>(settings: &LogSettings, writer: W) -> impl Subscriber + Send + Sync + use<W>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    registry().with(layer_over(settings, writer, false))
}

fn layer_over<S, W>(settings: &LogSettings, writer: W, ansi: bool) -> impl Layer<S> + Send + Sync + use<S, W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let levels = Arc::new(Levels::new(settings));
    let layer = LogLayer { levels: Arc::clone(&levels), writer, format: settings.log_format, ansi };
    layer.with_filter(LogFilter(levels))
}

fn as_log(level: tracing::level_filters::LevelFilter) -> tracing_log::log::LevelFilter {
    use tracing_log::AsLog as _;
    level.into_level().map_or(tracing_log::log::LevelFilter::Off, |level| level.as_log().to_level_filter())
}
