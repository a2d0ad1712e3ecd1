//! What a store of sessions fails with.

use std::error::Error;

/// A session store cannot read or write. The message names the place and never a token.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct SessionStoreError {
    what: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl SessionStoreError {
    /// An error with this message.
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), source: None }
    }

    /// Adds the cause.
    #[must_use]
    pub fn with_source(self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { source: Some(source.into()), ..self }
    }
}
