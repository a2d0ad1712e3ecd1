//! What nobody reads of a request's body: it is read and thrown away, so that the connection can carry the next request.

use std::{
    pin::Pin,
    sync::atomic::{
        AtomicU8,
        Ordering::{Acquire, Release},
    },
    task::{Context, Poll, Waker, ready},
};

use http_body::Body as _;
use hyper::body::Incoming;
use parking_lot::{Mutex, MutexGuard};

/// Bytes of one body that are read to be thrown away. More costs the client less as a new connection.
pub(super) const DISCARD_BYTES: u64 = 256 * 1024;

/// How far the body of a request has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum BodyState {
    /// There is none, or it was read to its end.
    Complete,
    /// Somebody may be reading it; what they leave is few enough bytes to be thrown away.
    Short,
    /// Somebody may be reading it; it has many bytes, or nobody knows how many.
    Long,
    /// Nobody reads it, and its rest is thrown away: few enough bytes.
    Discarding,
    /// Nobody reads it, and its rest is thrown away; nobody knows how many bytes that is.
    DiscardingChunked,
    /// Its rest is not read: it is too long, or the client did not go on, or may not. No request can follow.
    Lost,
}

/// Which request of a connection a body belongs to. A handler may keep a body for longer than its request lasts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct RequestNumber(u64);

/// The body of the request that a connection is busy with, as far as the connection has to know.
///
/// A request without a body, after one whose body is complete, takes no lock.
#[derive(Debug)]
pub(super) struct Upload {
    state: AtomicU8,
    current: Mutex<Current>,
    /// Wakes the task of the connection.
    waker: Waker,
}

#[derive(Debug, Default)]
struct Current {
    number: RequestNumber,
    unread: Option<Unread>,
}

#[derive(Debug)]
struct Unread {
    incoming: Incoming,
    /// Bytes that may still be thrown away.
    left: u64,
}

impl Upload {
    pub(super) fn new(waker: Waker) -> Self {
        Self { state: AtomicU8::new(BodyState::Complete as u8), current: Mutex::default(), waker }
    }

    pub(super) fn state(&self) -> BodyState {
        const ALL: [BodyState; 6] = [
            BodyState::Complete,
            BodyState::Short,
            BodyState::Long,
            BodyState::Discarding,
            BodyState::DiscardingChunked,
            BodyState::Lost,
        ];
        ALL[usize::from(self.state.load(Acquire))]
    }

    pub(super) fn is_complete(&self) -> bool {
        self.state.load(Acquire) == BodyState::Complete as u8
    }

    pub(super) fn is_discarding(&self) -> bool {
        let state = self.state.load(Acquire);
        state == BodyState::Discarding as u8 || state == BodyState::DiscardingChunked as u8
    }

    /// A request without a body begins.
    pub(super) fn begin_without(&self) {
        if !self.is_complete() {
            self.next(BodyState::Complete);
        }
    }

    /// A request begins, whose body announces so many bytes, or chunks.
    pub(super) fn begin(&self, announced: Option<u64>) -> RequestNumber {
        let short = announced.is_some_and(|bytes| bytes <= DISCARD_BYTES);
        self.next(if short { BodyState::Short } else { BodyState::Long })
    }

    /// The body was read to its end, or can be read no further.
    pub(super) fn end(&self, number: RequestNumber, complete: bool) {
        let current = self.current();
        if current.number == number {
            self.set(&current, if complete { BodyState::Complete } else { BodyState::Lost });
        }
    }

    /// Nobody reads the body any more. `may_ask` is whether to read on does not ask the client to begin sending (RFC 9110, 10.1.1).
    pub(super) fn abandon(&self, number: RequestNumber, incoming: Incoming, may_ask: bool) {
        let (state, left) = match incoming.size_hint().exact() {
            _ if !may_ask => (BodyState::Lost, 0),
            Some(bytes) if bytes > DISCARD_BYTES => (BodyState::Lost, 0),
            Some(bytes) => (BodyState::Discarding, bytes),
            None => (BodyState::DiscardingChunked, DISCARD_BYTES),
        };
        let mut current = self.current();
        if current.number != number {
            return;
        }
        self.set(&current, state);
        if state != BodyState::Lost {
            current.unread = Some(Unread { incoming, left });
        }
        drop(current);
        self.waker.wake_by_ref();
    }

    /// Throws away what has arrived. Ready when there was something, so that hyper may go on; or when it is over.
    pub(super) fn poll_discard(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut current = self.current();
        let Some(unread) = &mut current.unread else { return Poll::Pending };
        let ended = match ready!(Pin::new(&mut unread.incoming).poll_frame(cx)) {
            Some(Ok(frame)) => unread.took(frame.data_ref().map_or(0, |data| data.len() as u64)),
            Some(Err(_)) => Some(BodyState::Lost),
            None => Some(BodyState::Complete),
        };
        if let Some(state) = ended {
            self.set(&current, state);
            let unread = current.unread.take();
            drop(current);
            drop(unread);
        }
        Poll::Ready(())
    }

    /// Throws nothing more away.
    pub(super) fn give_up(&self) {
        let mut current = self.current();
        if let Some(unread) = current.unread.take() {
            self.set(&current, BodyState::Lost);
            drop(current);
            // hyper sees that nobody reads.
            drop(unread);
        }
    }

    fn next(&self, state: BodyState) -> RequestNumber {
        let mut current = self.current();
        current.number.0 += 1;
        let number = current.number;
        self.set(&current, state);
        // hyper has read the body before it began another request.
        let before = current.unread.take();
        drop(current);
        drop(before);
        number
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock()
    }

    fn set(&self, _held: &MutexGuard<'_, Current>, state: BodyState) {
        self.state.store(state as u8, Release);
    }
}

impl Unread {
    fn took(&mut self, bytes: u64) -> Option<BodyState> {
        let Some(left) = self.left.checked_sub(bytes) else { return Some(BodyState::Lost) };
        self.left = left;
        self.incoming.is_end_stream().then_some(BodyState::Complete)
    }
}
