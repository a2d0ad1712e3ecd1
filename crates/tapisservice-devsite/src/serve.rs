//! Accepts and serves connections until the site stops.

use std::net::IpAddr;
use std::pin::pin;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::connect_info::ConnectInfo;
use crate::dispatch::Dispatcher;
use crate::fault::Disconnected;
use crate::listener::Listener;
use crate::presence::{Exchange, Presence};
use crate::unread::{LingeringStream, Unread};

/// How long [`Tasks::stop`] waits for requests in flight.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);

/// The tasks of a site. They end when it is dropped.
#[derive(Debug)]
pub(crate) struct Tasks {
    tracker: TaskTracker,
    /// Stops accepting connections and requests; those in flight finish.
    stop: CancellationToken,
    /// Aborts everything.
    kill: CancellationToken,
}

impl Tasks {
    pub(crate) fn new() -> Self {
        Self { tracker: TaskTracker::new(), stop: CancellationToken::new(), kill: CancellationToken::new() }
    }

    /// Serves a port.
    pub(crate) fn serve(&self, listener: Listener, dispatcher: &Dispatcher) {
        for socket in listener.sockets {
            let acceptor = Acceptor {
                port: listener.port,
                dispatcher: dispatcher.clone(),
                tracker: self.tracker.clone(),
                stop: self.stop.clone(),
                kill: self.kill.clone(),
            };
            self.tracker.spawn(async move { acceptor.accept(socket).await });
        }
    }

    pub(crate) async fn stop(&self) {
        self.stop.cancel();
        self.tracker.close();
        if tokio::time::timeout(SHUTDOWN_TIMEOUT, self.tracker.wait()).await.is_err() {
            self.kill.cancel();
            self.tracker.wait().await;
        }
    }
}

impl Drop for Tasks {
    fn drop(&mut self) {
        self.stop.cancel();
        self.kill.cancel();
    }
}

#[derive(Clone)]
struct Acceptor {
    port: u16,
    dispatcher: Dispatcher,
    tracker: TaskTracker,
    stop: CancellationToken,
    kill: CancellationToken,
}

impl Acceptor {
    async fn accept(self, listener: TcpListener) {
        while let Some(accepted) = self.stop.run_until_cancelled(listener.accept()).await {
            match accepted {
                Ok((stream, peer)) => {
                    let acceptor = self.clone();
                    self.tracker.spawn(async move { acceptor.connection(stream, peer.ip()).await });
                }
                Err(error) => {
                    // Most likely out of file descriptors: accepting again immediately would spin.
                    tracing::debug!(%error, "accept failed");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    async fn connection(self, stream: TcpStream, peer: IpAddr) {
        let connect_info = ConnectInfo { port: self.port, peer };
        // Nagle's algorithm would only delay small responses.
        let _ = stream.set_nodelay(true);
        let (unread, exchange) = (Unread::default(), Exchange::default());
        let presence = Presence::new(exchange.clone());
        let io = TokioIo::new(LingeringStream::new(stream, unread.clone(), presence));
        let service = service_fn(move |req: Request<Incoming>| {
            let (dispatcher, unread, exchange) = (self.dispatcher.clone(), unread.clone(), exchange.clone());
            exchange.begin(req.version());
            async move {
                let req = req.map(|body| unread.watch(body));
                let mut response = dispatcher.respond(req, connect_info).await?;
                exchange.end();
                unread.announce(&mut response);
                Ok::<_, Disconnected>(response)
            }
        });
        let mut http = http1::Builder::new();
        // A client may close its side after its request and wait for the response; `Presence` detects whether it has gone.
        http.timer(TokioTimer::new()).header_read_timeout(Duration::from_secs(30)).half_close(true);
        let mut connection = pin!(http.serve_connection(io, service));
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = self.stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                self.kill.run_until_cancelled(connection).await.unwrap_or(Ok(()))
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "connection error");
        }
    }
}
