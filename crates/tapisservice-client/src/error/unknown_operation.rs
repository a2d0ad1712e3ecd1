//! Unknown operations.

use std::fmt;
use std::sync::Arc;

use crate::spec::{Operation, nearest};

/// An operation or a resource that is not in the catalog.
///
/// ```
/// use tapisservice_client::spec::Catalog;
/// use tapisservice_client::{ClientError, UnknownOperation};
///
/// let error = Catalog::bundled().operation("systems", "get_system").unwrap_err();
/// let ClientError::UnknownOperation(error) = error else { panic!("{error}") };
/// assert!(matches!(*error, UnknownOperation::Operation { nearest: Some(name), .. } if name == "getSystem"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnknownOperation {
    /// There is no such resource.
    #[non_exhaustive]
    Resource {
        /// The requested name.
        resource: String,
        /// The most similar name, if one is similar enough.
        nearest: Option<String>,
        /// All resources, sorted.
        known: Vec<String>,
    },
    /// The resource has no such operation.
    #[non_exhaustive]
    Operation {
        /// The resource.
        resource: String,
        /// The requested `operationId`.
        operation: String,
        /// The most similar id of this resource, if one is similar enough.
        nearest: Option<String>,
        /// All ids of this resource, sorted.
        known: Vec<String>,
        /// Other resources that have an operation of this id.
        elsewhere: Vec<String>,
    },
    /// Several operations of the specification have this id, so it calls none of them.
    #[non_exhaustive]
    Ambiguous {
        /// The resource.
        resource: String,
        /// The requested `operationId`.
        operation: String,
        /// The operations with this id, under the ids that replace it.
        candidates: Vec<Arc<Operation>>,
        /// Other resources that have an operation of this id.
        elsewhere: Vec<String>,
    },
}

impl UnknownOperation {
    /// Adds the names of other resources that have such an operation.
    pub(crate) fn found_in(mut self, others: Vec<String>) -> Self {
        match &mut self {
            Self::Operation { elsewhere, .. } | Self::Ambiguous { elsewhere, .. } => *elsewhere = others,
            Self::Resource { .. } => {}
        }
        self
    }
}

impl fmt::Display for UnknownOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resource { resource, nearest, known } => {
                write!(f, "unknown resource {}", nearest::quoted(resource))?;
                write!(f, "{} Known resources: {}", nearest::suggestion(nearest.as_deref()), list(known))
            }
            Self::Operation { resource, operation, nearest, known, elsewhere } => {
                write!(f, "{resource} has no operation {}", nearest::quoted(operation))?;
                write!(f, "{} Known operations: {}", nearest::suggestion(nearest.as_deref()), list(known))?;
                write_elsewhere(f, operation, elsewhere)
            }
            Self::Ambiguous { resource, operation, candidates, elsewhere } => {
                let named =
                    |op: &Arc<Operation>| format!("{} for {} {}", op.operation_id, op.method, op.path);
                let instead: Vec<_> = candidates.iter().map(named).collect();
                let id = nearest::quoted(operation);
                write!(f, "{resource}: the id {id} is ambiguous; call {}", instead.join(", "))?;
                write_elsewhere(f, operation, elsewhere)
            }
        }
    }
}

impl std::error::Error for UnknownOperation {}

fn list(names: &[String]) -> String {
    nearest::list(names.iter().map(String::as_str))
}

fn write_elsewhere(f: &mut fmt::Formatter<'_>, operation: &str, resources: &[String]) -> fmt::Result {
    if resources.is_empty() {
        return Ok(());
    }
    write!(f, "; {} is an operation of {}", nearest::quoted(operation), list(resources))
}
