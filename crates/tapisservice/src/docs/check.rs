//! Checks a document: operation ids are unique, and referenced security schemes are declared.

use std::collections::HashMap;

use serde_json::Value;
use utoipa::openapi::OpenApi;
use utoipa::openapi::path::Operation;

use super::operations;
use crate::RouteError;

/// Checks a complete document.
///
/// # Errors
///
/// When two operations have the same id, or one refers to a security scheme that is not declared.
pub(crate) fn check(document: &OpenApi) -> Result<(), RouteError> {
    let schemes = document.components.as_ref().map(|components| &components.security_schemes);
    let mut known: HashMap<&str, String> = HashMap::new();
    for (path, item) in &document.paths.paths {
        for (method, operation) in operations(item) {
            let route = format!("{method} {path}");
            let scheme = required_schemes(operation)
                .find(|name| !schemes.is_some_and(|schemes| schemes.contains_key(name)));
            if let Some(scheme) = scheme {
                return Err(RouteError::UnknownSecurityScheme { route, scheme });
            }
            let Some(operation_id) = operation.operation_id.as_deref() else { continue };
            if let Some(first) = known.insert(operation_id, route.clone()) {
                let operation_id = operation_id.to_owned();
                return Err(RouteError::DuplicateOperationId { operation_id, first, second: route });
            }
        }
    }
    Ok(())
}

/// The security schemes that an operation requires. The type has no accessor for them, so they are read from its JSON.
fn required_schemes(operation: &Operation) -> impl Iterator<Item = String> {
    let requirements = operation.security.iter().flatten();
    requirements.filter_map(|requirement| serde_json::to_value(requirement).ok()).flat_map(|requirement| {
        match requirement {
            Value::Object(schemes) => schemes.into_iter().map(|(name, _)| name).collect(),
            _ => Vec::new(),
        }
    })
}
