//! Lines kept in memory, for tests.

use std::{
    io::{self, Write},
    sync::Arc,
};

use parking_lot::Mutex;
use tracing_subscriber::fmt::MakeWriter;

/// Keeps lines in memory, for tests. All clones share the lines.
///
/// ```
/// use tapisservice_logs::{Capture, LogSettings, subscriber};
///
/// let capture = Capture::default();
/// let subscriber = subscriber(&LogSettings::default(), capture.clone());
/// tracing::subscriber::with_default(subscriber, || tracing::error!(id = 7, "not saved"));
/// assert!(capture.lines()[0].ends_with("not saved id=7"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Capture {
    text: Arc<Mutex<Vec<u8>>>,
}

impl Capture {
    /// All lines, oldest first, without line ends.
    pub fn lines(&self) -> Vec<String> {
        String::from_utf8_lossy(&self.text.lock()).lines().map(ToOwned::to_owned).collect()
    }
}

impl Write for Capture {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Capture {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
