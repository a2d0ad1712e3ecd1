//! Where lines go.

use std::{fmt, path::PathBuf, sync::Arc};

use super::{FilingStrategy, LogError, LogSettings, module::ModuleTable};

/// A place a configuration sends lines to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Destination {
    /// Standard output of the process.
    Stdout,
    /// A file, appended to.
    File(PathBuf),
}

/// Something that takes whole lines.
pub trait WriteLine: Send + Sync {
    /// Takes one line without its line end. It must neither block for long nor log.
    fn write_line(&self, line: String);
}

/// An opened destination.
#[derive(Clone)]
pub struct Sink {
    writer: Arc<dyn WriteLine>,
    pub(super) colour: bool,
}

impl Sink {
    /// A sink that writes plain text.
    pub fn new(writer: impl WriteLine + 'static) -> Self {
        Self { writer: Arc::new(writer), colour: false }
    }

    /// Whether the human format may use ANSI colours here: only on a terminal.
    #[must_use]
    pub fn with_colour(self, colour: bool) -> Self {
        Self { colour, ..self }
    }

    pub(super) fn write_line(&self, line: String) {
        self.writer.write_line(line);
    }
}

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sink").field("colour", &self.colour).finish_non_exhaustive()
    }
}

/// Opens the destinations a configuration names; each is asked for once.
pub trait OpenSink {
    /// Opens one destination.
    ///
    /// # Errors
    ///
    /// When the destination cannot take lines.
    fn open(&mut self, destination: &Destination) -> Result<Sink, LogError>;
}

/// The sink of every target.
#[derive(Clone, Debug)]
pub(super) struct Sinks {
    default: Sink,
    modules: ModuleTable<Sink>,
}

impl Sinks {
    pub(super) fn open(settings: &LogSettings, outputs: &mut impl OpenSink) -> Result<Self, LogError> {
        let mut opened: Vec<(Destination, Sink)> = Vec::new();
        let mut open = |destination: Destination| {
            if let Some((_, sink)) = opened.iter().find(|(known, _)| *known == destination) {
                return Ok(sink.clone());
            }
            let sink = outputs.open(&destination)?;
            opened.push((destination, sink.clone()));
            Ok::<_, LogError>(sink)
        };
        let default = open(default_destination(settings))?;
        let mut modules = Vec::new();
        if settings.log_filing_strategy == FilingStrategy::Split {
            for (name, path) in &settings.module_files {
                modules.push((name.as_str(), open(Destination::File(path.clone()))?));
            }
        }
        Ok(Self { default, modules: ModuleTable::new(modules) })
    }

    pub(super) fn of(&self, target: &str) -> &Sink {
        self.modules.get(target).unwrap_or(&self.default)
    }
}

fn default_destination(settings: &LogSettings) -> Destination {
    settings.log_file.clone().map_or(Destination::Stdout, Destination::File)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Capture;

    #[test]
    fn a_target_is_filed_by_strategy_and_longest_name() {
        let split = json!({
            "log_filing_strategy": "split",
            "bookmarks_log_file": "b.log", "bookmarks.store_log_file": "s.log", "tapisservice.auth_log_file": "b.log",
        });
        let mut split_with_default = split.clone();
        split_with_default["log_file"] = "service.log".into();
        let mut combined = split_with_default.clone();
        combined["log_filing_strategy"] = "combined".into();
        let cases = [
            (&split, "bookmarks::routes", "b.log"),
            (&split, "bookmarks::store::x", "s.log"),
            (&split, "tapisservice_auth", "b.log"),
            (&split, "other", "stdout"),
            (&split_with_default, "other", "service.log"),
            (&split_with_default, "bookmarks", "b.log"),
            (&combined, "bookmarks", "service.log"),
            (&combined, "other", "service.log"),
            (&json!({ "bookmarks_log_file": "b.log" }), "bookmarks", "stdout"),
        ];
        for (config, target, expected) in cases {
            let settings = serde_json::from_value(config.clone()).unwrap();
            let mut capture = Capture::default();
            Sinks::open(&settings, &mut capture).unwrap().of(target).write_line("x".into());
            let expected = match expected {
                "stdout" => Destination::Stdout,
                path => Destination::File(path.into()),
            };
            assert_eq!(capture.lines_at(&expected), ["x"], "{config} {target}");
            assert_eq!(capture.lines().len(), 1);
        }
    }
}
