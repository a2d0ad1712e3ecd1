//! Who may call a route.
//!
//! A policy is a value; [`check`](check::check) has the rules, and the layer gathers the facts that they need. A new kind of policy is a
//! constructor here and an arm in `check`.

mod callback;
mod check;
mod layer;

use std::fmt;
use std::sync::Arc;

use tapisservice_core::Error;

pub use self::callback::{Authn, Callbacks, PolicyRequest};
use self::callback::{Callback, boxed};
pub use self::layer::{PolicyLayer, PolicyService};

/// Who may call a route. Every route has one, and it decides before any handler of the route runs, however the handler is mounted
/// (F32): for a method, for any method, as a fallback or as a nested service.
///
/// OPTIONS needs no token if the route has its own handler for OPTIONS (rule A20); a token that is sent is still verified.
/// OPTIONS that another handler would serve is subject to the policy like every other method.
#[derive(Clone)]
pub struct Policy(Kind);

#[derive(Clone)]
enum Kind {
    Public(PublicPolicy),
    /// For callers with a valid token, or whom the `authn` callback authenticated; `name` is for lists of routes.
    Restricted {
        name: Arc<str>,
        condition: Condition,
    },
}

/// What a route that is not public also requires of its caller.
#[derive(Clone)]
enum Condition {
    Nothing,
    Service,
    Callback(Callback<()>),
}

/// A [`Policy`] that admits everybody, and defines how a token is treated.
///
/// ```
/// use tapisservice_auth::{Policy, PublicPolicy};
///
/// let log_in = PublicPolicy::new().with_tenant().ignoring_token();
/// assert_eq!(Policy::from(log_in).to_string(), "public_with_tenant (token ignored)");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct PublicPolicy {
    with_tenant: bool,
    token: TokenUse,
}

/// What a route does with a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TokenUse {
    /// It is verified; an invalid one is rejected.
    Required,
    /// It is verified; an invalid one is ignored.
    Optional,
    /// It is not read.
    Ignored,
}

impl PublicPolicy {
    /// As [`Policy::public`]: a token that is sent must be valid.
    pub fn new() -> Self {
        Self { with_tenant: false, token: TokenUse::Required }
    }

    /// As [`Policy::public_with_tenant`]: the request must be for a tenant.
    pub fn with_tenant(self) -> Self {
        Self { with_tenant: true, ..self }
    }

    /// Ignores tokens: with any token, valid or not, the request is handled as without one (rule A20). For log-in endpoints, to which
    /// clients send their stale token, and for health checks.
    pub fn ignoring_token(self) -> Self {
        Self { token: TokenUse::Ignored, ..self }
    }

    /// Ignores an invalid or expired token, and marks it in `g`
    /// ([`is_token_rejected`](tapisservice_core::RequestContext::is_token_rejected)); a valid one gives an identity (rule A20). For pages that greet
    /// known users.
    ///
    /// While the registry is unavailable, a request with a token gets 503, because the token cannot be verified.
    pub fn with_optional_token(self) -> Self {
        Self { token: TokenUse::Optional, ..self }
    }
}

impl Default for PublicPolicy {
    fn default() -> Self {
        Self::new()
    }
}

impl From<PublicPolicy> for Policy {
    fn from(policy: PublicPolicy) -> Self {
        Self(Kind::Public(policy))
    }
}

impl Policy {
    /// Admits every caller, with or without a token. Callbacks do not run. A token that is sent must be valid; [`PublicPolicy`] has other
    /// choices.
    pub fn public() -> Self {
        PublicPolicy::new().into()
    }

    /// Admits every caller, but the request must have a tenant. Without a token, the tenant is that of the Host header (rule H5).
    pub fn public_with_tenant() -> Self {
        PublicPolicy::new().with_tenant().into()
    }

    /// Admits callers with a valid token, or authenticated by the `authn` callback, unless the `authz` callback rejects them.
    pub fn authenticated() -> Self {
        Self::restricted("authenticated", Condition::Nothing)
    }

    /// Like [`authenticated`](Self::authenticated), but admits services only. Users get 403.
    pub fn service_only() -> Self {
        Self::restricted("service_only", Condition::Service)
    }

    /// Like [`authenticated`](Self::authenticated), but `allow` must admit the caller too. Lists of routes show `name`.
    ///
    /// ```
    /// use tapisservice_auth::Policy;
    /// use tapisservice_core::Error;
    ///
    /// let policy = Policy::callback("admins", |request| async move {
    ///     match request.g.request_username() {
    ///         Some(name) if *name == "admin" => Ok(()),
    ///         _ => Err(Error::permissions("Only administrators may do this.")),
    ///     }
    /// });
    /// assert_eq!(policy.to_string(), "admins");
    /// ```
    pub fn callback<F, R>(name: impl Into<Arc<str>>, allow: F) -> Self
    where
        F: Fn(PolicyRequest) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), Error>> + Send + 'static,
    {
        Self::restricted(name, Condition::Callback(boxed(allow)))
    }

    fn restricted(name: impl Into<Arc<str>>, condition: Condition) -> Self {
        Self(Kind::Restricted { name: name.into(), condition })
    }

    /// Whether a route under this policy ignores tokens.
    pub fn ignores_token(&self) -> bool {
        matches!(self.0, Kind::Public(PublicPolicy { token: TokenUse::Ignored, .. }))
    }

    /// Whether a request without a token is rejected, unless the `authn` callback authenticates it.
    pub fn requires_token(&self) -> bool {
        !matches!(self.0, Kind::Public(_))
    }

    /// Whether a request with an invalid token, or one for another site, is rejected.
    pub fn rejects_invalid_token(&self) -> bool {
        match self.0 {
            Kind::Public(public) => public.token == TokenUse::Required,
            Kind::Restricted { .. } => true,
        }
    }

    /// Whether a request without a token must have a tenant, that of its Host (rule H5).
    pub fn requires_tenant(&self) -> bool {
        matches!(self.0, Kind::Public(PublicPolicy { with_tenant: true, .. }))
    }
}

impl fmt::Display for PublicPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.with_tenant { "public_with_tenant" } else { "public" })?;
        f.write_str(match self.token {
            TokenUse::Required => "",
            TokenUse::Optional => " (token optional)",
            TokenUse::Ignored => " (token ignored)",
        })
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Public(public) => public.fmt(f),
            Kind::Restricted { name, .. } => f.write_str(name),
        }
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Policy({self})")
    }
}
