//! Takes connections from the listener, up to the limit, and backs off when accepting fails.

use std::{io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use tapisservice_core::{Throttled, framework::Backoff};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep_until, timeout},
};

use super::connection::Shared;

/// The interval between two eviction requests while a connection waits for room.
const EVICTION_INTERVAL: Duration = Duration::from_millis(5);
/// The interval between two log lines about the same trouble.
const LOG_INTERVAL: Duration = Duration::from_secs(30);
/// The pause after the first failure to accept; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// What the log lines are about.
#[derive(PartialEq, Eq, Hash)]
enum Trouble {
    AcceptFailed,
    AtCapacity,
}

pub(super) struct Acceptor {
    listener: TcpListener,
    room: Arc<Semaphore>,
    /// Accepted, but waiting for room. Without it nobody could tell a full server from one that somebody waits for.
    accepted: Option<(TcpStream, SocketAddr)>,
    backoff: Backoff,
    /// The end of the pause after a failure.
    retry_at: Option<Instant>,
    log_lines: Throttled<Trouble>,
    shared: Arc<Shared>,
}

impl Acceptor {
    pub(super) fn new(listener: TcpListener, shared: Arc<Shared>) -> Self {
        let room = shared.limits.max_connections.min(Semaphore::MAX_PERMITS);
        Self {
            listener,
            room: Arc::new(Semaphore::new(room)),
            accepted: None,
            backoff: Backoff::new(FIRST_PAUSE, LONGEST_PAUSE),
            retry_at: None,
            log_lines: Throttled::new(1, LOG_INTERVAL),
            shared,
        }
    }

    /// The next connection and its permit. It is cancel safe: dropping the future loses no connection.
    pub(super) async fn next(&mut self) -> (TcpStream, SocketAddr, OwnedSemaphorePermit) {
        loop {
            // The connection is kept in `self` until there is room: the caller drops this future whenever another connection ends.
            if self.accepted.is_none() {
                self.accepted = Some(self.accept().await);
            }
            let permit = self.permit().await;
            if let Some((socket, peer)) = self.accepted.take() {
                self.clear_eviction();
                return (socket, peer, permit);
            }
        }
    }

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            self.pause().await;
            match self.listener.accept().await {
                Ok((socket, peer)) => {
                    self.succeeded();
                    // Fails only on a connection that is already gone, which serving it will find out.
                    let _ = socket.set_nodelay(true);
                    return (socket, peer);
                }
                Err(error) if is_of_the_peer(&error) => {}
                Err(error) => self.failed(&error),
            }
        }
    }

    fn succeeded(&mut self) {
        self.shared.stats.count_accepted();
        if self.retry_at.take().is_some() {
            self.backoff.reset();
        }
    }

    fn failed(&mut self, error: &io::Error) {
        self.shared.stats.count_accept_error();
        self.retry_at = Some(Instant::now() + self.backoff.next_pause());
        // The usual failure is a lack of descriptors (EMFILE), and an idle connection that leaves frees one.
        self.request_eviction();
        if let Some(withheld) = self.log_lines.permit(Trouble::AcceptFailed) {
            let total = self.shared.stats.accept_errors();
            tracing::error!(%error, total, withheld, "cannot accept connections, trying again");
        }
    }

    /// Waits out the pause after a failure.
    async fn pause(&self) {
        // A point in time and not a `sleep`: this future is dropped whenever a connection ends, and on a busy server a pause that
        // starts over each time would never end.
        if let Some(retry_at) = self.retry_at {
            sleep_until(retry_at).await;
        }
    }

    async fn permit(&mut self) -> OwnedSemaphorePermit {
        loop {
            if let Ok(permit) = Arc::clone(&self.room).try_acquire_owned() {
                return permit;
            }
            if let Some(withheld) = self.log_lines.permit(Trouble::AtCapacity) {
                let limit = self.shared.limits.max_connections;
                tracing::warn!(limit, withheld, "max_connections are open, new ones wait");
            }
            // One request reaches one connection, which may be busy. So it is repeated, until one that is idle hears it.
            self.request_eviction();
            if let Ok(Ok(permit)) = timeout(EVICTION_INTERVAL, Arc::clone(&self.room).acquire_owned()).await {
                return permit;
            }
        }
    }

    fn request_eviction(&self) {
        self.shared.eviction.notify_one();
    }

    /// Withdraws a request for room that no connection has received.
    fn clear_eviction(&self) {
        // `notify_one` stores a permit when nobody waits, and the next connection would take it and leave for no reason.
        pin!(self.shared.eviction.notified()).enable();
    }
}

/// Whether an error is one of the connection, not of the listener: accept(2) reports those too.
fn is_of_the_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::{Limits, ServerStats, Shutdown};

    #[tokio::test(start_paused = true)]
    async fn the_pause_doubles_to_a_second_and_starts_again_after_a_success() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let shared = Shared::new(Limits::default(), Shutdown::new(), ServerStats::default());
        let mut acceptor = Acceptor::new(listener, Arc::new(shared));
        for expected in [50, 100, 200, 400, 800, 1000, 1000] {
            acceptor.failed(&io::Error::from_raw_os_error(24));
            let end = Instant::now() + Duration::from_millis(expected);
            for _ in 0..3 {
                assert!(timeout(Duration::from_millis(10), acceptor.pause()).await.is_err(), "dropped");
            }
            acceptor.pause().await;
            // The timer rounds up to a millisecond.
            assert!((0..=1).contains(&end.elapsed().as_millis()) && Instant::now() >= end, "{expected}");
        }
        acceptor.succeeded();
        let start = Instant::now();
        acceptor.pause().await;
        assert_eq!(start.elapsed(), Duration::ZERO);
        acceptor.failed(&io::Error::from_raw_os_error(24));
        acceptor.pause().await;
        assert_eq!(start.elapsed(), FIRST_PAUSE);
    }

    #[test]
    fn only_the_peers_failures_are_ignored() {
        for (errno, of_the_peer) in
            [(103, true), (104, true), (4, true), (24, false), (23, false), (12, false)]
        {
            let error = io::Error::from_raw_os_error(errno);
            assert_eq!(is_of_the_peer(&error), of_the_peer, "{error}");
        }
    }
}
