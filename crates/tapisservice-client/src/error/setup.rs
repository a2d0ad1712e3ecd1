//! Errors of setting up a client.

use std::io;

use tapisservice_core::InvalidId;

use crate::ClientSettingsError;

/// A client, a catalog or a log-in is not set up correctly.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// A setting cannot be used.
    #[error(transparent)]
    Settings(#[from] ClientSettingsError),
    /// The base URL of a tenant is invalid: what is expected.
    #[error("invalid base URL of a tenant: {0}")]
    BaseUrl(&'static str),
    /// The id of a tenant is invalid.
    #[error("invalid tenant: {0}")]
    Tenant(#[source] InvalidId),
    /// Id or key of an OAuth client cannot be sent: why.
    #[error("invalid OAuth client: {0}")]
    OAuthClient(&'static str),
    /// The log-in needs an OAuth client.
    #[error("{log_in} needs the id of an OAuth client")]
    NoOAuthClient {
        /// The kind of log-in.
        log_in: &'static str,
    },
    /// No session store is configured.
    #[error("no session store is configured")]
    NoSessionStore,
    /// The name of a resource is invalid.
    #[error("invalid resource name {}", crate::spec::nearest::quoted(.0))]
    ResourceName(String),
    /// The source of a custom specification is invalid.
    #[error("invalid custom specification: expected an http or https URL, or `local: PATH`")]
    SpecSource,
    /// The folder of a local resource set cannot be read, or has no specifications.
    #[error("cannot read the specifications in {folder}: {source}")]
    #[non_exhaustive]
    SpecFolder {
        /// The folder.
        folder: String,
        /// Why.
        source: io::Error,
    },
    /// There is no folder for the specification cache.
    #[error("there is no folder for the specification cache")]
    NoSpecFolder,
    /// The URL of a request is not below the base URL of its destination. Nothing was sent.
    #[error("refusing to call {url}: it is not below {base_url}")]
    #[non_exhaustive]
    OutsideDestination {
        /// The URL without its query.
        url: String,
        /// The base URL.
        base_url: String,
    },
    /// A request cannot be built: which part.
    #[error("{0}")]
    Request(String),
}
