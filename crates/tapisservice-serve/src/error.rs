//! Why the server could not start.

use std::{io, net::SocketAddr};

/// The server could not be started. Each message names what to change.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// Another process listens there.
    #[error("cannot listen on {address}: the port is in use; stop the other process or change `{key}`")]
    AddressInUse {
        /// The configuration key that asks for it: `listen` or `metrics_listen`.
        key: &'static str,
        /// The address asked for.
        address: SocketAddr,
    },
    /// The system does not let this user listen there.
    #[error(
        "cannot listen on {address}: not permitted; ports below 1024 need a privilege, so set `{key}` to a \
         higher port"
    )]
    NotPermitted {
        /// The configuration key that asks for it: `listen` or `metrics_listen`.
        key: &'static str,
        /// The address asked for.
        address: SocketAddr,
    },
    /// The address belongs to no interface of this machine.
    #[error(
        "cannot listen on {address}: no interface of this machine has that address; set `{key}` to one that \
         exists, or to 0.0.0.0"
    )]
    NoSuchAddress {
        /// The configuration key that asks for it: `listen` or `metrics_listen`.
        key: &'static str,
        /// The address asked for.
        address: SocketAddr,
    },
    /// Listening failed otherwise.
    #[error("cannot listen on {address}, the address of `{key}`")]
    Listen {
        /// The configuration key that asks for it: `listen` or `metrics_listen`.
        key: &'static str,
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A limit under which nobody could be served.
    #[error("`{key}` {rule}")]
    Limit {
        /// The configuration key.
        key: &'static str,
        /// The rule it breaks.
        rule: &'static str,
    },
    /// The handlers for SIGTERM and SIGINT could not be installed.
    #[error("cannot listen for signals")]
    Signals(#[source] io::Error),
}

impl ServeError {
    pub(super) fn listen(key: &'static str, address: SocketAddr, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::AddrInUse => Self::AddressInUse { key, address },
            io::ErrorKind::PermissionDenied => Self::NotPermitted { key, address },
            io::ErrorKind::AddrNotAvailable => Self::NoSuchAddress { key, address },
            _ => Self::Listen { key, address, source },
        }
    }
}
