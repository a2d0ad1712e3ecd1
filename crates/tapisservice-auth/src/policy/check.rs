//! The rules of policies, each defined once: a request passes, is rejected, or needs another fact.
//!
//! [`check`] is a pure function of a policy and the known facts about a request. The layer calls it before it waits for anything, and
//! again after each answer.

use tapisservice_core::{AccountType, Error, ServiceError};

use super::callback::Callback;
use super::{Condition, Kind, Policy, PublicPolicy, TokenUse};
use crate::AuthError;

/// The maximum number of questions per request: each kind of [`Question`] once.
pub(super) const MAX_QUESTIONS: usize = 6;

/// The decision of a policy about a request.
#[derive(Debug)]
pub(super) enum Check<'p> {
    /// The request may proceed to the handler.
    Pass,
    /// The request is rejected with this error.
    Refuse(Error),
    /// The decision depends on the answer to a question.
    Ask(Question<'p>),
}

/// An unknown fact about a request. The answer goes into its [`Facts`].
#[derive(Clone, Copy)]
pub(super) enum Question<'p> {
    /// Whether a newer registry accepts the token.
    Token,
    /// Which tenant the request is for without its token.
    WithoutToken(Discarded),
    /// Which tenant the Host names.
    TenantByHost,
    /// Whether the `authn` callback lets in a request without a token.
    Authn,
    /// Whether the `authz` callback lets the caller pass.
    Authz,
    /// Whether the callback of the policy lets the caller pass.
    Policy(&'p Callback<()>),
}

/// Why a token is discarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Discarded {
    /// It is invalid, and the route makes tokens optional.
    Rejected,
    /// The route ignores tokens.
    Ignored,
}

/// The known facts about a request.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    pub(super) token: TokenState,
    /// The account type of its identity, if it has one.
    pub(super) caller: Option<AccountType>,
    /// Whether it has a tenant.
    pub(super) tenant: Answer,
    /// Whether it is OPTIONS and the route has its own handler for it.
    pub(super) is_own_options: bool,
    /// The answer of the `authn` callback; `None` where the service has none.
    pub(super) authn: Option<Answer>,
    /// The answer of the `authz` callback; `None` where the service has none.
    pub(super) authz: Option<Answer>,
    /// The answer of the policy's callback.
    pub(super) policy: Answer,
}

/// The state of the token of a request.
#[derive(Debug, Clone)]
pub(super) enum TokenState {
    /// Unknown: the request did not pass through an [`AuthLayer`](crate::AuthLayer).
    Unread,
    /// It is valid, or there is none.
    Settled,
    /// A newer registry may accept it.
    Pending,
    /// It, or another identity header, is invalid.
    Refused(AuthError),
    /// It is ignored.
    Discarded,
}

/// The answer to a question.
#[derive(Debug, Clone)]
pub(super) enum Answer {
    Unknown,
    Yes,
    No(Error),
}

/// Whether `policy` lets a request pass, given the `facts`.
pub(super) fn check<'p>(policy: &'p Policy, facts: &Facts) -> Check<'p> {
    match &policy.0 {
        Kind::Public(public) => check_token(public.token, facts).and(|| check_public(*public, facts)),
        Kind::Restricted { condition, .. } => {
            check_token(TokenUse::Required, facts).and(|| check_restricted(condition, facts))
        }
    }
}

/// A token must be valid on every route, unless the policy says otherwise (rule A20).
fn check_token(token_use: TokenUse, facts: &Facts) -> Check<'static> {
    use TokenUse::{Ignored, Optional, Required};

    match (&facts.token, token_use) {
        // Its token may be forged: it must not count as a request without a token.
        (TokenState::Unread, _) => Check::Refuse(MissingAuthentication.into()),
        (TokenState::Discarded, _) | (TokenState::Settled, Required | Optional) => Check::Pass,
        (TokenState::Settled, Ignored) if facts.caller.is_none() => Check::Pass,
        // Independent of tokens: a server must not guess which Host is meant (RFC 9112, 3.2).
        (TokenState::Refused(error @ AuthError::MultipleHosts), Ignored) => error.into(),
        (TokenState::Settled | TokenState::Pending | TokenState::Refused(_), Ignored) => {
            Check::Ask(Question::WithoutToken(Discarded::Ignored))
        }
        (TokenState::Pending, Required | Optional) => Check::Ask(Question::Token),
        (TokenState::Refused(error), Optional) if error.is_about_token() => {
            Check::Ask(Question::WithoutToken(Discarded::Rejected))
        }
        (TokenState::Refused(error), Required | Optional) => error.into(),
    }
}

/// Callbacks do not run for public routes.
fn check_public(public: PublicPolicy, facts: &Facts) -> Check<'static> {
    if public.with_tenant { facts.tenant.check(Question::TenantByHost) } else { Check::Pass }
}

/// First the caller must be known, then pass the `authz` callback, then meet the condition of the policy.
fn check_restricted<'p>(condition: &'p Condition, facts: &Facts) -> Check<'p> {
    if facts.is_own_options {
        return Check::Pass;
    }
    check_authn(facts).and(|| check_authz(facts)).and(|| check_condition(condition, facts))
}

/// A20: the `authn` callback runs only without an identity.
fn check_authn(facts: &Facts) -> Check<'static> {
    match (facts.caller, &facts.authn) {
        (Some(_), _) => Check::Pass,
        (None, Some(answer)) => answer.check(Question::Authn),
        (None, None) => (&AuthError::NoToken).into(),
    }
}

fn check_authz(facts: &Facts) -> Check<'static> {
    facts.authz.as_ref().map_or(Check::Pass, |answer| answer.check(Question::Authz))
}

fn check_condition<'p>(condition: &'p Condition, facts: &Facts) -> Check<'p> {
    match condition {
        Condition::Nothing => Check::Pass,
        Condition::Service if facts.caller == Some(AccountType::Service) => Check::Pass,
        Condition::Service => Check::Refuse(Error::permissions("Only services may do this.")),
        Condition::Callback(callback) => facts.policy.check(Question::Policy(callback)),
    }
}

impl<'p> Check<'p> {
    /// The result of `next`, if this check passes.
    fn and(self, next: impl FnOnce() -> Check<'p>) -> Check<'p> {
        match self {
            Check::Pass => next(),
            Check::Refuse(_) | Check::Ask(_) => self,
        }
    }
}

impl From<&AuthError> for Check<'_> {
    fn from(error: &AuthError) -> Self {
        Check::Refuse(error.to_error())
    }
}

impl Answer {
    /// Asks `question` if the answer is unknown.
    fn check<'p>(&self, question: Question<'p>) -> Check<'p> {
        match self {
            Self::Unknown => Check::Ask(question),
            Self::Yes => Check::Pass,
            Self::No(error) => Check::Refuse(error.clone()),
        }
    }
}

impl From<Result<(), Error>> for Answer {
    fn from(answer: Result<(), Error>) -> Self {
        answer.map_or_else(Self::No, |()| Self::Yes)
    }
}

impl std::fmt::Debug for Question<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Token => "token",
            Self::WithoutToken(Discarded::Rejected) => "without the rejected token",
            Self::WithoutToken(Discarded::Ignored) => "without the ignored token",
            Self::TenantByHost => "tenant of the host",
            Self::Authn => "authn",
            Self::Authz => "authz",
            Self::Policy(_) => "policy",
        })
    }
}

/// A policy was checked for a request that was not authenticated.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the request was not authenticated: the AuthLayer is missing around the PolicyLayer")]
struct MissingAuthentication;

impl ServiceError for MissingAuthentication {
    fn to_error(&self) -> Error {
        Error::service_config("The service is misconfigured.")
    }
}

#[cfg(test)]
mod tests;
