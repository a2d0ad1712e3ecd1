//! What a store of sessions fails with.

use std::error::Error;

/// A store of user sessions cannot read or write. The text names the place and never a token.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct SessionStoreError {
    what: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl SessionStoreError {
    /// An error that says what failed.
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), source: None }
    }

    /// The same error with what caused it.
    #[must_use]
    pub fn with_source(self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { source: Some(source.into()), ..self }
    }
}
