//! Clients that are set up wrongly.

use std::io;

use tapisservice_core::InvalidId;

use crate::ClientSettingsError;

/// What is wrong with the setup of a client, a catalog or a log-in.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// A setting cannot be used.
    #[error(transparent)]
    Settings(#[from] ClientSettingsError),
    /// The base URL of a tenant cannot be used; what it is expected to be.
    #[error("the base URL of a tenant {0}")]
    BaseUrl(&'static str),
    /// The id of a tenant is none.
    #[error("the tenant: {0}")]
    Tenant(#[source] InvalidId),
    /// Id or key of an OAuth client cannot be sent; why.
    #[error("the OAuth client {0}")]
    OAuthClient(&'static str),
    /// A log-in needs an OAuth client, and none is named.
    #[error("{log_in} needs the id of an OAuth client")]
    NoOAuthClient {
        /// The kind of log-in.
        log_in: &'static str,
    },
    /// There is no session store to restore from.
    #[error("there is no session store to restore from")]
    NoSessionStore,
    /// The name cannot be that of a resource.
    #[error("{} cannot be the name of a resource", crate::spec::nearest::quoted(.0))]
    ResourceName(String),
    /// The text names no place of a specification.
    #[error("a custom specification is neither an http or https URL nor `local: PATH`")]
    SpecSource,
    /// The folder of a local resource set cannot be read, or holds no specifications.
    #[error("the specifications in {folder}: {source}")]
    #[non_exhaustive]
    SpecFolder {
        /// The folder.
        folder: String,
        /// Why.
        source: io::Error,
    },
    /// There is no folder to keep specifications in.
    #[error("there is no folder for specifications")]
    NoSpecFolder,
    /// A request does not lie below the base URL of its destination, so it was not sent.
    #[error("{url} is not below {base_url}, so it is not called")]
    #[non_exhaustive]
    OutsideDestination {
        /// The URL without its query.
        url: String,
        /// The base URL.
        base_url: String,
    },
    /// A request cannot be written; which part.
    #[error("{0}")]
    Request(String),
}
