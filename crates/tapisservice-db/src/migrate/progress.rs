//! How a run is shown: a line that moves on a terminal, plain lines elsewhere.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::MigrationEvent;

pub(super) struct Progress {
    spinner: Option<ProgressBar>,
    /// What was said last, so that waiting says it once.
    last: String,
}

impl Progress {
    /// On the standard error, where it does not mix with what the command prints.
    pub(super) fn new() -> Self {
        let spinner = std::io::stderr().is_terminal().then(|| {
            let spinner = ProgressBar::new_spinner();
            let style = ProgressStyle::with_template("{spinner} {elapsed:>4} {wide_msg}");
            spinner.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
            spinner.enable_steady_tick(Duration::from_millis(100));
            spinner
        });
        Self { spinner, last: String::new() }
    }

    pub(super) fn show(&mut self, event: &MigrationEvent) {
        let text = describe(event);
        let lasts = matches!(event, MigrationEvent::Finished { .. } | MigrationEvent::Ahead { .. });
        match &self.spinner {
            Some(spinner) if lasts => spinner.println(text),
            Some(spinner) => spinner.set_message(text),
            None if text != self.last => {
                // Nobody can be told that nobody can be told.
                let _ = writeln!(std::io::stderr(), "{text}");
                self.last = text;
            }
            None => {}
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(spinner) = &self.spinner {
            spinner.finish_and_clear();
        }
    }
}

fn describe(event: &MigrationEvent) -> String {
    match event {
        MigrationEvent::WaitingForDatabase { reason } => format!("waiting for the database: {reason}"),
        MigrationEvent::WaitingForLock => "waiting for another runner to finish".to_owned(),
        MigrationEvent::Started { version, description, down, remaining } => {
            let what = if *down { "taking back" } else { "running" };
            format!("{what} {version} {description}, {remaining} more to come")
        }
        MigrationEvent::Finished { version, elapsed } => {
            format!("done {version} in {} ms", elapsed.as_millis())
        }
        MigrationEvent::Ahead { unknown } => {
            format!("the database has {unknown} of a newer build, which this one does not know")
        }
    }
}
