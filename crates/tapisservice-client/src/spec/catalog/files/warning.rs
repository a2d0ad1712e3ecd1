//! Warnings about specifications.

use std::fmt;

/// A problem with one resource that does not stop the catalog: a specification that could not be fetched and what is used instead, a
/// cache file that is ignored, an entry of a file that is skipped.
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
        tracing::warn!(resource, reason, "problem with a specification");
        Self { resource: resource.to_owned(), reason }
    }
}

impl fmt::Display for SpecWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.resource, self.reason)
    }
}

/// The result of updating the cache.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpecUpdate {
    /// The resources whose cached specification is new.
    pub updated: Vec<String>,
    /// The failed resources, each with the cause. Their cached specifications stay.
    pub failures: Vec<SpecWarning>,
}
