//! What only the crates of the framework do: they make identities, write into `g` what was found out about a request, and share some
//! small tools.
//!
//! No part of the public interface: it changes without notice, and the facade does not re-export it.

mod backoff;
mod single_header;
mod token_bucket;

use std::sync::Arc;

pub use backoff::{Backoff, random_part, spread};
pub use single_header::SingleHeader;
pub use token_bucket::TokenBucket;

use http::HeaderValue;

use crate::{
    AccessToken, AccountType, Claims, Identity, OnBehalfOf, RequestContext, RequestTenant, Username,
};

/// The token of a request, verified.
pub fn access_token(text: impl Into<Arc<str>>, claims: impl Into<Arc<Claims>>) -> AccessToken {
    AccessToken::new(text, claims)
}

/// As [`access_token`], with the text where it arrived: it is not copied.
pub fn access_token_from_header(text: HeaderValue, claims: impl Into<Arc<Claims>>) -> AccessToken {
    AccessToken::from_header(text, claims)
}

/// The holder of a user token, in the token's own tenant.
pub fn user_identity(tenant: impl Into<Arc<RequestTenant>>, token: AccessToken) -> Identity {
    Identity::user(tenant, token)
}

/// A service that acts for a user.
pub fn service_identity(
    tenant: impl Into<Arc<RequestTenant>>,
    token: AccessToken,
    on_behalf_of: OnBehalfOf,
) -> Identity {
    Identity::service(tenant, token, on_behalf_of)
}

/// A caller that an `authn` callback recognised by something other than a Tapis token (rule A20).
pub fn identity_without_token(
    tenant: impl Into<Arc<RequestTenant>>,
    username: Username,
    account_type: AccountType,
) -> Identity {
    Identity::without_token(tenant, username, account_type)
}

/// Says who calls. Once only: later calls change nothing and return `false`.
pub fn set_identity(g: &RequestContext, identity: Identity) -> bool {
    g.set_identity(identity)
}

/// Says that it is settled who calls.
pub fn set_authenticated(g: &RequestContext) {
    g.set_authenticated();
}

/// Says that the token of this request is bad and counts as none.
pub fn set_token_rejected(g: &RequestContext) {
    g.set_token_rejected();
}

/// Makes the request anonymous, whatever token it has: its route looks at none (rules A20 and D4).
pub fn ignore_token(g: &RequestContext) {
    g.ignore_token();
}

/// Says which tenant an anonymous request is for. Once only: later calls change nothing and return `false`.
pub fn set_request_tenant(g: &RequestContext, tenant: impl Into<Arc<RequestTenant>>) -> bool {
    g.set_request_tenant(tenant)
}

/// A route of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatchedRoute {
    /// The path template, base path included.
    pub template: Box<str>,
    /// Its place among the routes of the service.
    pub index: usize,
}

/// The route that a request was matched to.
pub fn matched_route(g: &RequestContext) -> Option<&MatchedRoute> {
    g.matched_route()
}

/// Sets the route that a request was matched to. Once only: later calls change nothing.
pub fn set_route(g: &RequestContext, route: Arc<MatchedRoute>) {
    g.set_route(route);
}
