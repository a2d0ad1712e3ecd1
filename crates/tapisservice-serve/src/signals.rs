//! The signals of the process.
//!
//! SIGTERM, SIGINT and SIGQUIT start the shutdown; a second one exits at once. Every other signal that would end the process
//! silently is logged and ignored. Three kinds are left alone: those that cannot be caught (SIGKILL, SIGSTOP), those that report a fault
//! of the program itself (such as SIGSEGV and SIGABRT), and those that do nothing by default.

pub(super) use platform::Signals;

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Shutdown,
    Ignore,
}

/// A signal that arrived.
#[derive(Debug, Clone, Copy)]
pub(super) struct Received {
    pub(super) name: &'static str,
    pub(super) action: Action,
    pub(super) exit_code: i32,
}

impl Signals {
    /// Waits for a signal that asks for the shutdown, and logs the others.
    pub(super) async fn shutdown(&mut self) -> Received {
        loop {
            let signal = self.next().await;
            match signal.action {
                Action::Shutdown => return signal,
                Action::Ignore => {
                    tracing::warn!(signal = signal.name, "signal ignored; SIGTERM shuts down");
                }
            }
        }
    }
}

#[cfg(unix)]
mod platform {
    use std::future::poll_fn;
    use std::io::{self, IsTerminal as _};
    use std::task::Poll;

    use tokio::signal::unix::{Signal, SignalKind, signal};

    use super::{Action, Received};

    /// Handlers for all signals that end a process by default and can be caught.
    pub(crate) struct Signals(Vec<(&'static str, SignalKind, Action, Signal)>);

    impl Signals {
        /// Installs the handlers.
        pub(crate) fn install() -> io::Result<Self> {
            let handlers =
                kinds().into_iter().map(|(name, kind, action)| Ok((name, kind, action, signal(kind)?)));
            handlers.collect::<io::Result<_>>().map(Self)
        }

        pub(super) async fn next(&mut self) -> Received {
            poll_fn(|cx| {
                for (name, kind, action, signal) in &mut self.0 {
                    if signal.poll_recv(cx).is_ready() {
                        let exit_code = 128 + kind.as_raw_value();
                        return Poll::Ready(Received { name, action: *action, exit_code });
                    }
                }
                Poll::Pending
            })
            .await
        }
    }

    fn kinds() -> Vec<(&'static str, SignalKind, Action)> {
        use Action::{Ignore, Shutdown};
        // With a terminal, SIGHUP means that it was closed. Without one it asks a daemon to reload its files, and this one reads no
        // file twice.
        let hang_up = if io::stdin().is_terminal() { Shutdown } else { Ignore };
        let mut kinds = vec![
            ("SIGTERM", SignalKind::terminate(), Shutdown),
            ("SIGINT", SignalKind::interrupt(), Shutdown),
            ("SIGQUIT", SignalKind::quit(), Shutdown),
            ("SIGHUP", SignalKind::hangup(), hang_up),
            ("SIGUSR1", SignalKind::user_defined1(), Ignore),
            ("SIGUSR2", SignalKind::user_defined2(), Ignore),
            ("SIGALRM", SignalKind::alarm(), Ignore),
            ("SIGVTALRM", SignalKind::from_raw(libc::SIGVTALRM), Ignore),
            ("SIGPROF", SignalKind::from_raw(libc::SIGPROF), Ignore),
            ("SIGXCPU", SignalKind::from_raw(libc::SIGXCPU), Ignore),
            // A write beyond the limit then fails with an error of its own.
            ("SIGXFSZ", SignalKind::from_raw(libc::SIGXFSZ), Ignore),
        ];
        kinds.extend(of_linux());
        kinds
    }

    #[cfg(target_os = "linux")]
    fn of_linux() -> Vec<(&'static str, SignalKind, Action)> {
        let mut kinds = vec![
            ("SIGIO", SignalKind::io(), Action::Ignore),
            ("SIGPWR", SignalKind::from_raw(libc::SIGPWR), Action::Ignore),
            ("SIGSTKFLT", SignalKind::from_raw(libc::SIGSTKFLT), Action::Ignore),
        ];
        let real_time = libc::SIGRTMIN()..=libc::SIGRTMAX();
        kinds.extend(real_time.map(|raw| ("a real-time signal", SignalKind::from_raw(raw), Action::Ignore)));
        kinds
    }

    #[cfg(not(target_os = "linux"))]
    fn of_linux() -> Vec<(&'static str, SignalKind, Action)> {
        Vec::new()
    }
}

#[cfg(not(unix))]
mod platform {
    use std::io;

    use super::{Action, Received};

    pub(crate) struct Signals;

    impl Signals {
        pub(crate) fn install() -> io::Result<Self> {
            Ok(Self)
        }

        pub(super) async fn next(&mut self) -> Received {
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
            Received { name: "Ctrl-C", action: Action::Shutdown, exit_code: 130 }
        }
    }
}
