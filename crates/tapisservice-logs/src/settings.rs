//! The logging keys of the configuration.

use std::{borrow::Cow, collections::BTreeMap, path::PathBuf, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{LogError, LogLevel};

/// The logging keys of the merged configuration (C2): `log_level`, `log_file`, `log_filing_strategy`,
/// `log_format`, and the pattern keys `*_log_level` and `*_log_file`. All other keys are ignored.
///
/// ```
/// use tapisservice_logs::{LogLevel, LogSettings};
///
/// let settings: LogSettings = serde_json::from_str(
///     r#"{ "service_name": "bookmarks", "log_level": "WARNING", "bookmarks.store_log_level": "DEBUG" }"#,
/// )?;
/// assert_eq!(settings.log_level, LogLevel::Warn);
/// assert_eq!(settings.module_levels["bookmarks.store"], LogLevel::Debug);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Map<String, Value>")]
#[non_exhaustive]
pub struct LogSettings {
    /// `log_level`: the level of every module without one of its own. The default is `ERROR`.
    pub log_level: LogLevel,
    /// `log_file`: where lines go instead of standard output.
    pub log_file: Option<PathBuf>,
    /// `log_filing_strategy`: whether modules may have files of their own.
    pub log_filing_strategy: FilingStrategy,
    /// `log_format`: what a line looks like.
    pub log_format: LogFormat,
    /// `<module>_log_level` by module.
    pub module_levels: BTreeMap<String, LogLevel>,
    /// `<module>_log_file` by module; used only by [`FilingStrategy::Split`].
    pub module_files: BTreeMap<String, PathBuf>,
}

/// The values of `log_filing_strategy`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum FilingStrategy {
    /// Every line goes to `log_file`, or to standard output when there is none.
    #[default]
    Combined,
    /// A module's lines go to `<module>_log_file` where that is set, else as under `Combined`.
    Split,
}

/// The values of `log_format`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum LogFormat {
    /// One line of text for people.
    #[default]
    Human,
    /// One JSON object per line for collectors.
    Json,
}

impl LogSettings {
    /// Reads the logging keys from a whole configuration.
    ///
    /// A key that is absent, `null` or an empty string takes its default.
    ///
    /// # Errors
    ///
    /// [`LogError::Setting`] with the first key whose value is invalid. It never contains the value.
    pub fn from_map(config: &Map<String, Value>) -> Result<Self, LogError> {
        let mut settings = Self::default();
        for (key, value) in config {
            if let Some(text) = text(key, value)? {
                settings.set(key, text)?;
            }
        }
        Ok(settings)
    }

    fn set(&mut self, key: &str, text: &str) -> Result<(), LogError> {
        match key {
            "log_level" => self.log_level = level(key, text)?,
            "log_file" => self.log_file = Some(text.into()),
            "log_filing_strategy" => self.log_filing_strategy = parse(key, text)?,
            "log_format" => self.log_format = parse(key, text)?,
            _ => {
                if let Some(module) = key.strip_suffix("_log_level") {
                    self.module_levels.insert(module.to_owned(), level(key, text)?);
                } else if let Some(module) = key.strip_suffix("_log_file") {
                    self.module_files.insert(module.to_owned(), text.into());
                }
            }
        }
        Ok(())
    }
}

/// The keys with fixed names, for the schema.
#[derive(Default, JsonSchema)]
#[schemars(default, transform = add_module_keys)]
struct Keys {
    /// Least severe level that is logged; `WARNING` is taken as `WARN`.
    log_level: LogLevel,
    /// `human` for people at a terminal, `json` for one JSON object per line.
    log_format: LogFormat,
    /// File the log is written to; without it the log goes to the standard output.
    log_file: Option<PathBuf>,
    /// `combined` writes one log file, `split` one per module.
    log_filing_strategy: FilingStrategy,
}

/// The keys that end alike, one for each module.
fn add_module_keys(schema: &mut Schema) {
    let levels = LogLevel::json_schema(&mut SchemaGenerator::default());
    let mut level = levels.to_value();
    level["description"] =
        "Level of one module, such as `tapisservice.auth_log_level`; `WARNING` is taken as `WARN`.".into();
    let file = json_schema!({"type": "string", "description": "Log file of one module, such as `tapisservice.auth_log_file`."});
    let patterns = json_schema!({"_log_level$": level, "_log_file$": file});
    schema.insert("patternProperties".to_owned(), patterns.to_value());
}

/// The schema of the keys that [`from_map`](LogSettings::from_map) reads.
impl JsonSchema for LogSettings {
    fn schema_name() -> Cow<'static, str> {
        "LogSettings".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Keys::json_schema(generator)
    }
}

impl TryFrom<Map<String, Value>> for LogSettings {
    type Error = LogError;

    fn try_from(config: Map<String, Value>) -> Result<Self, LogError> {
        Self::from_map(&config)
    }
}

impl FromStr for FilingStrategy {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "combined" => Ok(Self::Combined),
            "split" => Ok(Self::Split),
            _ => Err("expected one of combined, split"),
        }
    }
}

impl FromStr for LogFormat {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "human" => Ok(Self::Human),
            "json" => Ok(Self::Json),
            _ => Err("expected one of human, json"),
        }
    }
}

fn is_logging_key(key: &str) -> bool {
    matches!(key, "log_filing_strategy" | "log_format" | "log_level" | "log_file")
        || key.ends_with("_log_level")
        || key.ends_with("_log_file")
}

fn text<'a>(key: &str, value: &'a Value) -> Result<Option<&'a str>, LogError> {
    match value {
        _ if !is_logging_key(key) => Ok(None),
        Value::Null => Ok(None),
        Value::String(text) if text.is_empty() => Ok(None),
        Value::String(text) => Ok(Some(text)),
        _ => Err(LogError::Setting { key: key.to_owned(), expected: "expected a string" }),
    }
}

fn level(key: &str, text: &str) -> Result<LogLevel, LogError> {
    text.parse().map_err(|_| LogError::Setting {
        key: key.to_owned(),
        expected: "expected one of TRACE, DEBUG, INFO, WARN, ERROR, CRITICAL",
    })
}

fn parse<T: FromStr<Err = &'static str>>(key: &str, text: &str) -> Result<T, LogError> {
    text.parse().map_err(|expected| LogError::Setting { key: key.to_owned(), expected })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(config: Value) -> Result<LogSettings, String> {
        serde_json::from_value(config).map_err(|error| error.to_string())
    }

    #[test]
    fn nothing_configured_is_errors_for_people_on_standard_output() {
        let settings = parse(json!({ "service_password": "canary", "tenants": ["*"] })).unwrap();
        assert_eq!(settings, LogSettings::default());
        assert_eq!(settings.log_level, LogLevel::Error);
        assert!(!format!("{settings:?}").contains("canary"));
    }

    #[test]
    fn pattern_keys_are_collected_by_module() {
        let settings = parse(json!({
            "log_level": "INFO", "log_file": "service.log", "log_filing_strategy": "split", "log_format": "json",
            "tapisservice.auth_log_level": "DEBUG", "bookmarks_log_file": "b.log", "other_log_file": null,
        }))
        .unwrap();
        assert_eq!(settings.log_filing_strategy, FilingStrategy::Split);
        assert_eq!(settings.log_format, LogFormat::Json);
        assert_eq!(settings.log_file.as_deref(), Some("service.log".as_ref()));
        assert_eq!(settings.module_levels["tapisservice.auth"], LogLevel::Debug);
        assert_eq!(settings.module_files.keys().collect::<Vec<_>>(), ["bookmarks"]);
    }

    #[test]
    fn a_bad_value_is_named_by_its_key_and_not_printed() {
        for config in [
            json!({ "log_level": "canary" }),
            json!({ "log_level": 10 }),
            json!({ "x_log_level": "canary" }),
            json!({ "log_filing_strategy": "canary" }),
            json!({ "log_format": "canary" }),
            json!({ "x_log_file": ["canary"] }),
        ] {
            let key = config.as_object().unwrap().keys().next().unwrap().clone();
            let message = parse(config).unwrap_err();
            assert!(message.contains(&format!("`{key}`: expected")), "{message}");
            assert!(!message.contains("canary"), "{message}");
        }
    }
}
