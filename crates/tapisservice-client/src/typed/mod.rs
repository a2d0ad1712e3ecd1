//! Operations as Rust types.

mod names;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::call::{Call, accepted_by};
use crate::spec::{BodyContent, Catalog, Operation};
use crate::{ArgumentError, ArgumentErrorKind, ClientError};

/// An operation with its arguments and its result as Rust types. The fields of the type are the arguments, by their serialized names.
/// `None` is not sent.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use tapisservice_client::TypedOperation;
/// use tapisservice_client::spec::Catalog;
///
/// /// A system, if the user can see it.
/// #[derive(Serialize)]
/// #[serde(rename_all = "camelCase")]
/// struct GetSystem<'a> {
///     system_id: &'a str,
///     select: Option<&'a str>,
/// }
///
/// #[derive(Deserialize)]
/// struct System {
///     id: String,
///     host: String,
/// }
///
/// impl TypedOperation for GetSystem<'_> {
///     const RESOURCE: &'static str = "systems";
///     const OPERATION_ID: &'static str = "getSystem";
///     type Output = System;
/// }
///
/// // One line in a test checks it against the specification:
/// GetSystem { system_id: "", select: None }.check(&Catalog::bundled()).unwrap();
///
/// // A call, with a user client or a session of a service:
/// use tapisservice_client::{ClientError, Operations};
///
/// async fn host_of(tapis: &impl Operations, system_id: &str) -> Result<String, ClientError> {
///     Ok(tapis.run(&GetSystem { system_id, select: Some("host") }).await?.host)
/// }
/// ```
pub trait TypedOperation: Serialize + Sized {
    /// The resource, as `systems`.
    const RESOURCE: &'static str;
    /// The `operationId`, as `getSystem`.
    const OPERATION_ID: &'static str;
    /// The type of the `result` of the response.
    type Output: DeserializeOwned;

    /// Sets the arguments of the call. Override it to send the fields in another way, such as the whole body.
    fn apply(&self, call: Call) -> Call {
        call.args(self)
    }

    /// Checks the operation and the names of its arguments against a catalog. The values do not matter. For tests.
    ///
    /// # Errors
    ///
    /// When the operation does not exist, has no argument of a name, or requires one that is missing.
    fn check(&self, catalog: &Catalog) -> Result<(), ClientError> {
        let operation = catalog.operation(Self::RESOURCE, Self::OPERATION_ID)?;
        let names = names::of(self).map_err(|_| ArgumentError::new(ArgumentErrorKind::NotAStruct))?;
        let unknown: Vec<_> = names.iter().filter(|name| !takes(&operation, name)).cloned().collect();
        let required =
            required(&operation).into_iter().filter(|name| !names.iter().any(|given| given == name));
        let missing: Vec<_> = required.map(str::to_owned).collect();
        if unknown.is_empty() && missing.is_empty() {
            return Ok(());
        }
        let error = ArgumentError::new(ArgumentErrorKind::Mismatch { unknown, missing });
        Err(error.for_operation(&operation, accepted_by(&operation)).into())
    }
}

/// A client that calls operations: a `UserClient` of `tapisservice-user`, or a session of a service.
pub trait Operations: Sync {
    /// Prepares a call of an operation. [`Call::send`] reports an unknown operation, or a missing route.
    fn operation(&self, resource: &str, operation_id: &str) -> Call;

    /// Calls an operation and reads its result.
    ///
    /// # Errors
    ///
    /// As every call; [`ClientError::InvalidResponse`] when the result is not of the type.
    fn run<O: TypedOperation + Sync>(
        &self,
        operation: &O,
    ) -> impl Future<Output = Result<O::Output, ClientError>> + Send {
        async move {
            let call = operation.apply(self.operation(O::RESOURCE, O::OPERATION_ID));
            call.send().await?.deserialize().await
        }
    }
}

fn takes(operation: &Operation, name: &str) -> bool {
    let in_form = |form: &BodyContent| {
        form.additional_properties || form.properties.iter().any(|property| property.name == name)
    };
    operation.parameters.iter().any(|parameter| parameter.name == name)
        || operation.body.as_ref().is_some_and(|body| body.content.iter().any(in_form))
}

/// The required parameters, and the required properties of a required body with one media type.
fn required(operation: &Operation) -> Vec<&str> {
    let parameters = operation.parameters.iter().filter(|parameter| parameter.required);
    let body = operation.body.as_ref().filter(|body| body.required);
    let form = body.and_then(|body| body.content.first().filter(|_| body.content.len() == 1));
    let properties = form.into_iter().flat_map(|form| &form.properties).filter(|property| property.required);
    parameters.map(|p| p.name.as_str()).chain(properties.map(|p| p.name.as_str())).collect()
}
