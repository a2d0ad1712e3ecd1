//! Which output takes the lines of a target.

use std::{
    collections::btree_map::{BTreeMap, Entry},
    io::{self, IsTerminal as _},
    path::Path,
};

use serde_json::json;
use tracing::Metadata;
use tracing_subscriber::fmt::MakeWriter;

use super::{
    FilingStrategy, LogError, LogFormat, LogGuard, LogSettings,
    background::{Background, DroppedNotice},
    fields::Fields,
    file, human, json,
    line::Line,
    module::ModuleTable,
    request::Ids,
};

/// The output of every target.
pub(super) struct Outputs<W> {
    default: W,
    modules: ModuleTable<W>,
}

/// Opens standard output or the files of the settings, each with a writer thread.
pub(super) fn open(settings: &LogSettings) -> Result<(Outputs<Background>, LogGuard), LogError> {
    let mut guard = LogGuard::default();
    let outputs = Outputs::open(settings, |path| {
        let notice = notice(settings.log_format);
        let writer = match path {
            None => Background::start("standard output".into(), io::stdout(), notice)?,
            Some(path) => Background::start(path.display().to_string(), file::open(path)?, notice)?,
        };
        guard.writers.push(writer.clone());
        Ok(writer)
    })?;
    Ok((outputs, guard))
}

/// Whether the level is coloured: if all lines go to standard output, and it is a terminal.
// A line is rendered before it has a writer, so colours cannot differ between outputs.
pub(super) fn is_ansi(settings: &LogSettings) -> bool {
    settings.log_file.is_none() && module_files(settings).next().is_none() && io::stdout().is_terminal()
}

impl<W: Clone> Outputs<W> {
    /// Calls `open` once for each output: with the path of a file, or `None` for standard output.
    fn open<'a>(
        settings: &'a LogSettings,
        mut open: impl FnMut(Option<&'a Path>) -> Result<W, LogError>,
    ) -> Result<Self, LogError> {
        let mut opened = BTreeMap::new();
        let mut open = |path| match opened.entry(path) {
            Entry::Occupied(entry) => Ok::<W, LogError>(W::clone(entry.get())),
            Entry::Vacant(entry) => Ok(entry.insert(open(path)?).clone()),
        };
        let default = open(settings.log_file.as_deref())?;
        let modules = module_files(settings).map(|(name, path)| Ok((name, open(Some(path))?)));
        let modules = ModuleTable::new(modules.collect::<Result<Vec<_>, LogError>>()?);
        Ok(Self { default, modules })
    }
}

impl<W> Outputs<W> {
    fn of(&self, target: &str) -> &W {
        self.modules.get(target).unwrap_or(&self.default)
    }
}

impl<'a> MakeWriter<'a> for Outputs<Background> {
    type Writer = &'a Background;

    fn make_writer(&'a self) -> &'a Background {
        &self.default
    }

    fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> &'a Background {
        self.of(metadata.target())
    }
}

/// The modules that have a file of their own.
fn module_files(settings: &LogSettings) -> impl Iterator<Item = (&str, &Path)> {
    let split = settings.log_filing_strategy == FilingStrategy::Split;
    let files = settings.module_files.iter().filter(move |_| split);
    files.map(|(name, path)| (name.as_str(), path.as_path()))
}

fn notice(format: LogFormat) -> DroppedNotice {
    Box::new(move |lines| {
        let mut fields = Fields::default();
        fields.set("message", json!("log lines were dropped: the output was too slow"));
        fields.set("dropped", lines.into());
        let line = Line::new("WARN", module_path!(), fields, Ids::default());
        match format {
            LogFormat::Human => human::render(&line, false),
            LogFormat::Json => json::render(&line),
        }
    })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

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
            let settings: LogSettings = serde_json::from_value(config.clone()).unwrap();
            let mut opened = Vec::new();
            let outputs = Outputs::open(&settings, |path| {
                opened.push(path);
                Ok(path.map_or("stdout".into(), PathBuf::from))
            });
            assert_eq!(outputs.unwrap().of(target).to_str(), Some(expected), "{config} {target}");
            let each = opened.iter().collect::<std::collections::HashSet<_>>();
            assert_eq!(each.len(), opened.len(), "each output is opened once");
        }
    }
}
