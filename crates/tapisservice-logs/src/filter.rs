//! Which spans and events are logged.

use std::sync::Arc;

use tracing::{Level, Metadata, Subscriber, level_filters::LevelFilter, subscriber::Interest};
use tracing_subscriber::layer::{Context, Filter};

use super::{
    LogLevel, LogSettings,
    module::{ModuleTable, covers},
    request,
};

/// Dependencies that are held at `WARN`: at `DEBUG` they drown out the service, and some print headers.
const DEPENDENCIES: &[&str] = &[
    "axum",
    "h2",
    "hickory_proto",
    "hickory_resolver",
    "hyper",
    "hyper_rustls",
    "hyper_util",
    "jsonschema",
    "mio",
    "opentelemetry",
    "opentelemetry_otlp",
    "opentelemetry_sdk",
    "quinn",
    "reqwest",
    "reqwest_middleware",
    "rustls",
    "rustls_platform_verifier",
    "sqlx",
    "sqlx_core",
    "sqlx_postgres",
    "sqlx_sqlite",
    "tokio",
    "tokio_util",
    "tonic",
    "tower",
    "tower_http",
    "want",
];

/// The level of every target: the longest `*_log_level` name, else `WARN` for dependencies, else `log_level`.
#[derive(Clone, Debug)]
pub(super) struct Levels {
    default: LogLevel,
    modules: ModuleTable<LogLevel>,
}

impl Levels {
    pub(super) fn new(settings: &LogSettings) -> Self {
        let modules = settings.module_levels.iter().map(|(name, level)| (name.as_str(), *level));
        Self { default: settings.log_level, modules: ModuleTable::new(modules) }
    }

    pub(super) fn of(&self, target: &str) -> LogLevel {
        match self.modules.get(target) {
            Some(level) => *level,
            None if DEPENDENCIES.iter().any(|name| covers(name, target)) => self.default.max(LogLevel::Warn),
            None => self.default,
        }
    }

    fn wants(&self, metadata: &Metadata<'_>) -> bool {
        let level = self.of(metadata.target());
        if request::is_span(metadata) {
            return false;
        }
        // Spans are kept from `INFO` up at every level, so that the line of an error has its context.
        if metadata.is_span() {
            return *metadata.level() <= level.most_verbose()
                || (*metadata.level() <= Level::INFO && !self.is_dependency(metadata.target()));
        }
        if level == LogLevel::Critical {
            return metadata.fields().field("critical").is_some();
        }
        *metadata.level() <= level.most_verbose()
    }

    fn is_dependency(&self, target: &str) -> bool {
        self.modules.get(target).is_none() && DEPENDENCIES.iter().any(|name| covers(name, target))
    }

    pub(super) fn most_verbose(&self) -> LevelFilter {
        let quietest_for_spans = LogLevel::Info;
        let named = self.modules.values().copied();
        named.chain([self.default, quietest_for_spans]).min().unwrap_or_default().filter()
    }
}

/// [`Levels`] as a per-layer filter, so that other layers of the same subscriber stay unaffected.
#[derive(Clone, Debug)]
pub(super) struct LogFilter(pub(super) Arc<Levels>);

impl<S: Subscriber> Filter<S> for LogFilter {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        self.0.wants(metadata)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        // All records of the `log` crate share these callsites, so their real target is known only for each event.
        if metadata.target() == "log" {
            return Interest::sometimes();
        }
        if self.0.wants(metadata) { Interest::always() } else { Interest::never() }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.0.most_verbose())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_target_takes_the_level_of_its_longest_name() {
        let settings = serde_json::from_value(json!({
            "log_level": "DEBUG",
            "tapisservice.auth_log_level": "INFO",
            "bookmarks.store_log_level": "CRITICAL",
            "hyper_log_level": "TRACE",
        }))
        .unwrap();
        let levels = Levels::new(&settings);
        let cases = [
            ("bookmarks", LogLevel::Debug),
            ("bookmarks::store::sqlite", LogLevel::Critical),
            ("tapisservice_auth::layer", LogLevel::Info),
            ("tapisservice_client", LogLevel::Debug),
            ("hyper::proto", LogLevel::Trace),
            ("hyper_util::client", LogLevel::Warn),
            ("sqlx::query", LogLevel::Warn),
            ("h2", LogLevel::Warn),
            ("h2o", LogLevel::Debug),
        ];
        for (target, level) in cases {
            assert_eq!(levels.of(target), level, "{target}");
        }
        assert_eq!(levels.most_verbose(), LevelFilter::TRACE);
    }

    #[test]
    fn dependencies_are_no_louder_than_the_service() {
        let settings = serde_json::from_value(json!({ "log_level": "ERROR" })).unwrap();
        assert_eq!(Levels::new(&settings).of("sqlx::query"), LogLevel::Error);
    }
}
