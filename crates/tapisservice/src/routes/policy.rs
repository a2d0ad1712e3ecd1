//! Policies as arguments of routes.

use tapisservice_auth::{Policy, PublicPolicy};

/// A [`Policy`] or a [`PublicPolicy`]: who may call a route.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say who may call the route",
    label = "not a policy",
    note = "a policy comes first: `Routes::add(Policy::authenticated(), handlers!(..))`",
    note = "or, outside the OpenAPI document: `Routes::route(Policy::authenticated(), \"/path\", get(..))`"
)]
pub trait RoutePolicy {
    /// The policy.
    fn into_policy(self) -> Policy;
}

impl RoutePolicy for Policy {
    fn into_policy(self) -> Policy {
        self
    }
}

impl RoutePolicy for PublicPolicy {
    fn into_policy(self) -> Policy {
        self.into()
    }
}
