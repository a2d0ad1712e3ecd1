//! Loopback listeners.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use tokio::net::TcpListener;

/// The sockets of one port: on 127.0.0.1 and, if the machine has it, on `::1`.
///
/// `localhost` may resolve to either, and a client must not reach another program on the same port.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) port: u16,
    pub(crate) sockets: Vec<TcpListener>,
}

impl Listener {
    /// Opens `port`.
    pub(crate) async fn open(port: u16) -> io::Result<Self> {
        let first = TcpListener::bind((IpAddr::from(Ipv4Addr::LOCALHOST), port)).await?;
        let port = first.local_addr()?.port();
        let mut sockets = vec![first];
        match TcpListener::bind((IpAddr::from(Ipv6Addr::LOCALHOST), port)).await {
            Ok(second) => sockets.push(second),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Err(error),
            Err(error) => tracing::debug!(%error, "no IPv6 loopback"),
        }
        Ok(Self { port, sockets })
    }

    /// Opens a free port.
    pub(crate) async fn open_any() -> io::Result<Self> {
        const MAX_ATTEMPTS: usize = 20;
        for _ in 1..MAX_ATTEMPTS {
            // A port that is free on 127.0.0.1 may be in use on ::1.
            match Self::open(0).await {
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
                opened => return opened,
            }
        }
        Self::open(0).await
    }
}
