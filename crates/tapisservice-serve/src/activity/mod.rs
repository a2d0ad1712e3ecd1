//! What one connection is doing: a state machine without I/O.

mod deadline;
mod half_close;

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    task::Waker,
};

use crossbeam_utils::atomic::AtomicCell;
use tokio::time::Instant;

use self::half_close::HalfClose;
pub(super) use self::{deadline::Due, half_close::Watch};
use super::{
    Limits, ResponseLimit,
    discard::{BodyState, Upload},
    lazy_instant::LazyInstant,
    pace::Pace,
};

/// The state of one connection, reported by its stream, its request bodies and its responses.
///
/// hyper has one header timeout, which also covers the idle time between requests. Here they are two limits, and the
/// time before the first byte is limited too. One case is not seen: the part of a pipelined head that arrived together with the request
/// before it. Such a connection counts as idle until the next byte arrives.
// All but the upload is written by the task of the connection alone. The state is shared only because bodies can move to
// other tasks, so atomics are enough, and no request takes a lock for them.
#[derive(Debug)]
pub(super) struct Activity {
    start: Instant,
    phase: AtomicCell<Phase>,
    /// The beginning of the phase.
    since: LazyInstant,
    /// The body of the current request.
    pub(super) upload: Upload,
    pub(super) half_close: HalfClose,
    pace: Pace,
    /// Nanoseconds for writing the response, or [`PROGRESS_ONLY`].
    response_limit: AtomicU64,
}

/// The response is a stream: it has no total and no minimum rate.
const PROGRESS_ONLY: u64 = u64::MAX;

/// Where a connection is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Connected; nothing has arrived.
    New,
    /// Part of a request's head has arrived.
    Head,
    /// A request is being read or handled.
    Exchange,
    /// The response is ready, and waits for the rest of a chunked body that nobody reads.
    DiscardBeforeResponse,
    /// The response is being written.
    Response,
    /// hyper has the whole response, and some of it may still have to leave.
    Flushing,
    /// The response has left, and the rest of a body that nobody reads is discarded.
    DiscardAfterResponse,
    /// Between two requests.
    Idle,
    /// The response has left and our side is closed, but the client is still sending.
    Lingering,
}

impl Activity {
    /// `waker` wakes the task of the connection.
    pub(super) fn new(now: Instant, waker: Waker) -> Self {
        Self {
            start: now,
            phase: AtomicCell::new(Phase::New),
            since: LazyInstant::at_start(),
            upload: Upload::new(waker),
            half_close: HalfClose::new(),
            pace: Pace::new(),
            response_limit: AtomicU64::new(PROGRESS_ONLY),
        }
    }

    pub(super) fn phase(&self) -> Phase {
        self.phase.load()
    }

    /// Bytes arrived.
    pub(super) fn read(&self) {
        match self.phase() {
            // The first head is timed from the connection, or a client could double its time by sending one byte late.
            Phase::New => self.phase.store(Phase::Head),
            Phase::Idle => self.enter(Phase::Head),
            _ => {}
        }
    }

    /// A request's head is complete. `interim` is whether the client understands interim responses.
    pub(super) fn request(&self, interim: bool) {
        self.phase.store(Phase::Exchange);
        self.half_close.request(interim);
    }

    /// The response is ready, and waits.
    pub(super) fn response_waits(&self) {
        // Polled again while it waits, it must not start the time over.
        if self.phase() == Phase::Exchange {
            self.enter(Phase::DiscardBeforeResponse);
        }
    }

    /// The response is handed to hyper, to be written within the limit of its route or that of the server.
    pub(super) fn response(&self, route: Option<ResponseLimit>, limits: &Limits) {
        self.enter(Phase::Response);
        self.pace.restart();
        let limit = match route.unwrap_or(ResponseLimit::Within(limits.response_timeout)) {
            ResponseLimit::Streaming => PROGRESS_ONLY,
            ResponseLimit::Within(limit) => {
                u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX).min(PROGRESS_ONLY - 1)
            }
        };
        self.response_limit.store(limit, Relaxed);
    }

    /// hyper has the whole response.
    pub(super) fn response_ended(&self) {
        self.phase.store(Phase::Flushing);
    }

    /// Everything that hyper had has left.
    pub(super) fn flushed(&self) {
        if self.phase() == Phase::Flushing {
            match self.upload.state() {
                BodyState::Complete | BodyState::Lost => self.enter(Phase::Idle),
                BodyState::Discarding | BodyState::DiscardingChunked => {
                    self.enter(Phase::DiscardAfterResponse);
                }
                // A task that outlives the handler may still read the body, and hyper waits for it.
                BodyState::Short | BodyState::Long => {}
            }
        }
    }

    /// Some of the rest of a body was discarded.
    pub(super) fn discarded(&self) {
        if self.phase() == Phase::DiscardAfterResponse && !self.upload.is_discarding() {
            self.enter(Phase::Idle);
        }
    }

    /// The rest of the request's body is no longer waited for.
    pub(super) fn stop_discarding(&self) {
        self.upload.give_up();
        self.discarded();
    }

    /// The client reads no more bytes for now.
    pub(super) fn write_blocked(&self) {
        self.pace.blocked();
    }

    /// The client took bytes.
    pub(super) fn wrote(&self, bytes: usize) {
        self.pace.wrote(bytes, self.start);
    }

    /// What the socket has to do to watch the client.
    pub(super) fn watch(&self) -> Watch {
        // In every other phase the connection reads or writes, and notices by itself that the client is gone.
        if self.phase() == Phase::Exchange { self.half_close.watch() } else { Watch::Nothing }
    }

    /// Our side is closed. Returns whether to go on reading.
    pub(super) fn linger(&self) -> bool {
        let phase = self.phase();
        // Closing a socket with unread bytes sends a reset, which can overtake the response and destroy it (RFC 9112, 9.6).
        let unread = match phase {
            Phase::Head | Phase::Lingering => true,
            Phase::New => false,
            _ => !self.upload.is_complete(),
        };
        if unread && phase != Phase::Lingering {
            self.enter(Phase::Lingering);
        }
        unread
    }

    /// Begins a phase that has its own time.
    fn enter(&self, phase: Phase) {
        self.phase.store(phase);
        self.since.reset();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new() -> Activity {
        Activity::new(Instant::now(), Waker::noop().clone())
    }

    fn exchange() -> Activity {
        let activity = new();
        activity.read();
        activity.request(true);
        activity
    }

    #[test]
    fn a_body_still_being_read_keeps_the_exchange_open() {
        let activity = exchange();
        let number = activity.upload.begin(Some(10));
        activity.response(None, &Limits::default());
        activity.response_ended();
        activity.flushed();
        assert_eq!(activity.phase(), Phase::Flushing);
        assert_eq!(activity.deadline(&Limits::default()), None);
        activity.upload.end(number, true);
        activity.flushed();
        assert_eq!(activity.phase(), Phase::Idle);
    }

    #[test]
    fn the_client_is_watched_only_while_its_request_is_handled() {
        assert_eq!(new().watch(), Watch::Nothing);
        let activity = exchange();
        assert_eq!(activity.watch(), Watch::Fin);
        activity.response(None, &Limits::default());
        assert_eq!(activity.watch(), Watch::Nothing, "writing the response finds out");
    }

    #[test]
    fn only_unread_input_lingers() {
        assert!(!new().linger());

        let refused_head = new();
        refused_head.read();
        assert!(refused_head.linger());

        for (complete, lingers) in [(false, true), (true, false)] {
            let activity = exchange();
            let number = activity.upload.begin(Some(10));
            activity.upload.end(number, complete);
            assert_eq!(activity.linger(), lingers);
        }
    }
}
