//! Whether the client is still there while its request is worked on.
//!
//! A client may close its side after its request and wait for the answer. One that has gone looks the same at first: what arrives is a
//! FIN. So it is sent something: one that waits discards it, and the kernel of one that has gone answers with a reset.

use std::io;
use std::mem::MaybeUninit;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;

use http::Version;
use tokio::io::ReadBuf;
use tokio::net::TcpStream;
use tokio::time::{Instant, Interval, interval_at};

/// How long after its FIN the client is asked, and how often it is then looked whether a reset came.
const PROBE_EVERY: Duration = Duration::from_secs(1);
/// An interim response that a client discards when it did not expect it (RFC 9110, section 15.2.1).
const PROBE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// No request waits for its answer.
const IDLE: u8 = 0;
/// One does, and its client understands interim responses.
const WAITING: u8 = 1;
/// One does, and its client speaks HTTP/1.0, which has no interim responses.
const WAITING_WITHOUT_INTERIM: u8 = 2;

/// Whether a request on a connection waits for its answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Exchange(Arc<AtomicU8>);

impl Exchange {
    /// A request has arrived.
    pub(crate) fn begin(&self, version: Version) {
        let state = if version >= Version::HTTP_11 { WAITING } else { WAITING_WITHOUT_INTERIM };
        self.0.store(state, Relaxed);
    }

    /// Its answer is there. Writing it finds out whether the client is.
    pub(crate) fn end(&self) {
        self.0.store(IDLE, Relaxed);
    }
}

/// Looks after the client of one connection.
#[derive(Debug)]
pub(crate) struct Presence {
    exchange: Exchange,
    /// Runs from the client's FIN on.
    checks: Option<Interval>,
    probed: bool,
}

impl Presence {
    pub(crate) fn new(exchange: Exchange) -> Self {
        Self { exchange, checks: None, probed: false }
    }

    /// Has `cx` woken for what the client of a waiting request does. To be called when everything written before has left.
    ///
    /// # Errors
    ///
    /// The client has gone.
    pub(crate) fn check(&mut self, socket: &TcpStream, cx: &mut Context<'_>) -> io::Result<()> {
        let state = self.exchange.0.load(Relaxed);
        if state == IDLE {
            return Ok(());
        }
        if self.checks.is_none() {
            let mut next = [MaybeUninit::uninit()];
            if let Poll::Ready(0) = socket.poll_peek(cx, &mut ReadBuf::uninit(&mut next))? {
                self.checks = Some(interval_at(Instant::now() + PROBE_EVERY, PROBE_EVERY));
            }
        }
        let Some(checks) = &mut self.checks else { return Ok(()) };
        while checks.poll_tick(cx).is_ready() {
            if state == WAITING && !self.probed {
                self.probed = true;
                probe(socket)?;
            } else if let Some(error) = socket.take_error()? {
                return Err(error);
            }
        }
        Ok(())
    }
}

fn probe(socket: &TcpStream) -> io::Result<()> {
    // It fits, as nothing else waits to be sent.
    if socket.try_write(PROBE)? == PROBE.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
}
