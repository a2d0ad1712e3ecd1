//! Routes that cannot be mounted.

/// Routes that contradict each other or the router. The paths in it are below the base path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RouteError {
    /// The handlers of one `handlers!` have several paths.
    #[error("handlers!(..) got handlers of several paths, {}: give each path a handlers!(..) and a Routes::add(..) of its own", .paths.join(" and "))]
    SeveralPaths {
        /// Each with its methods: `GET /x`.
        paths: Vec<String>,
    },
    /// `handlers!` without a path.
    #[error("handlers!(..) got no handler with a path")]
    NoPath,
    /// Two handlers for one method of one path.
    #[error("{method} {path} has two handlers: remove one of them")]
    Duplicate {
        /// The method; `*` for any method that has no handler of its own.
        method: String,
        /// The path.
        path: String,
    },
    /// A path that the framework serves itself.
    #[error("{path} is served by the framework: choose another path")]
    Reserved {
        /// The path.
        path: String,
    },
    /// No request can tell one path from another.
    #[error("the paths {path} and {other} match the same requests: keep one of them")]
    Conflict {
        /// The path that was added later.
        path: String,
        /// The path that was there.
        other: String,
    },
    /// A path that the router does not understand.
    #[error("the path {path:?} cannot be mounted: {reason}")]
    Path {
        /// The path.
        path: String,
        /// What is wrong with it, and what is right.
        reason: String,
    },
}
