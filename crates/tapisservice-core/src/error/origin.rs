//! Where a failure comes from.

use std::panic::Location;
use std::sync::Arc;

use super::ErrorKind;

/// Where a failure comes from: of all failures that look alike, one reason for the log (F23).
///
/// It is made of the program's text and of the registry, never of what a caller sent, so that callers cannot make up reasons.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ErrorOrigin {
    pub(super) kind: ErrorKind,
    /// Where the [`Error`](crate::Error) was made.
    pub(super) made_at: &'static Location<'static>,
    /// Where `?` made it of another error.
    pub(super) raised_at: Option<&'static Location<'static>>,
    pub(super) source_type: Option<&'static str>,
    pub(super) peer: Option<Arc<str>>,
}
