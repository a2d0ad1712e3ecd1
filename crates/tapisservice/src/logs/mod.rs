//! Logs: to standard output or files, for people or collectors, with the ids of the request on every line.
//!
//! A service calls [`init`] once with the logging keys of its configuration and then uses the macros of
//! `tracing` as usual; records of the `log` crate arrive too. Every line inside a request carries tenant, user, request id
//! and tracking id, as the current [`RequestContext`](tapisservice_core::RequestContext) knows them: a task that a handler spawns takes
//! them along with `g.scope(..)`. What each key does, and how to read and rotate the files, is in `docs/LOGGING.md`.
//!
//! ```
//! use tapisservice::logs::{self, Capture, LogSettings};
//!
//! let settings: LogSettings = serde_json::from_str(r#"{ "log_level": "INFO" }"#)?;
//! # let capture = Capture::default();
//! # let subscriber = logs::subscriber(&settings, &mut capture.clone())?;
//! # let _local = tracing::subscriber::set_default(subscriber);
//! # if false {
//! let _guard = logs::init(&settings)?;
//! # }
//!
//! # use tapisservice::core::{RequestContext, ServiceInfo, TrackingId};
//! # let service = ServiceInfo::new("bookmarks", "1");
//! # let g = RequestContext::builder(service.into()).request_id("r1").tracking_id(TrackingId::new("t.1").ok()).build();
//! g.sync_scope(|| tracing::info!(count = 2, "listed"));
//! // 2026-01-02T03:04:05.006Z INFO  bookmarks: listed count=2 method=GET path=/ [req=r1 trk=t.1]
//! # assert!(capture.lines()[0].ends_with("listed count=2 method=GET path=/ [req=r1 trk=t.1]"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Invariants: one event is one line, whatever its values contain (F23); a value passes the masks before it is
//! written (F24); logging never blocks a request on a slow output.

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
mod throttle;

use std::sync::Arc;

use tracing::Subscriber;
use tracing_subscriber::{Layer, layer::SubscriberExt, registry, registry::LookupSpan};

pub(crate) use self::panic::is_installed as panics_are_counted;
pub(crate) use self::redact::text as masked;
pub(crate) use self::request::REQUEST_SPAN;
pub(crate) use self::throttle::LINES_PER_MINUTE;
pub use self::{
    capture::Capture,
    error::LogError,
    level::{LogLevel, UnknownLevel},
    output::LogGuard,
    redact::redact_secret,
    settings::{FilingStrategy, LogFormat, LogSettings},
    sink::{Destination, OpenSink, Sink, WriteLine},
    throttle::Throttled,
};
use self::{
    filter::{Levels, LogFilter},
    layer::LogLayer,
    output::Outputs,
    sink::Sinks,
};

/// Sets up logging for the whole process: subscriber, bridge from the `log` crate, panic hook.
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
    panic::install();
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
