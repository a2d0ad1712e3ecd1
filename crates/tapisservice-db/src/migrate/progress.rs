//! The progress of a run: a spinner on a terminal, plain lines elsewhere.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::MigrationEvent;

pub(super) struct Progress {
    spinner: Option<ProgressBar>,
    /// The last line, so that waiting repeats none.
    last: String,
    /// How many migrations have started.
    started: usize,
}

impl Progress {
    /// On standard error, separate from the output of the command.
    pub(super) fn new() -> Self {
        let spinner = std::io::stderr().is_terminal().then(|| {
            let spinner = ProgressBar::new_spinner();
            let style = ProgressStyle::with_template("{spinner} {elapsed:>4} {wide_msg}");
            spinner.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
            spinner.enable_steady_tick(Duration::from_millis(100));
            spinner
        });
        Self { spinner, last: String::new(), started: 0 }
    }

    pub(super) fn show(&mut self, event: &MigrationEvent) {
        if matches!(event, MigrationEvent::Started { .. }) {
            self.started += 1;
        }
        let text = describe(event, self.started);
        let lasts = matches!(event, MigrationEvent::Finished { .. } | MigrationEvent::Ahead { .. });
        match &self.spinner {
            Some(spinner) if lasts => spinner.println(text),
            Some(spinner) => spinner.set_message(text),
            None if text != self.last => {
                // There is nowhere left to report a failure of standard error.
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

fn describe(event: &MigrationEvent, number: usize) -> String {
    match event {
        MigrationEvent::WaitingForDatabase { reason } => format!("waiting for the database: {reason}"),
        MigrationEvent::WaitingForLock => "waiting for another migration run to finish".to_owned(),
        MigrationEvent::Started { version, description, down, remaining } => {
            let verb = if *down { "reverting" } else { "applying" };
            format!("{verb} {version} {description} ({number} of {})", number + remaining)
        }
        MigrationEvent::Finished { version, elapsed } => {
            format!("finished {version} in {} ms", elapsed.as_millis())
        }
        MigrationEvent::Ahead { unknown } => {
            format!("the database has {unknown} applied that this build does not know")
        }
    }
}
