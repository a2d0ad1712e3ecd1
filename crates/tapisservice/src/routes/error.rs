//! Routes that cannot be mounted.

/// Routes that conflict with each other, the router or the OpenAPI document. Paths of routes are relative to the base path, those of
/// operations are as in the document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RouteError {
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
    /// Two paths match the same requests.
    #[error("the paths {path} and {other} match the same requests: keep one of them")]
    Conflict {
        /// The path that was added later.
        path: String,
        /// The path that was added first.
        other: String,
    },
    /// Two operations of the OpenAPI document have the same id. Clients call operations by their ids.
    #[error(
        "{first} and {second} have the same operation id {operation_id:?}: give one of them another, \
        #[utoipa::path(.., operation_id = \"..\")]. Without one it is the name of the function"
    )]
    DuplicateOperationId {
        /// The id.
        operation_id: String,
        /// The first operation: `GET /v3/demo/x`.
        first: String,
        /// The other one.
        second: String,
    },
    /// An operation requires a security scheme that the OpenAPI document does not declare.
    #[error(
        "{route} refers to the security scheme {scheme:?}, which the document does not have: declare it in what \
        AppBuilder::openapi gets, or leave security(..) out, since the policy of the route says what is needed"
    )]
    UnknownSecurityScheme {
        /// The operation: `GET /v3/demo/x`.
        route: String,
        /// The name of the scheme.
        scheme: String,
    },
    /// A path that the router does not understand.
    #[error("the path {path:?} cannot be mounted: {reason}")]
    InvalidPath {
        /// The path.
        path: String,
        /// What is wrong, and what is expected.
        reason: String,
    },
}
