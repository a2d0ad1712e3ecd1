//! The server: a listener, its connections, and the order of the shutdown.

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use axum::body::Body;
use http::{Request, Response};
use tapisservice_core::Throttled;
use tokio::{
    net::{TcpListener, TcpSocket},
    task::{JoinError, JoinSet},
    time::{Instant, sleep, timeout},
};
use tower_service::Service;

use super::{
    CloseReason, Limits, ServeError, ServerStats, Shutdown,
    acceptor::Acceptor,
    connection::{self, Shared},
    pace::UNSENT,
};

/// The connections that the kernel keeps until they are accepted.
const BACKLOG: u32 = 1024;
/// For aborted connections to end. One that blocks its thread is left behind.
const ABORT_TIMEOUT: Duration = Duration::from_secs(1);

/// Log lines per minute about clients that read too slowly; the rest is counted.
const SLOW_CLIENT_LINES_PER_MINUTE: u32 = 20;

/// A bound listener, ready to serve.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    stats: ServerStats,
}

/// How a server stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stopped {
    /// The number of connections with a request in flight that were dropped at the deadline.
    pub aborted: usize,
}

impl Server {
    /// Listens on the address; port 0 takes a free one. From then on clients can connect, and wait.
    ///
    /// # Errors
    ///
    /// [`ServeError`], with the address and `listen` as the key to change, if the port is in use or not permitted, or if the
    /// address is not one of this machine.
    pub async fn bind(address: SocketAddr) -> Result<Self, ServeError> {
        Self::bind_for("listen", address).await
    }

    /// Listens on the address of this configuration key.
    ///
    /// # Errors
    ///
    /// As [`bind`](Self::bind), with this key.
    #[expect(clippy::unused_async, reason = "the socket needs a tokio runtime, and the signature says so")]
    pub async fn bind_for(key: &'static str, address: SocketAddr) -> Result<Self, ServeError> {
        let failed = |source| ServeError::listen(key, address, source);
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
        let socket = socket.map_err(failed)?;
        // Without it, a restart would fail for minutes, as long as the kernel remembers connections of the process before (TIME_WAIT).
        socket.set_reuseaddr(true).map_err(failed)?;
        limit_unsent(&socket);
        socket.bind(address).map_err(failed)?;
        let listener = socket.listen(BACKLOG).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address, stats: ServerStats::default() })
    }

    /// Listens on the address or, if its port is in use, on the next free one. For local work, where nobody else relies on
    /// the port.
    ///
    /// # Errors
    ///
    /// As [`bind`](Self::bind), except for a port in use.
    pub async fn bind_next_free(address: SocketAddr) -> Result<Self, ServeError> {
        const TRIES: u16 = 100;
        for port in (0..TRIES).filter_map(|more| address.port().checked_add(more)) {
            match Self::bind(SocketAddr::new(address.ip(), port)).await {
                Err(ServeError::AddressInUse { .. }) => {}
                bound => return bound,
            }
        }
        Self::bind(SocketAddr::new(address.ip(), 0)).await
    }

    /// The address, with the port that was chosen for port 0.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// The server's counters. Take them before [`serve`](Self::serve); they can be read at any time.
    pub fn stats(&self) -> ServerStats {
        self.stats.clone()
    }

    /// Serves until the shutdown is triggered and complete, in the order that the
    /// [crate](crate#shutdown) describes.
    ///
    /// The service is cloned for every connection. Requests carry `axum::extract::ConnectInfo<SocketAddr>`, the
    /// client's address, in their extensions.
    ///
    /// # Errors
    ///
    /// [`ServeError::Limit`] for limits under which nobody could be served. A running server does not fail.
    pub async fn serve<S>(self, service: S, limits: Limits, shutdown: Shutdown) -> Result<Stopped, ServeError>
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
        S::Future: Send,
    {
        limits.check()?;
        let shared = Arc::new(Shared::new(limits, shutdown, self.stats));
        let mut connections = Connections {
            tasks: JoinSet::new(),
            service,
            shared: Arc::clone(&shared),
            slow_clients: Throttled::new(SLOW_CLIENT_LINES_PER_MINUTE, Duration::from_mins(1)),
        };
        let mut acceptor = Acceptor::new(self.listener, Arc::clone(&shared));

        connections.accept_until(&mut acceptor, shared.shutdown.draining()).await;
        tracing::info!(open = shared.stats.open(), "draining");
        let signal = Instant::now();
        // Load balancers go on sending requests until they notice that the service is not ready, so it goes on accepting.
        connections.accept_until(&mut acceptor, sleep(shared.limits.drain)).await;
        // The listener closes before the idle connections do, or clients would reconnect to a server that is about to stop.
        drop(acceptor);
        shared.closing.cancel();

        let rest = shared.limits.shutdown.saturating_sub(signal.elapsed());
        let stopped = Stopped { aborted: connections.finish(rest).await };
        tracing::info!(aborted = stopped.aborted, "stopped");
        Ok(stopped)
    }
}

/// The connections being served, one task each.
struct Connections<S> {
    tasks: JoinSet<CloseReason>,
    service: S,
    shared: Arc<Shared>,
    /// Limits the log lines about clients that read too slowly.
    slow_clients: Throttled<()>,
}

impl<S> Connections<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    async fn accept_until(&mut self, acceptor: &mut Acceptor, end: impl Future<Output = ()>) {
        let mut end = std::pin::pin!(end);
        loop {
            // Biased: the end must not lose against a flood of connections, and a connection that ended makes room for the next.
            tokio::select! {
                biased;
                () = &mut end => return,
                Some(ended) = self.tasks.join_next() => self.count(ended),
                (socket, peer, permit) = acceptor.next() => {
                    let open = self.shared.stats.count_open();
                    let connection =
                        connection::run(socket, peer, self.service.clone(), Arc::clone(&self.shared));
                    self.tasks.spawn(async move {
                        // They are dropped with the task, so a connection that panics gives its place back too.
                        let _held = (permit, open);
                        connection.await
                    });
                }
            }
        }
    }

    /// Waits for the connections to end, then aborts the rest. Returns the number of those.
    async fn finish(&mut self, time: Duration) -> usize {
        if timeout(time, self.join()).await.is_ok() {
            return 0;
        }
        let aborted = self.tasks.len();
        self.tasks.abort_all();
        if timeout(ABORT_TIMEOUT, self.join()).await.is_err() {
            tracing::error!(left = self.tasks.len(), "connections block their threads and are left behind");
        }
        aborted
    }

    async fn join(&mut self) {
        while let Some(ended) = self.tasks.join_next().await {
            self.count(ended);
        }
    }

    fn count(&mut self, ended: Result<CloseReason, JoinError>) {
        let reason = match ended {
            Ok(reason) => reason,
            Err(error) if error.is_panic() => {
                tracing::error!("a connection ended by a panic");
                CloseReason::Panicked
            }
            Err(_) => CloseReason::Aborted,
        };
        if reason == CloseReason::WriteTimeout
            && let Some(withheld) = self.slow_clients.permit(())
        {
            tracing::warn!(withheld, "response aborted: the client read too slowly");
        }
        self.shared.stats.count_closed(reason);
    }
}

/// Limits the bytes that the kernel keeps for a client to [`UNSENT`]; connections inherit the option from the listener.
#[cfg(target_os = "linux")]
fn limit_unsent(socket: &TcpSocket) {
    // A kernel without the option still serves everybody, but judges slow clients more harshly.
    let _ = socket2::SockRef::from(socket).set_tcp_notsent_lowat(UNSENT);
}

#[cfg(not(target_os = "linux"))]
fn limit_unsent(_: &TcpSocket) {}
