//! Discards what nobody reads of a request's body, so that the connection can carry the next request.

use std::{
    pin::Pin,
    task::{Context, Poll, Waker, ready},
};

use crossbeam_utils::atomic::AtomicCell;
use http_body::Body as _;
use hyper::body::Incoming;
use parking_lot::{Mutex, MutexGuard};

/// The maximum number of bytes discarded of one body. Beyond that, a new connection costs the client less.
pub(super) const DISCARD_BYTES: u64 = 256 * 1024;

/// The state of a request's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyState {
    /// There is none, or it was read to the end.
    Complete,
    /// Somebody may be reading it; if they stop, the rest is small enough to be discarded.
    Short,
    /// Somebody may be reading it; it is large, or of unknown length.
    Long,
    /// Nobody reads it, and its rest is being discarded: it is small enough.
    Discarding,
    /// Nobody reads it, and its rest, of unknown length, is being discarded.
    DiscardingChunked,
    /// Its rest is not read: it is too large, or it did not arrive, or the client was never asked for it. No request can follow.
    Lost,
}

/// The request of a connection that a body belongs to. A handler may keep a body for longer than its request lasts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct RequestNumber(u64);

/// What a connection knows about the body of its current request.
// The state stands outside the lock, so that a request without a body, which is the usual one, takes no lock.
#[derive(Debug)]
pub(super) struct Upload {
    state: AtomicCell<BodyState>,
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
    /// Bytes that may still be discarded.
    left: u64,
}

impl Upload {
    pub(super) fn new(waker: Waker) -> Self {
        Self { state: AtomicCell::new(BodyState::Complete), current: Mutex::default(), waker }
    }

    pub(super) fn state(&self) -> BodyState {
        self.state.load()
    }

    pub(super) fn is_complete(&self) -> bool {
        self.state() == BodyState::Complete
    }

    pub(super) fn is_discarding(&self) -> bool {
        matches!(self.state(), BodyState::Discarding | BodyState::DiscardingChunked)
    }

    /// A request without a body begins.
    pub(super) fn begin_without(&self) {
        if !self.is_complete() {
            self.next(BodyState::Complete);
        }
    }

    /// A request begins whose body has this announced length, or is chunked.
    pub(super) fn begin(&self, announced: Option<u64>) -> RequestNumber {
        let short = announced.is_some_and(|bytes| bytes <= DISCARD_BYTES);
        self.next(if short { BodyState::Short } else { BodyState::Long })
    }

    /// The body was read to the end, or cannot be read any further.
    pub(super) fn end(&self, number: RequestNumber, complete: bool) {
        let current = self.current();
        // A handler that kept the body of an earlier request has no say about this one.
        if current.number == number {
            self.set(&current, if complete { BodyState::Complete } else { BodyState::Lost });
        }
    }

    /// Nobody reads the body any more. `may_read` is false while the client still waits for `100 Continue`.
    pub(super) fn abandon(&self, number: RequestNumber, incoming: Incoming, may_read: bool) {
        let (state, left) = match incoming.size_hint().exact() {
            // Reading would make hyper send the `100 Continue`, for a body that nobody wants (RFC 9110, 10.1.1).
            _ if !may_read => (BodyState::Lost, 0),
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

    /// Discards what has arrived. Ready if there was something, so that hyper can go on, and at the end.
    pub(super) fn poll_discard(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut current = self.current();
        let Some(unread) = &mut current.unread else { return Poll::Pending };
        let ended = match ready!(Pin::new(&mut unread.incoming).poll_frame(cx)) {
            Some(Ok(frame)) => unread.discarded(frame.data_ref().map_or(0, |data| data.len() as u64)),
            Some(Err(_)) => Some(BodyState::Lost),
            None => Some(BodyState::Complete),
        };
        if let Some(state) = ended {
            self.set(&current, state);
            // Dropping a body wakes a task, which should not have to wait for this lock.
            let unread = current.unread.take();
            drop(current);
            drop(unread);
        }
        Poll::Ready(())
    }

    /// Stops discarding.
    pub(super) fn give_up(&self) {
        let mut current = self.current();
        if let Some(unread) = current.unread.take() {
            self.set(&current, BodyState::Lost);
            drop(current);
            // hyper sees that nobody reads, and wakes a task: not while the lock is held.
            drop(unread);
        }
    }

    fn next(&self, state: BodyState) -> RequestNumber {
        let mut current = self.current();
        current.number.0 += 1;
        let number = current.number;
        self.set(&current, state);
        // It is at its end: hyper reads a body to the end before it begins the next request.
        let before = current.unread.take();
        drop(current);
        drop(before);
        number
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock()
    }

    fn set(&self, _held: &MutexGuard<'_, Current>, state: BodyState) {
        self.state.store(state);
    }
}

impl Unread {
    fn discarded(&mut self, bytes: u64) -> Option<BodyState> {
        let Some(left) = self.left.checked_sub(bytes) else { return Some(BodyState::Lost) };
        self.left = left;
        self.incoming.is_end_stream().then_some(BodyState::Complete)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_of_an_earlier_request_has_no_say() {
        let upload = Upload::new(Waker::noop().clone());
        let first = upload.begin(Some(10));
        let second = upload.begin(None);
        upload.end(first, true);
        assert_eq!(upload.state(), BodyState::Long);
        upload.end(second, false);
        assert_eq!(upload.state(), BodyState::Lost);
        upload.begin_without();
        upload.end(second, false);
        assert!(upload.is_complete());
    }
}
