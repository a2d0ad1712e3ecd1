//! `g` as JSON.

use serde::{Serialize, Serializer};

use crate::{AccountType, Identity, Payload, RequestContext};

/// Everything in `g` except the raw token, as JSON with the names of the Python library. Absent values are null.
///
/// `username`, `tenant_id`, `account_type` and `delegation` come from the *token*. Services use
/// `request_username` and `request_tenant_id`.
///
/// ```
/// # use tapisservice_core::{ContextView, RequestContext, ServiceInfo};
/// # let service = ServiceInfo::new("demo", "1");
/// let g = RequestContext::builder(service.into()).request_id("r1").build();
/// let view = serde_json::to_value(ContextView::from(&g)).unwrap();
/// assert_eq!(view["request_id"], "r1");
/// assert!(view["request_username"].is_null());
/// ```
#[derive(Debug, Clone)]
pub struct ContextView(RequestContext);

impl From<&RequestContext> for ContextView {
    fn from(g: &RequestContext) -> Self {
        Self(g.clone())
    }
}

#[derive(Serialize)]
struct Fields<'a> {
    request_tenant_id: Option<&'a str>,
    request_username: Option<&'a str>,
    request_tenant_base_url: Option<&'a str>,
    request_site_id: Option<&'a str>,
    username: Option<&'a str>,
    tenant_id: Option<&'a str>,
    account_type: Option<AccountType>,
    delegation: Option<bool>,
    site_id: Option<&'a str>,
    x_tapis_tenant: Option<&'a str>,
    x_tapis_user: Option<&'a str>,
    x_tapis_user_token_hash: Option<&'a str>,
    x_tapis_token_length: Option<usize>,
    token_claims: Option<&'a Payload>,
    tracking_id: &'a str,
    request_id: &'a str,
}

impl Serialize for ContextView {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let g = &self.0;
        let claims = g.token().map(crate::AccessToken::claims);
        let on_behalf_of = g.identity().and_then(Identity::on_behalf_of);
        let fields = Fields {
            request_tenant_id: g.request_tenant_id().map(AsRef::as_ref),
            request_username: g.request_username().map(AsRef::as_ref),
            request_tenant_base_url: g.request_tenant_base_url(),
            request_site_id: g.request_site_id().map(AsRef::as_ref),
            username: claims.map(|c| c.username.as_ref()),
            tenant_id: claims.map(|c| c.tenant_id.as_ref()),
            account_type: g.identity().map(Identity::account_type),
            delegation: claims.map(|c| c.delegation.is_some()),
            site_id: g.site_id().map(AsRef::as_ref),
            x_tapis_tenant: on_behalf_of.map(|o| o.tenant_id.as_ref()),
            x_tapis_user: on_behalf_of.map(|o| o.username.as_ref()),
            x_tapis_user_token_hash: g.x_tapis_user_token_hash(),
            x_tapis_token_length: g.token().map(|t| t.expose().len()),
            token_claims: claims.map(|c| &c.all),
            tracking_id: g.tracking_id().as_str(),
            request_id: g.request_id(),
        };
        fields.serialize(serializer)
    }
}
