//! What one connection is doing, and until when it may go on doing it: a state machine without I/O.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::{CloseReason, Limits};

/// How long a client may take to read a refusal while it is still sending what nobody wants.
const LINGER: Duration = Duration::from_secs(2);

/// The state of one connection, told by its stream, its request bodies and its answers.
///
/// hyper has one header timeout, which covers the idle time between requests too; here they are different
/// limits, and the first byte is covered.
#[derive(Debug)]
pub(super) struct Activity {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    since: Instant,
    answered: bool,
    body: RequestBody,
    write_blocked: Option<Instant>,
}

/// Where a connection is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Connected; nothing has arrived.
    Fresh,
    /// Some of a request's head has arrived.
    Head,
    /// A request is being read, worked on or answered.
    Exchange,
    /// Between two requests.
    Idle,
    /// The answer is out and our side is closed, the client is still sending.
    Lingering,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RequestBody {
    Complete,
    Reading,
    Abandoned,
}

impl Activity {
    pub(super) fn new(now: Instant) -> Self {
        let state = State {
            phase: Phase::Fresh,
            since: now,
            answered: false,
            body: RequestBody::Complete,
            write_blocked: None,
        };
        Self { state: Mutex::new(state) }
    }

    pub(super) fn phase(&self) -> Phase {
        self.state().phase
    }

    /// Bytes arrived.
    pub(super) fn read(&self) {
        let mut state = self.state();
        match state.phase {
            // The clock of the first request runs from the connection.
            Phase::Fresh => state.phase = Phase::Head,
            Phase::Idle => state.enter(Phase::Head),
            Phase::Head | Phase::Exchange | Phase::Lingering => {}
        }
    }

    /// A request's head is complete.
    pub(super) fn request(&self, has_body: bool) {
        let mut state = self.state();
        state.enter(Phase::Exchange);
        state.answered = false;
        state.body = if has_body { RequestBody::Reading } else { RequestBody::Complete };
    }

    /// The request's body was read to its end, or dropped before.
    pub(super) fn body_done(&self, complete: bool) {
        self.state().body = if complete { RequestBody::Complete } else { RequestBody::Abandoned };
    }

    /// Whether the request's body was dropped before its end.
    pub(super) fn is_body_abandoned(&self) -> bool {
        self.state().body == RequestBody::Abandoned
    }

    /// The answer's body has been handed over whole.
    pub(super) fn answered(&self) {
        self.state().answered = true;
    }

    /// Everything handed over has left.
    pub(super) fn flushed(&self) {
        let mut state = self.state();
        if state.phase == Phase::Exchange && state.answered && state.body != RequestBody::Reading {
            state.enter(Phase::Idle);
        }
    }

    /// The client takes no more bytes for now.
    pub(super) fn write_blocked(&self) {
        self.state().write_blocked.get_or_insert_with(Instant::now);
    }

    /// The client took bytes.
    pub(super) fn wrote(&self) {
        self.state().write_blocked = None;
    }

    /// Our side is closed. Says whether to go on reading: closing a socket with unread bytes sends a reset,
    /// which can overtake the answer and destroy it (RFC 9112, 9.6).
    pub(super) fn linger(&self) -> bool {
        let mut state = self.state();
        let unread = match state.phase {
            Phase::Head | Phase::Lingering => true,
            Phase::Exchange | Phase::Idle => state.body != RequestBody::Complete,
            Phase::Fresh => false,
        };
        if unread && state.phase != Phase::Lingering {
            state.enter(Phase::Lingering);
        }
        unread
    }

    /// The moment at which this connection has used up its time, if it has a limit now, and why.
    pub(super) fn deadline(&self, limits: &Limits) -> Option<(Instant, CloseReason)> {
        let state = self.state();
        let phase = match state.phase {
            Phase::Fresh | Phase::Head => Some((limits.header_timeout, CloseReason::HeaderTimeout)),
            Phase::Idle => Some((limits.idle_timeout, CloseReason::IdleTimeout)),
            Phase::Lingering => Some((LINGER, CloseReason::Finished)),
            Phase::Exchange => None,
        };
        let phase = phase.and_then(|(limit, why)| Some((state.since.checked_add(limit)?, why)));
        let write = state
            .write_blocked
            .and_then(|since| Some((since.checked_add(limits.body_timeout)?, CloseReason::WriteTimeout)));
        phase.into_iter().chain(write).min_by_key(|(at, _)| *at)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.since = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(activity: &Activity) -> Option<(Duration, CloseReason)> {
        let limits = Limits { body_timeout: Duration::from_secs(7), ..Limits::default() };
        activity.deadline(&limits).map(|(at, why)| (at - Instant::now(), why))
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn the_first_header_is_timed_from_the_connection() {
        let activity = Activity::new(Instant::now());
        tokio::time::advance(4 * SECOND).await;
        activity.read();
        tokio::time::advance(4 * SECOND).await;
        activity.read();
        assert_eq!(due(&activity), Some((2 * SECOND, CloseReason::HeaderTimeout)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_later_header_is_timed_from_its_first_byte() {
        let activity = Activity::new(Instant::now());
        activity.read();
        activity.request(false);
        assert_eq!(due(&activity), None);
        activity.answered();
        activity.flushed();
        tokio::time::advance(20 * SECOND).await;
        assert_eq!(due(&activity), Some((10 * SECOND, CloseReason::IdleTimeout)));
        activity.read();
        assert_eq!(due(&activity), Some((10 * SECOND, CloseReason::HeaderTimeout)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_still_being_read_keeps_the_exchange_open() {
        let activity = Activity::new(Instant::now());
        activity.request(true);
        activity.answered();
        activity.flushed();
        assert_eq!(activity.phase(), Phase::Exchange);
        activity.body_done(true);
        activity.flushed();
        assert_eq!(activity.phase(), Phase::Idle);
    }

    #[tokio::test(start_paused = true)]
    async fn a_blocked_write_is_timed_from_the_last_progress() {
        let activity = Activity::new(Instant::now());
        activity.request(false);
        activity.write_blocked();
        tokio::time::advance(3 * SECOND).await;
        activity.write_blocked();
        assert_eq!(due(&activity), Some((4 * SECOND, CloseReason::WriteTimeout)));
        activity.wrote();
        assert_eq!(due(&activity), None);
    }

    #[tokio::test(start_paused = true)]
    async fn only_unread_input_lingers() {
        let fresh = Activity::new(Instant::now());
        assert!(!fresh.linger());

        let refused_head = Activity::new(Instant::now());
        refused_head.read();
        assert!(refused_head.linger());
        assert_eq!(due(&refused_head), Some((LINGER, CloseReason::Finished)));

        let refused_body = Activity::new(Instant::now());
        refused_body.request(true);
        refused_body.body_done(false);
        assert!(refused_body.linger());

        let answered = Activity::new(Instant::now());
        answered.request(true);
        answered.body_done(true);
        assert!(!answered.linger());
    }
}
