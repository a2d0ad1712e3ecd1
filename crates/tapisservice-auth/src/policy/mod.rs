//! Who may call a route.
//!
//! A policy is a value; [`check`](check::check) holds the rules, and the layer gets the facts that they ask for. A new kind of policy is a
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

/// Who may call a route. Every route has one, and it decides before any handler of the route runs, however that is mounted
/// (F32): for a method, for any method, as a fallback, as a nested service.
///
/// OPTIONS needs no token where the route has a handler for OPTIONS of its own (rule A20); a token that is sent is verified.
/// OPTIONS that another handler would answer is under the policy like every other method.
#[derive(Clone)]
pub struct Policy(Kind);

#[derive(Clone)]
enum Kind {
    Public(PublicPolicy),
    /// For callers with a valid token, or whom the `authn` callback let in; `name` is for lists of routes.
    Restricted {
        name: Arc<str>,
        condition: Condition,
    },
}

/// What a route that is not public requires of its caller besides.
#[derive(Clone)]
enum Condition {
    Nothing,
    Service,
    Callback(Callback<()>),
}

/// A [`Policy`] that lets anybody in, and says what becomes of a token that is sent all the same.
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
    /// It is verified; a bad one is refused.
    Required,
    /// It is verified; a bad one counts as none.
    Optional,
    /// It is not looked at.
    Ignored,
}

impl PublicPolicy {
    /// As [`Policy::public`]: a token that is sent has to be valid.
    pub fn new() -> Self {
        Self { with_tenant: false, token: TokenUse::Required }
    }

    /// As [`Policy::public_with_tenant`]: the request must be for a tenant.
    pub fn with_tenant(self) -> Self {
        Self { with_tenant: true, ..self }
    }

    /// Looks at no token: with any, valid or not, the request is answered as without one (rule A20). For endpoints of log-in, which
    /// get the client's stale token along, and for health.
    pub fn ignoring_token(self) -> Self {
        Self { token: TokenUse::Ignored, ..self }
    }

    /// Counts a bad or expired token as none, and says so in `g`
    /// ([`is_token_rejected`](tapisservice_core::RequestContext::is_token_rejected)); a good one gives an identity (rule A20). For pages that greet whom
    /// they know.
    ///
    /// While the registry is not available, a request with a token is answered with 503: nobody can tell whether it is good.
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
    /// Anybody, with or without a token; callbacks do not run. A token that is sent has to be valid; [`PublicPolicy`] has other
    /// choices.
    pub fn public() -> Self {
        PublicPolicy::new().into()
    }

    /// Anybody, but the request must be for a tenant: without a token the Host's (rule H5).
    pub fn public_with_tenant() -> Self {
        PublicPolicy::new().with_tenant().into()
    }

    /// Whoever has a valid token, or was let in by the `authn` callback; then the `authz` callback.
    pub fn authenticated() -> Self {
        Self::restricted("authenticated", Condition::Nothing)
    }

    /// As [`authenticated`](Self::authenticated), services only: users get 403.
    pub fn service_only() -> Self {
        Self::restricted("service_only", Condition::Service)
    }

    /// As [`authenticated`](Self::authenticated), and then whoever `allow` lets pass. `name` stands for it in lists of routes.
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

    /// Whether a route under this policy looks at no token.
    pub fn ignores_token(&self) -> bool {
        matches!(self.0, Kind::Public(PublicPolicy { token: TokenUse::Ignored, .. }))
    }

    /// Whether a request without a token is refused, unless the `authn` callback lets it in.
    pub fn requires_token(&self) -> bool {
        !matches!(self.0, Kind::Public(_))
    }

    /// Whether a request is refused for a token that is not valid or may not be used here.
    pub fn rejects_invalid_token(&self) -> bool {
        match self.0 {
            Kind::Public(public) => public.token == TokenUse::Required,
            Kind::Restricted { .. } => true,
        }
    }

    /// Whether a request without a token has to be for a tenant: that of its Host (rule H5).
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
