//! Why the server could not start.

use std::{io, net::SocketAddr};

/// Why the server could not start. Each message says what to change.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// Another process listens there.
    #[error("cannot listen on {address}: the port is in use; stop the other process or change `{key}`")]
    AddressInUse {
        /// The configuration key of the address: `listen` or `metrics_listen`.
        key: &'static str,
        /// The configured address.
        address: SocketAddr,
    },
    /// The operating system does not permit this user to listen there.
    #[error(
        "cannot listen on {address}: not permitted; ports below 1024 need a privilege, so set `{key}` to a \
         higher port"
    )]
    NotPermitted {
        /// The configuration key of the address: `listen` or `metrics_listen`.
        key: &'static str,
        /// The configured address.
        address: SocketAddr,
    },
    /// No interface of this machine has the address.
    #[error(
        "cannot listen on {address}: no interface of this machine has that address; set `{key}` to one that \
         exists, or to 0.0.0.0"
    )]
    NoSuchAddress {
        /// The configuration key of the address: `listen` or `metrics_listen`.
        key: &'static str,
        /// The configured address.
        address: SocketAddr,
    },
    /// Listening failed for another reason.
    #[error("cannot listen on {address}, the address of `{key}`")]
    Listen {
        /// The configuration key of the address: `listen` or `metrics_listen`.
        key: &'static str,
        /// The configured address.
        address: SocketAddr,
        /// The error of the operating system.
        #[source]
        source: io::Error,
    },
    /// With this limit nobody could be served.
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
