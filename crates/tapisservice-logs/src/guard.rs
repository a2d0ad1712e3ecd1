//! Keeps the log writers running.

use std::{
    fmt,
    time::{Duration, Instant},
};

use super::background::Background;

/// The maximum time that the end of the process waits for slow outputs.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Keeps the log writers running. Dropping it writes the lines that still wait, for at most two seconds.
///
/// Hold it in `main` until everything else has ended, and return from `main` instead of calling
/// [`std::process::exit`], which runs no destructors. Lines that are logged after the drop are lost.
#[must_use = "lines are lost once the guard is dropped"]
#[derive(Default)]
pub struct LogGuard {
    pub(super) writers: Vec<Background>,
}

impl LogGuard {
    /// Waits until everything logged so far is written. Returns `false` if an output takes longer than `timeout`.
    ///
    /// For code that ends the process without returning from `main`.
    pub fn flush(&self, timeout: Duration) -> bool {
        let start = Instant::now();
        self.writers.iter().all(|writer| writer.flush(timeout.saturating_sub(start.elapsed())))
    }

    /// The number of lines lost so far because an output was too slow or failed.
    pub fn dropped_lines(&self) -> u64 {
        self.writers.iter().map(Background::dropped_lines).sum()
    }
}

impl Drop for LogGuard {
    fn drop(&mut self) {
        // One limit for all of them: several stalled outputs must not add up their waits.
        let start = Instant::now();
        for writer in &self.writers {
            writer.close(CLOSE_TIMEOUT.saturating_sub(start.elapsed()));
        }
    }
}

impl fmt::Debug for LogGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogGuard").field("writers", &self.writers.len()).finish()
    }
}
