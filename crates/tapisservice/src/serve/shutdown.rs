//! The handle that starts the end, and the signals that pull it.

use std::sync::{
    Arc,
    atomic::{
        AtomicBool,
        Ordering::{Acquire, Release},
    },
};

use tokio_util::sync::CancellationToken;

use super::ServeError;

/// Asks a [`Server`](super::Server) to stop, and tells everybody who wants to know that it was asked.
///
/// Clones are one handle. Once triggered it stays triggered.
///
/// ```
/// use tapisservice::serve::Shutdown;
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
    /// The same for those who ask with every request: the token would lock something for each.
    is_triggered: Arc<AtomicBool>,
}

impl Shutdown {
    /// A handle that nothing but [`trigger`](Self::trigger) pulls.
    pub fn new() -> Self {
        Self::default()
    }

    /// A handle that SIGTERM or SIGINT pulls. A second signal ends the process at once, with the exit code
    /// 128 plus the signal's number, for people and supervisors who do not want to wait.
    ///
    /// # Errors
    ///
    /// [`ServeError::Signals`] when the handlers cannot be installed.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn on_signals() -> Result<Self, ServeError> {
        let mut signals = signals::Signals::install().map_err(ServeError::Signals)?;
        let shutdown = Self::new();
        let handle = shutdown.clone();
        tokio::spawn(async move {
            let signal = signals.next().await;
            tracing::info!(
                signal = signal.name,
                "signal received, shutting down; a second one exits at once"
            );
            handle.trigger();
            let signal = signals.next().await;
            tracing::warn!(signal = signal.name, "second signal received, exiting at once");
            std::process::exit(signal.exit_code);
        });
        Ok(shutdown)
    }

    /// Starts the shutdown. Doing it twice is doing it once.
    pub fn trigger(&self) {
        self.is_triggered.store(true, Release);
        self.triggered.cancel();
    }

    /// Whether the shutdown has started: the service is then not ready (503), although it still answers.
    pub fn is_draining(&self) -> bool {
        self.is_triggered.load(Acquire)
    }

    /// Waits until the shutdown starts.
    pub async fn draining(&self) {
        self.triggered.cancelled().await;
    }
}

#[cfg(unix)]
mod signals {
    use std::io;

    use tokio::signal::unix::{Signal, SignalKind, signal};

    pub(super) struct Received {
        pub(super) name: &'static str,
        pub(super) exit_code: i32,
    }

    pub(super) struct Signals {
        terminate: Signal,
        interrupt: Signal,
    }

    impl Signals {
        pub(super) fn install() -> io::Result<Self> {
            Ok(Self {
                terminate: signal(SignalKind::terminate())?,
                interrupt: signal(SignalKind::interrupt())?,
            })
        }

        pub(super) async fn next(&mut self) -> Received {
            let (name, kind) = tokio::select! {
                _ = self.terminate.recv() => ("SIGTERM", SignalKind::terminate()),
                _ = self.interrupt.recv() => ("SIGINT", SignalKind::interrupt()),
            };
            Received { name, exit_code: 128 + kind.as_raw_value() }
        }
    }
}

#[cfg(not(unix))]
mod signals {
    use std::io;

    pub(super) struct Received {
        pub(super) name: &'static str,
        pub(super) exit_code: i32,
    }

    pub(super) struct Signals;

    impl Signals {
        pub(super) fn install() -> io::Result<Self> {
            Ok(Self)
        }

        pub(super) async fn next(&mut self) -> Received {
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
            Received { name: "Ctrl-C", exit_code: 130 }
        }
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
