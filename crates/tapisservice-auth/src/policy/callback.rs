//! Callbacks of a service: who a caller without a token is, and who may do what.

use std::fmt;
use std::sync::Arc;

use http::request::Parts;
use http::{HeaderMap, Method, Uri};
use tapisservice_core::{AccountType, Error, RequestContext, RequestTenant, Username};
use tapisservice_tenants::BoxFuture;

/// The request that a callback decides about.
#[derive(Clone)]
#[non_exhaustive]
pub struct PolicyRequest {
    /// The request context; its identity is set when an `authz` callback or a policy runs.
    pub g: RequestContext,
    /// The method.
    pub method: Method,
    /// The target, as the router saw it.
    pub uri: Uri,
    /// All header fields. A field may have several lines: use `get_all`.
    pub headers: HeaderMap,
}

impl PolicyRequest {
    pub(super) fn new(g: &RequestContext, parts: &Parts) -> Self {
        Self {
            g: g.clone(),
            method: parts.method.clone(),
            uri: parts.uri.clone(),
            headers: parts.headers.clone(),
        }
    }
}

/// Header values and the query may be secrets: only field names and the path are printed.
impl fmt::Debug for PolicyRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicyRequest")
            .field("g", &self.g)
            .field("method", &self.method)
            .field("path", &self.uri.path())
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// The result of an `authn` callback for a request without a token (rule A20).
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub enum Authn {
    /// Not authenticated: the request is rejected as one without a token.
    #[default]
    Refused,
    /// The request may proceed without an identity.
    Anonymous,
    /// The request is authenticated as this caller.
    Identified {
        /// The tenant the request is for.
        tenant: RequestTenant,
        /// The user the request is for.
        username: Username,
        /// Whether the caller is a user or a service.
        account_type: AccountType,
    },
}

pub(super) type Callback<T> =
    Arc<dyn Fn(PolicyRequest) -> BoxFuture<'static, Result<T, Error>> + Send + Sync>;

/// The callbacks of a service.
#[derive(Clone, Default)]
pub struct Callbacks {
    pub(super) authn: Option<Callback<Authn>>,
    pub(super) authz: Option<Callback<()>>,
}

impl Callbacks {
    /// Sets the callback for requests without a token header (rule A20). It never runs when a token is invalid.
    #[must_use]
    pub fn authn<F, R>(mut self, callback: F) -> Self
    where
        F: Fn(PolicyRequest) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Authn, Error>> + Send + 'static,
    {
        self.authn = Some(boxed(callback));
        self
    }

    /// Sets the callback that runs once the identity is known, on every route that is not public, except for OPTIONS.
    #[must_use]
    pub fn authz<F, R>(mut self, callback: F) -> Self
    where
        F: Fn(PolicyRequest) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), Error>> + Send + 'static,
    {
        self.authz = Some(boxed(callback));
        self
    }
}

impl fmt::Debug for Callbacks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callbacks")
            .field("authn", &self.authn.is_some())
            .field("authz", &self.authz.is_some())
            .finish()
    }
}

pub(super) fn boxed<T, F, R>(callback: F) -> Callback<T>
where
    F: Fn(PolicyRequest) -> R + Send + Sync + 'static,
    R: Future<Output = Result<T, Error>> + Send + 'static,
{
    Arc::new(move |request| Box::pin(callback(request)))
}
