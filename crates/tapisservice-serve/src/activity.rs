//! What one connection is doing, and until when it may go on doing it: a state machine without I/O.

use std::{
    sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering::Relaxed},
    task::Waker,
    time::Duration,
};

use tokio::time::Instant;

use super::{
    CloseReason, Limits, ResponseLimit,
    discard::{BodyState, Upload},
    moment::Moment,
    pace::Pace,
};

/// How long a client may take to read a refusal while it is still sending what nobody wants.
const LINGER: Duration = Duration::from_secs(2);
/// How long an answer waits for the end of a body in chunks, to know whether the connection can go on.
const DISCARD_BEFORE_ANSWER: Duration = Duration::from_millis(250);
/// How long a client may take to send the rest of a body that nobody reads.
const DISCARD_AFTER_ANSWER: Duration = Duration::from_secs(5);
/// How long after the end of what a client sends, and how often, it is asked whether it is there.
const PROBE_EVERY: Duration = Duration::from_secs(1);

/// The state of one connection, told by its stream, its request bodies and its answers.
///
/// hyper has one header timeout, which covers the idle time between requests too; here they are different
/// limits, and the first byte is covered. A part of a pipelined head, which arrived with the request before it, is not seen: it has the
/// idle time, and from the next byte on that of a header.
///
/// The task of the connection tells everything but how a request's body goes on, which any task may read ([`Upload`]). So these are
/// single values that nobody has to lock.
#[derive(Debug)]
pub(super) struct Activity {
    start: Instant,
    phase: AtomicU8,
    since: Moment,
    /// Of the current request.
    pub(super) upload: Upload,
    pace: Pace,
    /// The route's own limit for writing the answer: nanoseconds, or one of the two below.
    response_limit: AtomicU64,
    /// Whether the client understands interim responses: whether it speaks HTTP/1.1.
    interim: AtomicBool,
    sending: AtomicU8,
    sending_since: Moment,
}

const LIMIT_OF_THE_SERVER: u64 = 0;
const PROGRESS_ONLY: u64 = u64::MAX;

/// Where a connection is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Phase {
    /// Connected; nothing has arrived.
    Fresh,
    /// Some of a request's head has arrived.
    Head,
    /// A request is being read or worked on.
    Exchange,
    /// The answer is there and waits for the rest of a body in chunks that nobody reads.
    DiscardBeforeAnswer,
    /// The answer is being written.
    Answer,
    /// The answer's body was handed over whole, and some of it may still have to leave.
    Answered,
    /// The answer has left, and the rest of a request's body that nobody reads is thrown away.
    DiscardAfterAnswer,
    /// Between two requests.
    Idle,
    /// The answer is out and our side is closed, the client is still sending.
    Lingering,
}

/// What the client's side of the connection does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Sending {
    Open,
    /// It sent its FIN: it sends no more, and may have gone.
    Closed,
    /// It is to be asked whether it has gone.
    ProbeDue,
    /// It was asked; when it has gone, a reset comes back.
    Probed,
    /// It was asked, and the answer is to be looked at.
    CheckDue,
}

/// What is due when a connection has used up the time for something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// The connection is closed.
    Close(CloseReason),
    /// The rest of the request's body is not waited for.
    StopDiscarding,
    /// The client is asked whether it is still there.
    Probe,
}

/// What to do about a client that sends no more while its request is worked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Watch {
    /// It may send its FIN.
    ForEnd,
    /// It is to be sent something, to which the kernel of one that has gone answers with a reset.
    Probe,
    /// Whether a reset came is to be looked at.
    Check,
    /// Nothing now.
    Nothing,
}

impl Activity {
    /// `waker` wakes the task of the connection.
    pub(super) fn new(now: Instant, waker: Waker) -> Self {
        Self {
            start: now,
            phase: AtomicU8::new(Phase::Fresh as u8),
            since: Moment::at(0),
            upload: Upload::new(waker),
            pace: Pace::new(),
            response_limit: AtomicU64::new(LIMIT_OF_THE_SERVER),
            interim: AtomicBool::new(false),
            sending: AtomicU8::new(Sending::Open as u8),
            sending_since: Moment::unknown(),
        }
    }

    pub(super) fn phase(&self) -> Phase {
        const ALL: [Phase; 9] = [
            Phase::Fresh,
            Phase::Head,
            Phase::Exchange,
            Phase::DiscardBeforeAnswer,
            Phase::Answer,
            Phase::Answered,
            Phase::DiscardAfterAnswer,
            Phase::Idle,
            Phase::Lingering,
        ];
        ALL[usize::from(self.phase.load(Relaxed))]
    }

    /// Bytes arrived.
    pub(super) fn read(&self) {
        match self.phase() {
            // The clock of the first request runs from the connection.
            Phase::Fresh => self.set_phase(Phase::Head),
            Phase::Idle => self.enter(Phase::Head),
            _ => {}
        }
    }

    /// A request's head is complete; its body is told to [`Activity::upload`]. `interim` is whether the client understands interim
    /// responses.
    pub(super) fn request(&self, interim: bool) {
        self.set_phase(Phase::Exchange);
        self.interim.store(interim, Relaxed);
    }

    /// The answer is there, and waits.
    pub(super) fn answer_waits(&self) {
        if self.phase() == Phase::Exchange {
            self.enter(Phase::DiscardBeforeAnswer);
        }
    }

    /// The answer is handed over, to be written within this limit, or that of the server.
    pub(super) fn answer(&self, limit: Option<ResponseLimit>) {
        self.enter(Phase::Answer);
        self.pace.restart();
        let limit = match limit {
            None => LIMIT_OF_THE_SERVER,
            Some(ResponseLimit::Streaming) => PROGRESS_ONLY,
            Some(ResponseLimit::Within(limit)) => {
                u64::try_from(limit.as_nanos()).unwrap_or(PROGRESS_ONLY).clamp(1, PROGRESS_ONLY - 1)
            }
        };
        self.response_limit.store(limit, Relaxed);
    }

    /// The answer's body has been handed over whole.
    pub(super) fn answered(&self) {
        self.set_phase(Phase::Answered);
    }

    /// Everything handed over has left.
    pub(super) fn flushed(&self) {
        if self.phase() == Phase::Answered {
            match self.upload.state() {
                BodyState::Complete | BodyState::Lost => self.enter(Phase::Idle),
                BodyState::Discarding | BodyState::DiscardingChunked => {
                    self.enter(Phase::DiscardAfterAnswer);
                }
                BodyState::Short | BodyState::Long => {}
            }
        }
    }

    /// Something of the rest of a body was thrown away.
    pub(super) fn discarded(&self) {
        if self.phase() == Phase::DiscardAfterAnswer && !self.upload.is_discarding() {
            self.enter(Phase::Idle);
        }
    }

    /// The rest of the request's body is not waited for any longer.
    pub(super) fn stop_discarding(&self) {
        self.upload.give_up();
        self.discarded();
    }

    /// The client takes no more bytes for now.
    pub(super) fn write_blocked(&self) {
        self.pace.blocked();
    }

    /// The client took bytes.
    pub(super) fn wrote(&self, bytes: usize) {
        self.pace.wrote(bytes, self.start);
    }

    /// What is to be watched of the client, while everything else waits.
    pub(super) fn watch(&self) -> Watch {
        if self.phase() == Phase::Exchange { self.watch_exchange() } else { Watch::Nothing }
    }

    fn watch_exchange(&self) -> Watch {
        match self.sending() {
            Sending::Open => Watch::ForEnd,
            Sending::Closed | Sending::Probed => Watch::Nothing,
            Sending::ProbeDue | Sending::CheckDue => {
                let first = self.sending() == Sending::ProbeDue;
                self.set_sending(Sending::Probed);
                if first { Watch::Probe } else { Watch::Check }
            }
        }
    }

    /// The client sent its FIN.
    pub(super) fn sending_ended(&self) {
        self.set_sending(Sending::Closed);
    }

    /// It is time to ask the client whether it is still there.
    pub(super) fn probe(&self) {
        let probed = self.sending() == Sending::Probed;
        self.set_sending(if probed { Sending::CheckDue } else { Sending::ProbeDue });
    }

    /// Our side is closed. Says whether to go on reading: closing a socket with unread bytes sends a reset,
    /// which can overtake the answer and destroy it (RFC 9112, 9.6).
    pub(super) fn linger(&self) -> bool {
        let phase = self.phase();
        let unread = match phase {
            Phase::Head | Phase::Lingering => true,
            Phase::Fresh => false,
            _ => !self.upload.is_complete(),
        };
        if unread && phase != Phase::Lingering {
            self.enter(Phase::Lingering);
        }
        unread
    }

    /// The moment at which this connection has used up its time, if it has a limit now, and what is due then.
    ///
    /// To be asked whenever the connection was polled: what happened since it was asked before is taken to have happened now.
    pub(super) fn deadline(&self, limits: &Limits) -> Option<(Instant, Due)> {
        let phase = match self.phase() {
            Phase::Fresh | Phase::Head => {
                self.after(limits.header_timeout, Due::Close(CloseReason::HeaderTimeout))
            }
            Phase::Idle => self.after(limits.idle_timeout, Due::Close(CloseReason::IdleTimeout)),
            Phase::Lingering => self.after(LINGER, Due::Close(CloseReason::Finished)),
            Phase::Exchange => self.probe_at(),
            Phase::DiscardBeforeAnswer if self.upload.is_discarding() => {
                self.after(DISCARD_BEFORE_ANSWER.min(limits.body_timeout), Due::StopDiscarding)
            }
            Phase::DiscardAfterAnswer => {
                self.after(DISCARD_AFTER_ANSWER.min(limits.body_timeout), Due::StopDiscarding)
            }
            Phase::Answer => self.answer_until(limits),
            Phase::Answered if self.pace.is_blocked() => self.answer_until(limits),
            Phase::DiscardBeforeAnswer | Phase::Answered => None,
        };
        if !self.pace.is_blocked() {
            return phase;
        }
        let with_rate = self.response_limit.load(Relaxed) != PROGRESS_ONLY;
        let write = self.pace.deadline(limits, with_rate, self.start);
        let write = write.map(|at| (at, Due::Close(CloseReason::WriteTimeout)));
        phase.into_iter().chain(write).min_by_key(|(at, _)| *at)
    }

    fn after(&self, limit: Duration, due: Due) -> Option<(Instant, Due)> {
        Some((self.since.known(self.start).checked_add(limit)?, due))
    }

    fn answer_until(&self, limits: &Limits) -> Option<(Instant, Due)> {
        let limit = match self.response_limit.load(Relaxed) {
            LIMIT_OF_THE_SERVER => limits.response_timeout,
            PROGRESS_ONLY => return None,
            own => Duration::from_nanos(own),
        };
        self.after(limit, Due::Close(CloseReason::WriteTimeout))
    }

    fn probe_at(&self) -> Option<(Instant, Due)> {
        let waits = matches!(self.sending(), Sending::Closed | Sending::Probed);
        if !waits || !self.interim.load(Relaxed) {
            return None;
        }
        Some((self.sending_since.known(self.start) + PROBE_EVERY, Due::Probe))
    }

    fn enter(&self, phase: Phase) {
        self.set_phase(phase);
        self.since.forget();
    }

    fn set_phase(&self, phase: Phase) {
        self.phase.store(phase as u8, Relaxed);
    }

    fn sending(&self) -> Sending {
        const ALL: [Sending; 5] =
            [Sending::Open, Sending::Closed, Sending::ProbeDue, Sending::Probed, Sending::CheckDue];
        ALL[usize::from(self.sending.load(Relaxed))]
    }

    fn set_sending(&self, sending: Sending) {
        self.sending.store(sending as u8, Relaxed);
        self.sending_since.forget();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn limits() -> Limits {
        Limits { body_timeout: 7 * SECOND, response_timeout: 100 * SECOND, ..Limits::default() }
    }

    fn due(activity: &Activity) -> Option<(Duration, Due)> {
        activity.deadline(&limits()).map(|(at, why)| (at - Instant::now(), why))
    }

    fn activity() -> Activity {
        Activity::new(Instant::now(), Waker::noop().clone())
    }

    fn asked() -> Activity {
        let activity = activity();
        activity.read();
        activity.request(true);
        activity
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_header_is_timed_from_the_connection() {
        let activity = activity();
        tokio::time::advance(4 * SECOND).await;
        activity.read();
        tokio::time::advance(4 * SECOND).await;
        activity.read();
        assert_eq!(due(&activity), Some((2 * SECOND, Due::Close(CloseReason::HeaderTimeout))));
    }

    #[tokio::test(start_paused = true)]
    async fn a_later_header_is_timed_from_its_first_byte() {
        let activity = asked();
        assert_eq!(due(&activity), None);
        activity.answer(None);
        activity.answered();
        activity.flushed();
        assert_eq!(due(&activity), Some((30 * SECOND, Due::Close(CloseReason::IdleTimeout))));
        tokio::time::advance(20 * SECOND).await;
        assert_eq!(due(&activity), Some((10 * SECOND, Due::Close(CloseReason::IdleTimeout))));
        activity.read();
        assert_eq!(due(&activity), Some((10 * SECOND, Due::Close(CloseReason::HeaderTimeout))));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_still_being_read_keeps_the_exchange_open() {
        let activity = asked();
        let number = activity.upload.begin(Some(10));
        activity.answer(None);
        activity.answered();
        activity.flushed();
        assert_eq!(activity.phase(), Phase::Answered);
        assert_eq!(due(&activity), None);
        activity.upload.end(number, true);
        activity.flushed();
        assert_eq!(activity.phase(), Phase::Idle);
    }

    #[tokio::test(start_paused = true)]
    async fn the_body_of_an_earlier_request_is_nobodys_business() {
        let activity = asked();
        let first = activity.upload.begin(Some(10));
        let second = activity.upload.begin(None);
        activity.upload.end(first, true);
        assert_eq!(activity.upload.state(), BodyState::Long);
        activity.upload.end(second, false);
        assert_eq!(activity.upload.state(), BodyState::Lost);
        activity.upload.begin_without();
        activity.upload.end(second, false);
        assert!(activity.upload.is_complete());
    }

    #[tokio::test(start_paused = true)]
    async fn a_blocked_write_is_timed_from_the_last_progress() {
        let activity = asked();
        activity.answer(Some(ResponseLimit::Streaming));
        activity.write_blocked();
        assert_eq!(due(&activity), Some((7 * SECOND, Due::Close(CloseReason::WriteTimeout))));
        tokio::time::advance(3 * SECOND).await;
        activity.write_blocked();
        assert_eq!(due(&activity), Some((4 * SECOND, Due::Close(CloseReason::WriteTimeout))));
        activity.wrote(1);
        assert_eq!(due(&activity), None);
        tokio::time::advance(1000 * SECOND).await;
        activity.write_blocked();
        assert_eq!(due(&activity), Some((7 * SECOND, Due::Close(CloseReason::WriteTimeout))));
    }

    #[tokio::test(start_paused = true)]
    async fn writing_an_answer_has_the_time_of_the_server_or_of_its_route() {
        let own = |limit| Some(ResponseLimit::Within(limit));
        for (limit, expected) in [
            (None, Some(100 * SECOND)),
            (own(20 * SECOND), Some(20 * SECOND)),
            (own(3000 * SECOND), Some(3000 * SECOND)),
            (own(Duration::ZERO), Some(Duration::from_nanos(1))),
            (Some(ResponseLimit::Streaming), None),
        ] {
            let activity = asked();
            activity.answer(limit);
            let expected = expected.map(|time| (time, Due::Close(CloseReason::WriteTimeout)));
            assert_eq!(due(&activity), expected, "{limit:?}");
        }
        let activity = asked();
        activity.answer(own(Duration::MAX));
        assert!(due(&activity).is_none_or(|(time, _)| time > Duration::from_hours(24)));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_taken_slowly_has_the_shorter_of_rate_and_total() {
        let activity = asked();
        activity.answer(None);
        activity.write_blocked();
        assert_eq!(due(&activity), Some((7 * SECOND, Due::Close(CloseReason::WriteTimeout))), "no progress");
        activity.wrote(24_000);
        tokio::time::advance(96 * SECOND).await;
        activity.answered();
        activity.write_blocked();
        assert_eq!(due(&activity), Some((4 * SECOND, Due::Close(CloseReason::WriteTimeout))), "the total");
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_sends_no_more_is_asked_again_and_again_while_its_request_is_worked_on() {
        let activity = asked();
        assert_eq!(activity.watch(), Watch::ForEnd);
        activity.sending_ended();
        assert_eq!((due(&activity), activity.watch()), (Some((SECOND, Due::Probe)), Watch::Nothing));
        activity.probe();
        assert_eq!((activity.watch(), activity.watch()), (Watch::Probe, Watch::Nothing));
        for _ in 0..3 {
            assert_eq!(due(&activity), Some((SECOND, Due::Probe)));
            activity.probe();
            assert_eq!(
                (activity.watch(), activity.watch()),
                (Watch::Check, Watch::Nothing),
                "one line is enough"
            );
        }
        activity.answer(None);
        assert_eq!(activity.watch(), Watch::Nothing, "writing the answer finds out");

        let old = activity_of_http_1_0();
        old.sending_ended();
        assert_eq!(due(&old), None, "HTTP/1.0 knows no interim responses");
    }

    fn activity_of_http_1_0() -> Activity {
        let activity = activity();
        activity.request(false);
        activity
    }

    #[tokio::test(start_paused = true)]
    async fn only_unread_input_lingers() {
        assert!(!activity().linger());

        let refused_head = activity();
        refused_head.read();
        assert!(refused_head.linger());
        assert_eq!(due(&refused_head), Some((LINGER, Due::Close(CloseReason::Finished))));

        let refused_body = asked();
        let number = refused_body.upload.begin(Some(10));
        refused_body.upload.end(number, false);
        assert!(refused_body.linger());

        let answered = asked();
        let number = answered.upload.begin(Some(10));
        answered.upload.end(number, true);
        assert!(!answered.linger());
    }
}
