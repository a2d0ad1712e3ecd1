//! A specification at a URL.

use std::hash::{DefaultHasher, Hash, Hasher};

use url::Url;

use crate::ClientError;

/// A specification at a URL, with its folder in the cache.
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
            return Err(fault("expected an http or https URL"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(fault("the URL must not contain credentials"));
        }
        Ok(Self { resource: resource.to_owned(), url: url.clone(), folder: "custom" })
    }

    /// Identifies the URL without its query, which may hold a key. If a new version of the standard library hashes differently, the
    /// specification is fetched again.
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
