//! Responses sent before the body of the request was read: they announce that the connection closes, and the close leaves the client the
//! time to read them. Without the announcement a client would send its next request into a closed connection.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::response::Response;
use bytes::Bytes;
use http::header::{CONNECTION, HeaderValue};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

use crate::presence::Presence;

/// How long a client may keep sending a body that is not read.
const LINGER_TIMEOUT: Duration = Duration::from_secs(2);

/// Whether the last request on a connection has an unread body.
#[derive(Clone, Debug, Default)]
pub(crate) struct Unread(Arc<AtomicBool>);

impl Unread {
    /// The body of the next request.
    pub(crate) fn watch(&self, incoming: Incoming) -> RequestBody {
        self.0.store(!incoming.is_end_stream(), Relaxed);
        RequestBody { incoming, unread: self.clone() }
    }

    /// Adds `Connection: close` to the response if an unread body prevents further requests.
    pub(crate) fn announce(&self, response: &mut Response) {
        if self.0.load(Relaxed) {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
    }
}

/// The body of a request.
#[derive(Debug)]
pub(crate) struct RequestBody {
    incoming: Incoming,
    unread: Unread,
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.incoming).poll_frame(cx));
        if frame.is_none() || self.incoming.is_end_stream() {
            self.unread.0.store(false, Relaxed);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

/// A socket that lingers: after closing its side it reads on for a moment if data is unread. Closed at once it would send a reset,
/// which can destroy the response (RFC 9112, section 9.6). While a request waits for its response, it fails when the client has disconnected.
#[derive(Debug)]
pub(crate) struct LingeringStream {
    socket: TcpStream,
    unread: Unread,
    presence: Presence,
    closed: Option<Pin<Box<Sleep>>>,
}

impl LingeringStream {
    pub(crate) fn new(socket: TcpStream, unread: Unread, presence: Presence) -> Self {
        Self { socket, unread, presence, closed: None }
    }

    /// Reads to the end of what the client sends.
    fn discard(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut scratch = [0; 4096];
        loop {
            let mut buf = ReadBuf::new(&mut scratch);
            match ready!(Pin::new(&mut self.socket).poll_read(cx, &mut buf)) {
                Ok(()) if !buf.filled().is_empty() => {}
                Ok(()) | Err(_) => return Poll::Ready(()),
            }
        }
    }
}

impl AsyncRead for LingeringStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(cx, buf)
    }
}

impl AsyncWrite for LingeringStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    // hyper flushes whenever it was polled and its own write buffer is empty.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        ready!(Pin::new(&mut this.socket).poll_flush(cx))?;
        Poll::Ready(this.presence.check(&this.socket, cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.closed.is_none() {
            ready!(Pin::new(&mut self.socket).poll_shutdown(cx))?;
            self.closed = Some(Box::pin(sleep(LINGER_TIMEOUT)));
        }
        if !self.unread.0.load(Relaxed) || self.discard(cx).is_ready() {
            return Poll::Ready(Ok(()));
        }
        self.closed.as_mut().map_or(Poll::Ready(()), |end| end.as_mut().poll(cx)).map(Ok)
    }
}
