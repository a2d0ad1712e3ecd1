//! Checks routes before they are added to the router, which would panic.

use std::collections::HashSet;

use super::probe::HandledMethods;
use super::{RouteError, join_paths};

/// The routes so far.
#[derive(Default)]
pub(super) struct Check {
    handlers: HashSet<(String, String)>,
    patterns: matchit::Router<String>,
}

impl Check {
    /// Adds a route.
    pub(super) fn add(
        &mut self,
        base_path: &str,
        path: &str,
        handled: &HandledMethods,
    ) -> Result<(), RouteError> {
        check_syntax(path)?;
        let whole = join_paths(base_path, path);
        for method in handled.names() {
            if !self.handlers.insert((method.to_owned(), whole.clone())) {
                return Err(RouteError::Duplicate { method: method.to_owned(), path: path.to_owned() });
            }
        }
        self.add_pattern(whole, path)
    }

    fn add_pattern(&mut self, whole: String, path: &str) -> Result<(), RouteError> {
        match self.patterns.insert(whole.clone(), whole.clone()) {
            Ok(()) => Ok(()),
            Err(matchit::InsertError::Conflict { with }) if with == whole => Ok(()),
            Err(matchit::InsertError::Conflict { with }) => {
                Err(RouteError::Conflict { path: whole, other: with })
            }
            Err(error) => Err(RouteError::InvalidPath { path: path.to_owned(), reason: error.to_string() }),
        }
    }
}

/// The syntax that the router requires of a path.
fn check_syntax(path: &str) -> Result<(), RouteError> {
    let wrong = |reason: &str| RouteError::InvalidPath { path: path.to_owned(), reason: reason.to_owned() };
    if !path.starts_with('/') {
        return Err(wrong("it has to start with a slash"));
    }
    for segment in path.split('/') {
        if segment.starts_with(':') {
            return Err(wrong("a parameter is written {name}"));
        }
        if segment.starts_with('*') {
            return Err(wrong("the rest of a path is written {*name}"));
        }
    }
    Ok(())
}
