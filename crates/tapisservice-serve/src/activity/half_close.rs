//! Whether a client that closed its side of the connection is still there (F30).
//!
//! A FIN means only that the client sends no more. It may be waiting for its response, or its process may be gone. The two differ
//! only in what they do with bytes that they receive: the kernel of a client that is gone sends a reset.

use std::{
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::Duration,
};

use crossbeam_utils::atomic::AtomicCell;
use tokio::time::Instant;

use crate::lazy_instant::LazyInstant;

/// From the FIN to the probe, and between two checks after it. Most handlers end sooner, and then nothing is sent.
const PROBE_INTERVAL: Duration = Duration::from_secs(1);

/// Watches the client while its request is handled.
#[derive(Debug)]
pub(crate) struct HalfClose {
    state: AtomicCell<State>,
    since: LazyInstant,
    /// Whether the client understands interim responses, of which the probe is one: whether it speaks HTTP/1.1.
    interim: AtomicBool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The client may send more.
    Open,
    /// It sent its FIN.
    Closed,
    ProbeDue,
    /// The probe was sent; if the client is gone, a reset comes back.
    Probed,
    CheckDue,
}

/// What the socket has to do to watch the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Watch {
    /// Look for a FIN.
    Fin,
    /// Send the probe.
    Probe,
    /// Check whether a reset came back.
    Check,
    /// Nothing now.
    Nothing,
}

impl HalfClose {
    pub(super) fn new() -> Self {
        Self {
            state: AtomicCell::new(State::Open),
            since: LazyInstant::unread(),
            interim: AtomicBool::new(false),
        }
    }

    /// A request begins.
    pub(super) fn request(&self, interim: bool) {
        self.interim.store(interim, Relaxed);
    }

    /// What to do now. A probe or a check is returned once.
    pub(super) fn watch(&self) -> Watch {
        match self.state.load() {
            State::Open => Watch::Fin,
            State::Closed | State::Probed => Watch::Nothing,
            State::ProbeDue => {
                self.set(State::Probed);
                Watch::Probe
            }
            State::CheckDue => {
                self.set(State::Probed);
                Watch::Check
            }
        }
    }

    /// The client sent its FIN.
    pub(crate) fn fin_received(&self) {
        self.set(State::Closed);
    }

    /// The [`deadline`](Self::deadline) has passed.
    pub(crate) fn deadline_passed(&self) {
        // One probe is enough: the reset may take longer than an interval, and a second probe would bring no other.
        let probed = self.state.load() == State::Probed;
        self.set(if probed { State::CheckDue } else { State::ProbeDue });
    }

    /// The time of the probe or of the next check.
    pub(super) fn deadline(&self, start: Instant) -> Option<Instant> {
        let waits = matches!(self.state.load(), State::Closed | State::Probed);
        // An HTTP/1.0 client would take the probe for its response.
        (waits && self.interim.load(Relaxed)).then(|| self.since.get_or_now(start) + PROBE_INTERVAL)
    }

    fn set(&self, state: State) {
        self.state.store(state);
        self.since.reset();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_client_that_sent_its_fin_is_probed_once_and_checked_again_and_again() {
        let client = HalfClose::new();
        client.request(true);
        let start = Instant::now();
        assert_eq!((client.watch(), client.deadline(start)), (Watch::Fin, None));
        client.fin_received();
        assert_eq!((client.watch(), client.deadline(start)), (Watch::Nothing, Some(start + PROBE_INTERVAL)));
        client.deadline_passed();
        assert_eq!((client.watch(), client.watch()), (Watch::Probe, Watch::Nothing));
        for _ in 0..3 {
            assert_eq!(client.deadline(start), Some(start + PROBE_INTERVAL));
            client.deadline_passed();
            assert_eq!((client.watch(), client.watch()), (Watch::Check, Watch::Nothing));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_of_http_1_0_is_not_probed() {
        let client = HalfClose::new();
        client.request(false);
        client.fin_received();
        assert_eq!(client.deadline(Instant::now()), None);
    }
}
