//! The levels of the configuration.

use std::borrow::Cow;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

use tracing::{Level, level_filters::LevelFilter};

/// A value of `log_level` or of a `*_log_level` key (C2).
///
/// The Python framework has the same names except `Trace`. `Critical` logs only panics and events
/// with the field `critical = true`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum LogLevel {
    /// Everything except the traces of dependencies.
    Trace,
    /// Details for developers.
    Debug,
    /// Normal operation.
    Info,
    /// Conditions that may become failures.
    Warn,
    /// Failures. The default.
    #[default]
    Error,
    /// Panics and events with `critical = true`.
    Critical,
}

impl LogLevel {
    /// The least severe `tracing` level that is written.
    pub(super) fn most_verbose(self) -> Level {
        match self {
            Self::Trace => Level::TRACE,
            Self::Debug => Level::DEBUG,
            Self::Info => Level::INFO,
            Self::Warn => Level::WARN,
            Self::Error | Self::Critical => Level::ERROR,
        }
    }

    /// The same for `tracing`'s static filters.
    pub(super) fn filter(self) -> LevelFilter {
        LevelFilter::from_level(self.most_verbose())
    }
}

/// As a configuration names it.
impl Serialize for LogLevel {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
            Self::Critical => "CRITICAL",
        })
    }
}

/// The names of the Python framework: a configuration holds no others.
impl JsonSchema for LogLevel {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "LogLevel".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "enum": ["DEBUG", "INFO", "WARN", "WARNING", "ERROR", "CRITICAL"]})
    }
}

/// The text is not a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected one of TRACE, DEBUG, INFO, WARN, ERROR, CRITICAL")]
pub struct UnknownLevel;

impl FromStr for LogLevel {
    type Err = UnknownLevel;

    /// Ignores case, and accepts `WARNING` for `WARN`.
    fn from_str(text: &str) -> Result<Self, UnknownLevel> {
        match text.to_ascii_uppercase().as_str() {
            "TRACE" => Ok(Self::Trace),
            "DEBUG" => Ok(Self::Debug),
            "INFO" => Ok(Self::Info),
            "WARN" | "WARNING" => Ok(Self::Warn),
            "ERROR" => Ok(Self::Error),
            "CRITICAL" => Ok(Self::Critical),
            _ => Err(UnknownLevel),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warning_is_taken_as_warn_and_case_does_not_matter() {
        assert_eq!("WARNING".parse(), Ok(LogLevel::Warn));
        assert_eq!("debug".parse(), Ok(LogLevel::Debug));
        assert_eq!("LOUD".parse::<LogLevel>(), Err(UnknownLevel));
    }
}
