//! `g` as JSON.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::{AccountType, RequestContext};

/// Everything `g` knows but the raw token, in the names of the Python original; what is absent is null.
///
/// `username`, `tenant_id`, `account_type` and `delegation` are what the *token* says. What a service uses is
/// `request_username` and `request_tenant_id`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the fields of g are described once, in RequestContext")]
pub struct ContextView {
    pub request_tenant_id: Option<String>,
    pub request_username: Option<String>,
    pub request_tenant_base_url: Option<String>,
    pub request_site_id: Option<String>,
    pub username: Option<String>,
    pub tenant_id: Option<String>,
    pub account_type: Option<AccountType>,
    pub delegation: Option<bool>,
    pub site_id: Option<String>,
    pub x_tapis_tenant: Option<String>,
    pub x_tapis_user: Option<String>,
    pub x_tapis_user_token_hash: Option<String>,
    pub x_tapis_token_length: Option<usize>,
    pub token_claims: Option<Map<String, Value>>,
    pub tracking_id: String,
    pub request_id: String,
}

impl From<&RequestContext> for ContextView {
    fn from(g: &RequestContext) -> Self {
        let text = |value: Option<&str>| value.map(str::to_owned);
        let claims = g.token().map(crate::AccessToken::claims);
        let on_behalf_of = g.identity().and_then(crate::Identity::on_behalf_of);
        Self {
            request_tenant_id: text(g.request_tenant_id().map(AsRef::as_ref)),
            request_username: text(g.request_username().map(AsRef::as_ref)),
            request_tenant_base_url: text(g.request_tenant_base_url()),
            request_site_id: text(g.request_site_id().map(AsRef::as_ref)),
            username: text(claims.map(|c| c.username.as_ref())),
            tenant_id: text(claims.map(|c| c.tenant_id.as_ref())),
            account_type: g.identity().map(crate::Identity::account_type),
            delegation: claims.map(|c| c.delegation.is_some()),
            site_id: text(g.site_id().map(AsRef::as_ref)),
            x_tapis_tenant: text(on_behalf_of.map(|o| o.tenant_id.as_ref())),
            x_tapis_user: text(on_behalf_of.map(|o| o.username.as_ref())),
            x_tapis_user_token_hash: text(g.x_tapis_user_token_hash()),
            x_tapis_token_length: g.token().map(|t| t.expose().len()),
            token_claims: claims.map(|c| c.all.members()),
            tracking_id: g.tracking_id().to_string(),
            request_id: g.request_id().to_owned(),
        }
    }
}
