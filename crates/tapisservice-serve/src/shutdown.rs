//! The handle that starts the shutdown.

use std::sync::{
    Arc,
    atomic::{
        AtomicBool,
        Ordering::{Acquire, Release},
    },
};

use tokio_util::sync::CancellationToken;

use super::ServeError;
use super::signals::Signals;

/// Asks a [`Server`](super::Server) to stop, and lets others know that it was asked.
///
/// All clones are one handle. Once triggered, it stays triggered.
///
/// ```
/// use tapisservice_serve::Shutdown;
///
/// let shutdown = Shutdown::new();
/// let readiness = shutdown.clone();
/// assert!(!readiness.is_draining());
/// shutdown.trigger();
/// assert!(readiness.is_draining());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    triggered: CancellationToken,
    // The same for whoever asks on every request: `CancellationToken::is_cancelled` takes a lock that all connections share.
    is_triggered: Arc<AtomicBool>,
}

impl Shutdown {
    /// A handle that only [`trigger`](Self::trigger) triggers.
    pub fn new() -> Self {
        Self::default()
    }

    /// A handle that SIGTERM, SIGINT and SIGQUIT trigger.
    ///
    /// A second one ends the process at once, with exit code 128 plus the number of the signal, for people and supervisors
    /// that do not want to wait. Other signals that would end the process are logged and ignored, such as SIGUSR1, SIGUSR2
    /// and SIGALRM. So is SIGHUP, unless standard input is a terminal: then it means that the terminal was closed, and
    /// triggers the shutdown.
    ///
    /// # Errors
    ///
    /// [`ServeError::Signals`] if the handlers cannot be installed.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn on_signals() -> Result<Self, ServeError> {
        let mut signals = Signals::install().map_err(ServeError::Signals)?;
        let shutdown = Self::new();
        let handle = shutdown.clone();
        tokio::spawn(async move {
            let signal = signals.shutdown().await;
            tracing::info!(
                signal = signal.name,
                "signal received, shutting down; a second one exits at once"
            );
            handle.trigger();
            let signal = signals.shutdown().await;
            tracing::warn!(signal = signal.name, "second signal received, exiting at once");
            // `exit` and not a return: a task that blocks its thread would hold up the runtime, and the process with it.
            std::process::exit(signal.exit_code);
        });
        Ok(shutdown)
    }

    /// Starts the shutdown. Further calls have no effect.
    pub fn trigger(&self) {
        // The flag first: whoever is woken by the token and asks `is_draining` must see it.
        self.is_triggered.store(true, Release);
        self.triggered.cancel();
    }

    /// Whether the shutdown has started. The service is then not ready (503), although it still responds.
    pub fn is_draining(&self) -> bool {
        self.is_triggered.load(Acquire)
    }

    /// Waits until the shutdown starts.
    pub async fn draining(&self) {
        self.triggered.cancelled().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn waiting_ends_when_a_clone_triggers() {
        let shutdown = Shutdown::new();
        let waiting = tokio::spawn({
            let shutdown = shutdown.clone();
            async move { shutdown.draining().await }
        });
        shutdown.trigger();
        shutdown.trigger();
        waiting.await.unwrap();
    }
}
