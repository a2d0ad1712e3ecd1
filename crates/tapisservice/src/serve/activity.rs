//! What one connection is doing, and until when it may go on doing it: a state machine without I/O.

use std::{
    sync::atomic::{
        AtomicBool, AtomicU8, AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
    },
    time::Duration,
};

use tokio::time::Instant;

use super::{CloseReason, Limits};

/// How long a client may take to read a refusal while it is still sending what nobody wants.
const LINGER: Duration = Duration::from_secs(2);

/// The state of one connection, told by its stream, its request bodies and its answers.
///
/// hyper has one header timeout, which covers the idle time between requests too; here they are different
/// limits, and the first byte is covered. A part of a pipelined head, which arrived with the request before it, is not seen: it has the
/// idle time, and from the next byte on that of a header.
///
/// The task of the connection tells everything but how a request's body goes on, which any task may read. So these are single
/// values that nobody has to lock.
#[derive(Debug)]
pub(super) struct Activity {
    start: Instant,
    phase: AtomicU8,
    since: Moment,
    answered: AtomicBool,
    body: AtomicU8,
    write_blocked: AtomicBool,
    blocked_since: Moment,
}

/// Where a connection is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
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
#[repr(u8)]
enum RequestBody {
    Complete,
    Reading,
    Abandoned,
}

impl Activity {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            start: now,
            phase: AtomicU8::new(Phase::Fresh as u8),
            since: Moment::at(0),
            answered: AtomicBool::new(false),
            body: AtomicU8::new(RequestBody::Complete as u8),
            write_blocked: AtomicBool::new(false),
            blocked_since: Moment::unknown(),
        }
    }

    pub(super) fn phase(&self) -> Phase {
        const ALL: [Phase; 5] = [Phase::Fresh, Phase::Head, Phase::Exchange, Phase::Idle, Phase::Lingering];
        ALL[usize::from(self.phase.load(Relaxed))]
    }

    /// Bytes arrived.
    pub(super) fn read(&self) {
        match self.phase() {
            // The clock of the first request runs from the connection.
            Phase::Fresh => self.phase.store(Phase::Head as u8, Relaxed),
            Phase::Idle => self.enter(Phase::Head),
            Phase::Head | Phase::Exchange | Phase::Lingering => {}
        }
    }

    /// A request's head is complete.
    pub(super) fn request(&self, has_body: bool) {
        self.enter(Phase::Exchange);
        self.answered.store(false, Relaxed);
        self.set_body(if has_body { RequestBody::Reading } else { RequestBody::Complete });
    }

    /// The request's body was read to its end, or dropped before.
    pub(super) fn body_done(&self, complete: bool) {
        self.set_body(if complete { RequestBody::Complete } else { RequestBody::Abandoned });
    }

    /// Whether the request's body was dropped before its end.
    pub(super) fn is_body_abandoned(&self) -> bool {
        self.body_is(RequestBody::Abandoned)
    }

    /// The answer's body has been handed over whole.
    pub(super) fn answered(&self) {
        self.answered.store(true, Relaxed);
    }

    /// Everything handed over has left.
    pub(super) fn flushed(&self) {
        let answered = self.phase() == Phase::Exchange && self.answered.load(Relaxed);
        if answered && !self.body_is(RequestBody::Reading) {
            self.enter(Phase::Idle);
        }
    }

    /// The client takes no more bytes for now.
    pub(super) fn write_blocked(&self) {
        if !self.write_blocked.load(Relaxed) {
            self.write_blocked.store(true, Relaxed);
            self.blocked_since.forget();
        }
    }

    /// The client took bytes.
    pub(super) fn wrote(&self) {
        self.write_blocked.store(false, Relaxed);
    }

    /// Our side is closed. Says whether to go on reading: closing a socket with unread bytes sends a reset,
    /// which can overtake the answer and destroy it (RFC 9112, 9.6).
    pub(super) fn linger(&self) -> bool {
        let phase = self.phase();
        let unread = match phase {
            Phase::Head | Phase::Lingering => true,
            Phase::Exchange | Phase::Idle => !self.body_is(RequestBody::Complete),
            Phase::Fresh => false,
        };
        if unread && phase != Phase::Lingering {
            self.enter(Phase::Lingering);
        }
        unread
    }

    /// The moment at which this connection has used up its time, if it has a limit now, and why.
    ///
    /// To be asked whenever the connection was polled: what happened since it was asked before is taken to have happened now.
    pub(super) fn deadline(&self, limits: &Limits) -> Option<(Instant, CloseReason)> {
        let phase = match self.phase() {
            Phase::Fresh | Phase::Head => Some((limits.header_timeout, CloseReason::HeaderTimeout)),
            Phase::Idle => Some((limits.idle_timeout, CloseReason::IdleTimeout)),
            Phase::Lingering => Some((LINGER, CloseReason::Finished)),
            Phase::Exchange => None,
        };
        let phase =
            phase.and_then(|(limit, why)| Some((self.since.known(self.start).checked_add(limit)?, why)));
        let write = self.write_blocked.load(Relaxed).then(|| self.blocked_since.known(self.start));
        let write = write
            .and_then(|since| Some((since.checked_add(limits.body_timeout)?, CloseReason::WriteTimeout)));
        phase.into_iter().chain(write).min_by_key(|(at, _)| *at)
    }

    fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Relaxed);
        self.since.forget();
    }

    fn set_body(&self, body: RequestBody) {
        self.body.store(body as u8, Release);
    }

    fn body_is(&self, body: RequestBody) -> bool {
        self.body.load(Acquire) == body as u8
    }
}

/// A moment in the life of a connection, or one that the clock is still to be asked for: most are over before anybody wants to know.
#[derive(Debug)]
struct Moment(AtomicU64);

impl Moment {
    const UNKNOWN: u64 = u64::MAX;

    fn unknown() -> Self {
        Self::at(Self::UNKNOWN)
    }

    fn at(nanoseconds: u64) -> Self {
        Self(AtomicU64::new(nanoseconds))
    }

    fn forget(&self) {
        self.0.store(Self::UNKNOWN, Relaxed);
    }

    /// The moment; it is now, unless it is known already.
    fn known(&self, start: Instant) -> Instant {
        match self.0.load(Relaxed) {
            Self::UNKNOWN => {
                let now = Instant::now();
                let since = u64::try_from((now - start).as_nanos()).unwrap_or(Self::UNKNOWN);
                self.0.store(since, Relaxed);
                now
            }
            since => start + Duration::from_nanos(since),
        }
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
        assert_eq!(due(&activity), Some((30 * SECOND, CloseReason::IdleTimeout)));
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
        assert_eq!(due(&activity), Some((7 * SECOND, CloseReason::WriteTimeout)));
        tokio::time::advance(3 * SECOND).await;
        activity.write_blocked();
        assert_eq!(due(&activity), Some((4 * SECOND, CloseReason::WriteTimeout)));
        activity.wrote();
        assert_eq!(due(&activity), None);
        activity.write_blocked();
        assert_eq!(due(&activity), Some((7 * SECOND, CloseReason::WriteTimeout)));
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
