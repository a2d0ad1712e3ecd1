//! `GET /whoami`.

use serde_json::Value;
use tapisservice::core::ContextView;
use tapisservice::docs::EnvelopeOf;
use tapisservice::prelude::*;

/// Returns who the caller is.
///
/// The response is everything the service knows about the request, except the token itself. The service uses `request_username` and
/// `request_tenant_id`: if another service calls, they are the user and tenant that it acts for.
#[utoipa::path(get, path = "/whoami", operation_id = "whoami", tag = "identity",
    responses((status = 200, description = "What is known.", body = EnvelopeOf<Value>)))]
pub(crate) async fn whoami(g: RequestContext) -> Envelope<ContextView> {
    Envelope::new(ContextView::from(&g))
}
