//! The accept loop: sockets, limits on what a client may hold, and a shutdown that drains.
//!
//! `axum::serve` 0.8 has no header timeout and does not drain, so this module runs hyper's HTTP/1
//! connections itself. It promises (F18 to F21, F29, F30):
//!
//! | a client that | is |
//! |---|---|
//! | connects and sends nothing, or half a header, or one byte per second | closed after [`Limits::header_timeout`] |
//! | leaves a keep-alive connection idle | closed after [`Limits::idle_timeout`], or at once when the server is full |
//! | stops sending in the middle of a body | given up: the handler's read fails with [`BodyTimeout`] (an answer is still possible) |
//! | does not read its answer | closed after [`Limits::body_timeout`] without progress |
//! | reads its answer slowly | closed below [`Limits::response_min_bytes_per_second`], and after [`Limits::response_timeout`] |
//! | sends a body that nobody reads | kept if the rest is small and arrives soon; else told `Connection: close`, and closed lingering |
//! | closes its side after its request | answered; it is asked by a `100 Continue` whether it is there when that takes a second |
//! | sends more header than [`Limits::max_header_bytes`] | answered 431 |
//! | comes when [`Limits::max_connections`] are open | left in the backlog until there is room |
//!
//! An empty file descriptor table slows the loop down (50 ms to 1 s between attempts); it neither spins nor
//! ends. A panic in one connection is counted and ends that connection only.
//!
//! # Shutdown
//!
//! [`Shutdown::trigger`], or a signal, starts this sequence; [`Server::serve`] returns at its end:
//!
//! 1. [`Shutdown::is_draining`] is true at once, so readiness answers 503; the listener goes on accepting
//!    for [`Limits::drain`], and every answer carries `Connection: close`.
//! 2. The listener closes. Connections with no request in flight are closed; requests in flight finish whole.
//! 3. [`Limits::shutdown`] after the signal, what is left is dropped.
//!
//! # Example
//!
//! ```
//! use tapisservice::serve::{Limits, Server, Shutdown};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let app = axum::Router::new().route("/hello", axum::routing::get(async || "hello"));
//!
//! let server = Server::bind("127.0.0.1:0".parse()?).await?;
//! println!("listening on {}", server.local_addr());
//!
//! let shutdown = Shutdown::new(); // a service says Shutdown::on_signals()?
//! # shutdown.trigger();
//! # let mut limits = Limits::default();
//! # limits.drain = std::time::Duration::ZERO;
//! let stopped = server.serve(app, limits, shutdown).await?;
//! assert_eq!(stopped.cut_off, 0);
//! # Ok(())
//! # }
//! ```
//!
//! # What the HTTP parser does before the service sees a request
//!
//! hyper itself answers 400 to a malformed head, 431 to a header block that is too big or has more than 100
//! lines, and 414 to a request target of 64 KiB; these answers have no body, so they are not envelopes. It does
//! not look at `Host`: a missing one, two of them, and one that contradicts an absolute request target all
//! reach the service as they were sent. [`uri_too_long`] is the check for the shorter limit on the request
//! target; the middleware stack calls it, so that its 414 is an envelope.

mod acceptor;
mod activity;
mod backoff;
mod bell;
mod body;
mod connection;
mod discard;
mod error;
mod limits;
mod moment;
mod pace;
mod response_limit;
mod server;
mod service;
mod shutdown;
mod signals;
mod stats;
mod stream;

pub use body::{BodyTimeout, is_body_timeout};
pub use error::ServeError;
pub use limits::{Limits, uri_too_long};
pub(crate) use response_limit::ResponseLimit;
pub use server::{Server, Stopped};
pub use shutdown::Shutdown;
pub use stats::{CloseReason, ServerStats};
