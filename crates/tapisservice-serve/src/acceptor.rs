//! Takes connections from the listener: no more than there is room for, and patiently when that fails.

use std::{io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::{backoff::Backoff, connection::Shared, rate_limit::RateLimit};

/// Between asking one connection to leave and asking the next, while somebody waits.
const ASK_EVERY: Duration = Duration::from_millis(5);
/// Between two log lines about one trouble.
const LOG_EVERY: Duration = Duration::from_secs(30);

pub(super) struct Acceptor {
    listener: TcpListener,
    room: Arc<Semaphore>,
    /// Accepted, waiting for room. It is what tells a full house from a full house with a queue.
    accepted: Option<(TcpStream, SocketAddr)>,
    backoff: Backoff,
    failures: RateLimit,
    at_capacity: RateLimit,
    shared: Arc<Shared>,
}

impl Acceptor {
    pub(super) fn new(listener: TcpListener, shared: Arc<Shared>) -> Self {
        let room = shared.limits.max_connections.min(Semaphore::MAX_PERMITS);
        Self {
            listener,
            room: Arc::new(Semaphore::new(room)),
            accepted: None,
            backoff: Backoff::default(),
            failures: RateLimit::new(1, LOG_EVERY),
            at_capacity: RateLimit::new(1, LOG_EVERY),
            shared,
        }
    }

    /// The next connection and its place. Dropping the future loses no connection.
    pub(super) async fn next(&mut self) -> (TcpStream, SocketAddr, OwnedSemaphorePermit) {
        loop {
            if self.accepted.is_none() {
                self.accepted = Some(self.accept().await);
            }
            let place = self.place().await;
            if let Some((socket, peer)) = self.accepted.take() {
                self.clear_eviction();
                return (socket, peer, place);
            }
        }
    }

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            self.backoff.wait().await;
            match self.listener.accept().await {
                Ok((socket, peer)) => {
                    self.backoff.succeeded();
                    self.shared.stats.count_accepted();
                    // Fails on a connection that is gone already; serving it will find out.
                    let _ = socket.set_nodelay(true);
                    return (socket, peer);
                }
                Err(error) if is_of_the_peer(&error) => {}
                Err(error) => self.failed(&error),
            }
        }
    }

    fn failed(&mut self, error: &io::Error) {
        self.shared.stats.count_accept_error();
        self.backoff.failed();
        self.request_eviction();
        if self.failures.allow().is_some() {
            let total = self.shared.stats.accept_errors();
            tracing::error!(%error, total, "cannot accept connections, trying again");
        }
    }

    async fn place(&mut self) -> OwnedSemaphorePermit {
        loop {
            if let Ok(place) = Arc::clone(&self.room).try_acquire_owned() {
                return place;
            }
            if self.at_capacity.allow().is_some() {
                let limit = self.shared.limits.max_connections;
                tracing::warn!(limit, "max_connections are open, new ones wait");
            }
            self.request_eviction();
            if let Ok(Ok(place)) = timeout(ASK_EVERY, Arc::clone(&self.room).acquire_owned()).await {
                return place;
            }
        }
    }

    fn request_eviction(&self) {
        self.shared.eviction.notify_one();
    }

    /// Takes back a request for room that no connection has heard, lest the next one to come hears it.
    fn clear_eviction(&self) {
        pin!(self.shared.eviction.notified()).enable();
    }
}

/// Failures of the connection that was to be accepted, not of the listener (accept(2)).
fn is_of_the_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

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
