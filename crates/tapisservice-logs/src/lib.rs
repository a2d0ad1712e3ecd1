#![doc = include_str!("../README.md")]

mod background;
mod capture;
mod error;
mod escape;
mod fields;
mod file;
mod filter;
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
mod sink;

use std::sync::Arc;

use tracing::Subscriber;
use tracing_subscriber::{Layer, layer::SubscriberExt, registry, registry::LookupSpan};

pub use self::{
    capture::Capture,
    error::LogError,
    level::{LogLevel, UnknownLevel},
    output::LogGuard,
    panic::set_panic_hook,
    redact::{redact, redact_secret},
    request::REQUEST_SPAN,
    settings::{FilingStrategy, LogFormat, LogSettings},
    sink::{Destination, OpenSink, Sink, WriteLine},
};
#[doc(no_inline)]
pub use tapisservice_core::Throttled;

use self::{
    filter::{Levels, LogFilter},
    layer::LogLayer,
    output::Outputs,
    sink::Sinks,
};

/// Sets up logging for the whole process: subscriber, bridge from the `log` crate, [panic hook](set_panic_hook).
///
/// Keep the guard until the end of `main`. A service that needs a second layer, for traces say, builds the
/// subscriber itself from [`layer`] and installs it with [`install`].
///
/// # Errors
///
/// When a log file cannot be opened, a writer thread cannot be started, or a subscriber is installed already.
pub fn init(settings: &LogSettings) -> Result<LogGuard, LogError> {
    let (layer, guard) = layer(settings)?;
    install(settings, registry().with(layer))?;
    Ok(guard)
}

/// Installs a subscriber that holds [`layer`], the bridge from the `log` crate and the panic hook.
///
/// A logger that somebody else gave the `log` crate stays in place.
///
/// # Errors
///
/// [`LogError::AlreadySet`] when the process has a subscriber; nothing is changed then.
pub fn install(
    settings: &LogSettings,
    subscriber: impl Subscriber + Send + Sync + 'static,
) -> Result<(), LogError> {
    tracing::subscriber::set_global_default(subscriber).map_err(|_| LogError::AlreadySet)?;
    let verbosity = Levels::new(settings).most_verbose();
    let bridge = tracing_log::LogTracer::builder().with_max_level(as_log(verbosity));
    // Fails only when another logger is installed, which then stays.
    let _ = bridge.init();
    set_panic_hook(|| ());
    Ok(())
}

/// The logging layer over the configured outputs, to compose with other layers.
///
/// # Errors
///
/// When a log file cannot be opened or a writer thread cannot be started.
pub fn layer<S>(settings: &LogSettings) -> Result<(impl Layer<S> + Send + Sync + use<S>, LogGuard), LogError>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let mut outputs = Outputs { format: settings.log_format, guard: LogGuard::default() };
    let layer = layer_over(settings, &mut outputs)?;
    Ok((layer, outputs.guard))
}

/// A subscriber over other outputs, for `tracing::subscriber::with_default` in tests.
///
/// # Errors
///
/// What `outputs` answers.
pub fn subscriber<O: OpenSink>(
    settings: &LogSettings,
    outputs: &mut O,
) -> Result<impl Subscriber + Send + Sync + use<O>, LogError> {
    Ok(registry().with(layer_over(settings, outputs)?))
}

fn layer_over<S, O>(
    settings: &LogSettings,
    outputs: &mut O,
) -> Result<impl Layer<S> + Send + Sync + use<S, O>, LogError>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    O: OpenSink,
{
    let levels = Arc::new(Levels::new(settings));
    let sinks = Sinks::open(settings, outputs)?;
    let layer = LogLayer { levels: Arc::clone(&levels), sinks, format: settings.log_format };
    Ok(layer.with_filter(LogFilter(levels)))
}

fn as_log(level: tracing::level_filters::LevelFilter) -> tracing_log::log::LevelFilter {
    use tracing_log::AsLog as _;
    level.into_level().map_or(tracing_log::log::LevelFilter::Off, |level| level.as_log().to_level_filter())
}
