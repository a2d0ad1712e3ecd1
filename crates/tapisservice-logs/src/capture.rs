//! Lines kept in memory, for tests.

use std::sync::Arc;

use parking_lot::Mutex;

use super::{Destination, LogError, OpenSink, Sink, WriteLine};

/// Opens every destination in memory. Clones share the lines.
///
/// ```
/// use tapisservice_logs::{Capture, LogSettings, subscriber};
///
/// let capture = Capture::default();
/// let subscriber = subscriber(&LogSettings::default(), &mut capture.clone())?;
/// tracing::subscriber::with_default(subscriber, || tracing::error!(id = 7, "not saved"));
/// assert!(capture.lines()[0].ends_with("not saved id=7"));
/// # Ok::<(), tapisservice_logs::LogError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Capture {
    lines: Arc<Mutex<Vec<(Destination, String)>>>,
}

impl Capture {
    /// All lines, oldest first, without line ends.
    pub fn lines(&self) -> Vec<String> {
        self.collect(|_| true)
    }

    /// The lines of one destination.
    pub fn lines_at(&self, destination: &Destination) -> Vec<String> {
        self.collect(|at| at == destination)
    }

    fn collect(&self, wanted: impl Fn(&Destination) -> bool) -> Vec<String> {
        let lines = self.lines.lock();
        lines.iter().filter(|(at, _)| wanted(at)).map(|(_, line)| line.clone()).collect()
    }
}

impl OpenSink for Capture {
    fn open(&mut self, destination: &Destination) -> Result<Sink, LogError> {
        Ok(Sink::new(Captured { capture: self.clone(), destination: destination.clone() }))
    }
}

struct Captured {
    capture: Capture,
    destination: Destination,
}

impl WriteLine for Captured {
    fn write_line(&self, line: String) {
        let mut lines = self.capture.lines.lock();
        lines.push((self.destination.clone(), line));
    }
}
