//! A specification at a URL.

use std::hash::{DefaultHasher, Hash, Hasher};

use url::Url;

use crate::ClientError;

/// A specification at a URL, and the folder of the cache it belongs to.
#[derive(Debug, Clone)]
pub(super) struct Remote {
    pub(super) resource: String,
    pub(super) url: Url,
    pub(super) folder: &'static str,
}

impl Remote {
    /// A custom specification.
    pub(super) fn custom(resource: &str, url: &Url) -> Result<Self, ClientError> {
        let fault =
            |reason: &str| ClientError::Spec { resource: resource.to_owned(), reason: reason.to_owned() };
        if !matches!(url.scheme(), "http" | "https") {
            return Err(fault("its address is not an http or https URL"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(fault("its address holds credentials"));
        }
        Ok(Self { resource: resource.to_owned(), url: url.clone(), folder: "custom" })
    }

    /// What tells this address from others, without its query, which may hold a key. A new version of the standard library
    /// may hash differently: then the specification is fetched anew.
    pub(super) fn identity(&self) -> String {
        let mut hasher = DefaultHasher::new();
        self.url.as_str().hash(&mut hasher);
        format!("{}#{:016x}", place(&self.url), hasher.finish())
    }
}

/// The URL without credentials, query and fragment.
pub(super) fn place(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}
