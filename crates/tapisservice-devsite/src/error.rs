use std::io;
use std::path::PathBuf;

/// Why a devsite did not start, or a change to a running one was refused.
///
/// No message contains a password, a key or a token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DevSiteError {
    /// [`DevSiteBuilder::server`](crate::DevSiteBuilder::server) was not called.
    #[error("a devsite starts only where `server` is \"dev\", and `server` was not stated")]
    ServerNotStated,
    /// The service's `server` setting is something other than `dev`.
    #[error("a devsite starts only where `server` is \"dev\", not {0:?}")]
    NotDevelopment(String),
    /// A fixed port is in use.
    #[error(
        "port {port} on loopback, needed for tenant {tenant}, is in use: free it or choose another first port"
    )]
    PortTaken {
        /// The port.
        port: u16,
        /// The tenant that needs it.
        tenant: String,
        /// The error of the operating system.
        #[source]
        source: io::Error,
    },
    /// There are not enough ports after the first one for all tenants.
    #[error("not enough ports after {0} for one per tenant")]
    PortRange(u16),
    /// No loopback port could be opened.
    #[error("cannot bind a loopback port")]
    Bind(#[source] io::Error),
    /// The key folder, or a file in it, cannot be read or written.
    #[error("the key store {} cannot be used", path.display())]
    KeyStore {
        /// The folder or file.
        path: PathBuf,
        /// The error of the operating system.
        #[source]
        source: io::Error,
    },
    /// A file in the key folder is not an RSA private key of at least 2048 bits.
    #[error("{} is not a PEM file with an RSA private key of 2048 bits or more: remove it to have a new one made", path.display())]
    KeyFile {
        /// The file.
        path: PathBuf,
    },
    /// The cryptographic library could not generate a key.
    #[error("no RSA key could be generated")]
    KeyGeneration,
    /// The id of a site, tenant or service is empty, too long or contains other characters than ASCII letters, digits and `-`.
    #[error("invalid id {0:?}: expected 1 to 63 ASCII letters, digits and hyphens")]
    InvalidId(String),
    /// Two sites or two tenants share an id.
    #[error("the id {0} is used twice")]
    DuplicateId(String),
    /// Not exactly one site is primary.
    #[error("expected one primary site, found {0}")]
    PrimarySites(usize),
    /// There are no tenants, or the first one is a site-admin tenant.
    #[error("the first tenant gets the site port and must be one for users, not a site-admin tenant")]
    FirstTenant,
    /// A tenant names a site that does not exist.
    #[error("there is no site {0}")]
    UnknownSite(String),
    /// A tenant does not exist, or the site-admin tenant of a site is missing or belongs to another site.
    #[error("tenant {0} does not exist, or belongs to another site")]
    UnknownTenant(String),
    /// The upstream of a service is not `http://host:port`.
    #[error("{0:?} is not an upstream of the form http://host:port")]
    InvalidUpstream(String),
}
