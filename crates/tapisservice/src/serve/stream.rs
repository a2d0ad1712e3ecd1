//! A client's socket that reports its progress, and closes without destroying the last answer.

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

use super::activity::Activity;

/// Up to so many bytes leave in one piece: copying an answer of that size costs less than the kernel's way of taking several pieces.
const ONE_PIECE: usize = 4096;

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
        if written.is_pending() {
            self.activity.write_blocked();
        } else {
            self.activity.wrote();
        }
        written
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

    // hyper flushes when its own write buffer is empty, never before.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.socket).poll_flush(cx))?;
        self.activity.flushed();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.write_closed {
            ready!(Pin::new(&mut self.socket).poll_shutdown(cx))?;
            self.write_closed = true;
        }
        if self.activity.linger() { discard(&mut self.socket, cx) } else { Poll::Ready(Ok(())) }
    }
}

/// The pieces joined, if they fit into `space`.
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

/// Reads to the end of what the client sends. The connection's deadline ends it when the client does not.
fn discard(socket: &mut TcpStream, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
    let mut scratch = [0; 4096];
    loop {
        let mut buf = ReadBuf::new(&mut scratch);
        match ready!(Pin::new(&mut *socket).poll_read(cx, &mut buf)) {
            Ok(()) if !buf.filled().is_empty() => {}
            // A client that resets the connection has gone too; its answer was sent.
            Ok(()) | Err(_) => return Poll::Ready(Ok(())),
        }
    }
}
