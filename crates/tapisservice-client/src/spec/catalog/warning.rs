//! What went wrong without stopping anything.

use std::fmt;

/// Something about one resource that its owner wants to know, though the catalog works without it: a specification that could
/// not be fetched and what is used instead, a cache file that is ignored, an entry of a file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpecWarning {
    /// The resource.
    pub resource: String,
    /// What happened.
    pub reason: String,
}

impl SpecWarning {
    pub(super) fn new(resource: &str, reason: String) -> Self {
        tracing::warn!(resource, "specification: {reason}");
        Self { resource: resource.to_owned(), reason }
    }
}

impl fmt::Display for SpecWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.resource, self.reason)
    }
}

/// What updating the cache came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpecUpdate {
    /// The resources whose cached specification is new.
    pub updated: Vec<String>,
    /// The others, each with the cause; what was cached before stays.
    pub failures: Vec<SpecWarning>,
}
