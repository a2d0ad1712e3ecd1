//! The real destinations.

use std::{
    fmt,
    io::{self, IsTerminal},
    time::{Duration, Instant},
};

use serde_json::json;

use super::{
    Destination, LogError, LogFormat, OpenSink, Sink,
    background::{Background, DroppedNotice},
    fields::Fields,
    file, human, json,
    line::Line,
    request::Ids,
};

/// How long the end of the process waits for a slow output.
const AT_EXIT: Duration = Duration::from_secs(2);

/// Keeps the log writers running; dropping it writes what still waits, for at most two seconds.
///
/// Hold it in `main` until everything else has ended, and return from `main` instead of calling
/// [`std::process::exit`], which runs no destructors. Lines logged after the drop are lost.
#[must_use = "lines are lost once the guard is dropped"]
#[derive(Default)]
pub struct LogGuard {
    writers: Vec<Background>,
}

impl LogGuard {
    /// Waits until everything logged so far is written. `false` when an output takes longer than `timeout`.
    ///
    /// For the places that end the process without returning from `main`.
    pub fn flush(&self, timeout: Duration) -> bool {
        let start = Instant::now();
        self.writers.iter().all(|writer| writer.flush(timeout.saturating_sub(start.elapsed())))
    }

    /// How many lines were lost so far because an output was too slow or failed.
    pub fn dropped_lines(&self) -> u64 {
        self.writers.iter().map(Background::dropped_lines).sum()
    }
}

impl Drop for LogGuard {
    fn drop(&mut self) {
        let start = Instant::now();
        for writer in &self.writers {
            writer.close(AT_EXIT.saturating_sub(start.elapsed()));
        }
    }
}

impl fmt::Debug for LogGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogGuard").field("writers", &self.writers.len()).finish()
    }
}

/// Opens standard output and files, each with a writer thread.
pub(super) struct Outputs {
    pub(super) format: LogFormat,
    pub(super) guard: LogGuard,
}

impl OpenSink for Outputs {
    fn open(&mut self, destination: &Destination) -> Result<Sink, LogError> {
        let notice = notice(self.format);
        let (writer, colour) = match destination {
            Destination::Stdout => {
                let output = io::stdout();
                let colour = output.is_terminal();
                (Background::start("standard output".into(), output, notice)?, colour)
            }
            Destination::File(path) => {
                let name = path.display().to_string();
                (Background::start(name, file::open(path)?, notice)?, false)
            }
        };
        self.guard.writers.push(writer.clone());
        Ok(Sink::new(writer).with_colour(colour))
    }
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
