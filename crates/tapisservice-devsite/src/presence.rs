//! Detects whether the client is still connected while its request is processed.
//!
//! A client may close its side after its request and wait for the response. A client that has gone looks the same at first: both send a
//! FIN. So the server sends a probe: a waiting client discards it, and the kernel of a client that has gone answers with a reset.

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

/// How long after its FIN the client is probed, and how often the socket is then checked for a reset.
const PROBE_EVERY: Duration = Duration::from_secs(1);
/// An interim response, which a client discards if it did not expect it (RFC 9110, section 15.2.1).
const PROBE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// No request is waiting for its response.
const IDLE: u8 = 0;
/// A request is waiting, and its client understands interim responses.
const WAITING: u8 = 1;
/// A request is waiting, and its client uses HTTP/1.0, which has no interim responses.
const WAITING_WITHOUT_INTERIM: u8 = 2;

/// Whether a request on a connection is waiting for its response.
#[derive(Clone, Debug, Default)]
pub(crate) struct Exchange(Arc<AtomicU8>);

impl Exchange {
    /// A request has arrived.
    pub(crate) fn begin(&self, version: Version) {
        let state = if version >= Version::HTTP_11 { WAITING } else { WAITING_WITHOUT_INTERIM };
        self.0.store(state, Relaxed);
    }

    /// Its response is ready. Writing it detects whether the client is connected.
    pub(crate) fn end(&self) {
        self.0.store(IDLE, Relaxed);
    }
}

/// Monitors the client of one connection.
#[derive(Debug)]
pub(crate) struct Presence {
    exchange: Exchange,
    /// Set on the client's FIN.
    checks: Option<Interval>,
    probed: bool,
}

impl Presence {
    pub(crate) fn new(exchange: Exchange) -> Self {
        Self { exchange, checks: None, probed: false }
    }

    /// Registers `cx` for changes of the client of a waiting request. Call it once everything is flushed.
    ///
    /// # Errors
    ///
    /// When the client has gone.
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
    // It fits, because the send buffer is empty.
    if socket.try_write(PROBE)? == PROBE.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
}
