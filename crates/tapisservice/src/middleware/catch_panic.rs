//! A panic is a failure like others (F19).

use std::any::Any;

use axum::response::{IntoResponse, Response};
use tapisservice_core::Error;

/// The answer to a request whose handling panicked; what the panic said goes to the log.
#[expect(clippy::needless_pass_by_value, reason = "the signature of the layer")]
pub(crate) fn answer(payload: Box<dyn Any + Send>) -> Response {
    let text = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    Error::panic(text).into_response()
}
