//! The server: a listener, its connections, and the order of the end.

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use axum::body::Body;
use http::{Request, Response};
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
    rate_limit::RateLimit,
};

/// Connections the kernel keeps for us until they are accepted.
const BACKLOG: u32 = 1024;
/// For connections told to end at the deadline; one that blocks its thread is left behind.
const FAREWELL: Duration = Duration::from_secs(1);

/// Lines a minute about answers that were cut off; the rest is counted.
const SLOW_CLIENTS_PER_MINUTE: u32 = 20;

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
    /// Connections dropped at the deadline, with a request in flight.
    pub aborted: usize,
}

impl Server {
    /// Listens on the address; port 0 takes a free one. From here on clients can connect, and wait.
    ///
    /// # Errors
    ///
    /// [`ServeError`], naming the address and `listen` as the key to change, when the port is taken, not permitted, or the
    /// address is not this machine's.
    pub async fn bind(address: SocketAddr) -> Result<Self, ServeError> {
        Self::bind_for("listen", address).await
    }

    /// Listens on the address that the configuration key asks for.
    ///
    /// # Errors
    ///
    /// As [`bind`](Self::bind), naming this key.
    #[expect(clippy::unused_async, reason = "the socket needs a tokio runtime, and the signature says so")]
    pub async fn bind_for(key: &'static str, address: SocketAddr) -> Result<Self, ServeError> {
        let failed = |source| ServeError::listen(key, address, source);
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
        let socket = socket.map_err(failed)?;
        socket.set_reuseaddr(true).map_err(failed)?;
        limit_unsent(&socket);
        socket.bind(address).map_err(failed)?;
        let listener = socket.listen(BACKLOG).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address, stats: ServerStats::default() })
    }

    /// Listens on the address or, where its port is in use, on the next free one: for local work, where nobody else was told
    /// the port.
    ///
    /// # Errors
    ///
    /// As [`bind`](Self::bind), a port in use apart.
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

    /// The address listened on, with the port chosen when 0 was asked for.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// The server's counters, to be taken before [`serve`](Self::serve) and read at any time.
    pub fn stats(&self) -> ServerStats {
        self.stats.clone()
    }

    /// Serves until the shutdown is triggered and everything has ended, in the order the
    /// [crate](crate#shutdown) tells.
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
            slow_clients: RateLimit::new(SLOW_CLIENTS_PER_MINUTE, Duration::from_mins(1)),
        };
        let mut acceptor = Acceptor::new(self.listener, Arc::clone(&shared));

        connections.accept_until(&mut acceptor, shared.shutdown.draining()).await;
        tracing::info!(open = shared.stats.open(), "draining");
        let signal = Instant::now();
        connections.accept_until(&mut acceptor, sleep(shared.limits.drain)).await;
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
    /// Log lines about answers that were cut off.
    slow_clients: RateLimit,
}

impl<S> Connections<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    async fn accept_until(&mut self, acceptor: &mut Acceptor, end: impl Future<Output = ()>) {
        let mut end = std::pin::pin!(end);
        loop {
            tokio::select! {
                biased;
                () = &mut end => return,
                Some(ended) = self.tasks.join_next() => self.count(ended),
                (socket, peer, place) = acceptor.next() => {
                    let open = self.shared.stats.count_open();
                    let connection =
                        connection::run(socket, peer, self.service.clone(), Arc::clone(&self.shared));
                    self.tasks.spawn(async move {
                        let _held = (place, open);
                        connection.await
                    });
                }
            }
        }
    }

    /// Waits for the connections to end, then ends them. Returns how many it had to.
    async fn finish(&mut self, time: Duration) -> usize {
        if timeout(time, self.join()).await.is_ok() {
            return 0;
        }
        let aborted = self.tasks.len();
        self.tasks.abort_all();
        if timeout(FAREWELL, self.join()).await.is_err() {
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
            && let Some(withheld) = self.slow_clients.allow()
        {
            tracing::warn!(withheld, "an answer was cut off: the client took it too slowly");
        }
        self.shared.stats.count_closed(reason);
    }
}

/// Has the kernel keep no more than [`UNSENT`] bytes for a client before a write waits; connections inherit it from the listener. A
/// kernel that does not know the option keeps more, and judges slow clients more harshly.
#[cfg(target_os = "linux")]
fn limit_unsent(socket: &TcpSocket) {
    let _ = socket2::SockRef::from(socket).set_tcp_notsent_lowat(UNSENT);
}

#[cfg(not(target_os = "linux"))]
fn limit_unsent(_: &TcpSocket) {}
