//! `GET /whoami`.

use serde_json::Value;
use tapisservice::core::ContextView;
use tapisservice::docs::EnvelopeOf;
use tapisservice::prelude::*;

/// Says who the service takes the caller for.
///
/// Everything it knows about the request but the token itself. `request_username` and `request_tenant_id` are what it works
/// with: of a service's request they are the user and the tenant it is for.
#[utoipa::path(get, path = "/whoami", operation_id = "whoami", tag = "identity",
    responses((status = 200, description = "What is known.", body = EnvelopeOf<Value>)))]
pub(crate) async fn whoami(g: RequestContext) -> Envelope<ContextView> {
    Envelope::new(ContextView::from(&g))
}
