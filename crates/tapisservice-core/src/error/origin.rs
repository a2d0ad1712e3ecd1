//! Where an error comes from.

use std::panic::Location;
use std::sync::Arc;

use super::ErrorKind;

/// Where an error comes from. The log limits the rate of lines per origin (F23).
///
/// It consists of places in the code and of names from the registry, never of input, so that callers cannot create new origins.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ErrorOrigin {
    pub(super) kind: ErrorKind,
    /// Where the [`Error`](crate::Error) was created.
    pub(super) made_at: &'static Location<'static>,
    /// Where `?` converted another error into it.
    pub(super) raised_at: Option<&'static Location<'static>>,
    pub(super) source_type: Option<&'static str>,
    pub(super) peer: Option<Arc<str>>,
}
