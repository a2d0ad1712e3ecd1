//! Where and why a file cannot be read.

use std::fmt;

/// A reason and the places around it, the outermost first.
#[derive(Debug)]
pub(super) struct Fault {
    places: Vec<String>,
    reason: String,
}

impl Fault {
    pub(super) fn new(reason: impl Into<String>) -> Self {
        Self { places: Vec::new(), reason: reason.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for place in self.places.iter().rev() {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.reason)
    }
}

/// Names the place of a fault.
pub(super) trait Within {
    fn within(self, place: impl FnOnce() -> String) -> Self;
}

impl<T> Within for Result<T, Fault> {
    fn within(self, place: impl FnOnce() -> String) -> Self {
        self.map_err(|mut fault| {
            fault.places.push(place());
            fault
        })
    }
}
