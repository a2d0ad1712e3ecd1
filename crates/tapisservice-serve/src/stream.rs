//! A client's socket that reports its progress, and closes without destroying the last response.

use std::{
    io::{self, IoSlice},
    mem::MaybeUninit,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

use super::activity::{Activity, Watch};

/// Responses up to this size are copied into one buffer. That costs 0.1 microseconds less than a vectored write, which is 1 %
/// of the CPU time of a small request.
const ONE_PIECE: usize = 4096;
/// Finds out whether a client that closed its side is still there: a client discards an interim response that it did not
/// expect (RFC 9110, 15.2), and the kernel of one that is gone sends a reset. The status is 100, which
/// every client knows: some take a 102 for the final response.
const PROBE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

#[derive(Debug)]
pub(super) struct ClientStream {
    socket: TcpStream,
    activity: Arc<Activity>,
    write_closed: bool,
}

impl ClientStream {
    pub(super) fn new(socket: TcpStream, activity: Arc<Activity>) -> Self {
        Self { socket, activity, write_closed: false }
    }

    fn report(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match &written {
            Poll::Pending => self.activity.write_blocked(),
            Poll::Ready(bytes) => self.activity.wrote(*bytes.as_ref().unwrap_or(&0)),
        }
        written
    }

    /// Watches the client while its request is handled. An error means that it is gone.
    fn watch(&self, cx: &mut Context<'_>) -> io::Result<()> {
        match self.activity.watch() {
            Watch::Nothing => Ok(()),
            // A peek, because a byte that is read here would be missing from the next request.
            Watch::Fin => {
                let mut next = [MaybeUninit::uninit()];
                if let Poll::Ready(0) = self.socket.poll_peek(cx, &mut ReadBuf::uninit(&mut next))? {
                    self.activity.half_close.fin_received();
                }
                Ok(())
            }
            Watch::Probe => match self.socket.try_write(PROBE) {
                Ok(sent) if sent == PROBE.len() => Ok(()),
                // The probe fits into the kernel's buffer unless an earlier response fills it, and then the client does not read.
                Ok(_) => Err(io::ErrorKind::WriteZero.into()),
                Err(error) => Err(error),
            },
            // Nothing is read any more after the FIN, so a reset shows only as the pending error of the socket.
            Watch::Check => self.socket.take_error()?.map_or(Ok(()), Err),
        }
    }
}

impl AsyncRead for ClientStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.socket).poll_read(cx, buf))?;
        if buf.filled().len() > before {
            self.activity.read();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for ClientStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write(cx, buf);
        self.report(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut space = [MaybeUninit::uninit(); ONE_PIECE];
        let written = match in_one_piece(bufs, &mut space) {
            Some(piece) => Pin::new(&mut self.socket).poll_write(cx, piece.filled()),
            None => Pin::new(&mut self.socket).poll_write_vectored(cx, bufs),
        };
        self.report(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    // hyper calls this only when its own write buffer is empty, so the end of a flush is the end of the response.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.socket).poll_flush(cx))?;
        self.activity.flushed();
        Poll::Ready(self.watch(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // hyper polls until it is ready: the FIN is sent once, and then the client is read until it stops.
        if !self.write_closed {
            ready!(Pin::new(&mut self.socket).poll_shutdown(cx))?;
            self.write_closed = true;
        }
        if self.activity.linger() { discard(&mut self.socket, cx) } else { Poll::Ready(Ok(())) }
    }
}

/// The pieces in one buffer, if they fit into `space`.
fn in_one_piece<'a>(pieces: &[IoSlice<'_>], space: &'a mut [MaybeUninit<u8>]) -> Option<ReadBuf<'a>> {
    let mut whole = ReadBuf::uninit(space);
    for piece in pieces {
        if piece.len() > whole.remaining() {
            return None;
        }
        whole.put_slice(piece);
    }
    Some(whole)
}

/// Reads until the client stops sending. A client that does not is ended by the connection's deadline.
fn discard(socket: &mut TcpStream, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
    let mut scratch = [0; 4096];
    loop {
        let mut buf = ReadBuf::new(&mut scratch);
        match ready!(Pin::new(&mut *socket).poll_read(cx, &mut buf)) {
            Ok(()) if !buf.filled().is_empty() => {}
            // A client that resets the connection is gone too; its response was sent.
            Ok(()) | Err(_) => return Poll::Ready(Ok(())),
        }
    }
}
