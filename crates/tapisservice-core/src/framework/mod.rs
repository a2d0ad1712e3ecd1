//! For the crates of the framework only: creating identities, writing the results of authentication into `g`, and some shared tools.
//!
//! Not part of the public API: it changes without notice, and the facade does not re-export it.

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

/// A verified token of a request.
pub fn access_token(text: impl Into<Arc<str>>, claims: impl Into<Arc<Claims>>) -> AccessToken {
    AccessToken::new(text, claims)
}

/// As [`access_token`], but shares the header value instead of copying the text.
pub fn access_token_from_header(text: HeaderValue, claims: impl Into<Arc<Claims>>) -> AccessToken {
    AccessToken::from_header(text, claims)
}

/// The user of a user token, in the tenant of the token.
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

/// A caller that an `authn` callback authenticated by other means than a Tapis token (rule A20).
pub fn identity_without_token(
    tenant: impl Into<Arc<RequestTenant>>,
    username: Username,
    account_type: AccountType,
) -> Identity {
    Identity::without_token(tenant, username, account_type)
}

/// Sets the identity, once: later calls change nothing and return `false`.
pub fn set_identity(g: &RequestContext, identity: Identity) -> bool {
    g.set_identity(identity)
}

/// Marks authentication as complete.
pub fn set_authenticated(g: &RequestContext) {
    g.set_authenticated();
}

/// Marks the token of this request as rejected: the request is anonymous.
pub fn set_token_rejected(g: &RequestContext) {
    g.set_token_rejected();
}

/// Makes the request anonymous, whatever token it has: its route ignores tokens (rules A20 and D4).
pub fn ignore_token(g: &RequestContext) {
    g.ignore_token();
}

/// Sets the tenant of an anonymous request, once: later calls change nothing and return `false`.
pub fn set_request_tenant(g: &RequestContext, tenant: impl Into<Arc<RequestTenant>>) -> bool {
    g.set_request_tenant(tenant)
}

/// A route of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatchedRoute {
    /// The path template, base path included.
    pub template: Box<str>,
    /// Its index among the routes of the service.
    pub index: usize,
}

/// The route that a request was matched to.
pub fn matched_route(g: &RequestContext) -> Option<&MatchedRoute> {
    g.matched_route()
}

/// Sets the route that a request was matched to, once: later calls change nothing.
pub fn set_route(g: &RequestContext, route: Arc<MatchedRoute>) {
    g.set_route(route);
}
