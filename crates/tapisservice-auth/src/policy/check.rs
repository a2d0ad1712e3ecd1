//! The rules of policies, each written once: a request passes, is refused, or something more has to be asked about it.
//!
//! [`check`] is a pure function of a policy and of what is known of a request. The layer calls it before it waits for anything, and
//! again after each answer.

use tapisservice_core::{AccountType, Error, ServiceError};

use super::callback::Callback;
use super::{Condition, Kind, Policy, PublicPolicy, TokenUse};
use crate::AuthError;

/// The most questions that are asked about one request: each kind of [`Question`] once.
pub(super) const MAX_QUESTIONS: usize = 6;

/// What a policy says about a request.
#[derive(Debug)]
pub(super) enum Check<'p> {
    /// It may go on to the handler.
    Pass,
    /// It is answered with this error.
    Refuse(Error),
    /// It depends on the answer to a question.
    Ask(Question<'p>),
}

/// Something about a request that is not known yet. The answer goes into its [`Facts`].
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

/// Why a token counts as none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Discarded {
    /// It is bad, and the route takes it for none.
    Rejected,
    /// The route looks at no token.
    Ignored,
}

/// What is known of a request.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    pub(super) token: TokenState,
    /// The kind of account of its identity, if it has one.
    pub(super) caller: Option<AccountType>,
    /// Whether it is for a tenant.
    pub(super) tenant: Answer,
    /// Whether it is OPTIONS, and the route has a handler of its own for that.
    pub(super) is_own_options: bool,
    /// The answer of the `authn` callback; `None` where the service has none.
    pub(super) authn: Option<Answer>,
    /// The answer of the `authz` callback; `None` where the service has none.
    pub(super) authz: Option<Answer>,
    /// The answer of the policy's callback.
    pub(super) policy: Answer,
}

/// What is known of the token of a request.
#[derive(Debug, Clone)]
pub(super) enum TokenState {
    /// Nothing: the request did not go through an [`AuthLayer`](crate::AuthLayer).
    Unread,
    /// It is good, or there is none.
    Settled,
    /// A newer registry may accept it.
    Pending,
    /// It is bad, or the headers around it are.
    Refused(AuthError),
    /// It counts as none.
    Discarded,
}

/// The answer to a question.
#[derive(Debug, Clone)]
pub(super) enum Answer {
    Unknown,
    Yes,
    No(Error),
}

/// Whether `policy` lets a request pass, by the `facts` about it.
pub(super) fn check<'p>(policy: &'p Policy, facts: &Facts) -> Check<'p> {
    match &policy.0 {
        Kind::Public(public) => check_token(public.token, facts).and(|| check_public(*public, facts)),
        Kind::Restricted { condition, .. } => {
            check_token(TokenUse::Required, facts).and(|| check_restricted(condition, facts))
        }
    }
}

/// A token that is sent has to be valid, whatever the route is for, unless the policy says otherwise (rule A20).
fn check_token(token_use: TokenUse, facts: &Facts) -> Check<'static> {
    use TokenUse::{Ignored, Optional, Required};

    match (&facts.token, token_use) {
        // Its token might be a forged one: it must not be taken for a request without a token.
        (TokenState::Unread, _) => Check::Refuse(MissingAuthentication.into()),
        (TokenState::Discarded, _) | (TokenState::Settled, Required | Optional) => Check::Pass,
        (TokenState::Settled, Ignored) if facts.caller.is_none() => Check::Pass,
        // Not a matter of tokens: nobody may guess which Host is meant (RFC 9112, 3.2).
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

/// A caller has to be known, then acceptable to the service, then meet the condition of the policy.
fn check_restricted<'p>(condition: &'p Condition, facts: &Facts) -> Check<'p> {
    if facts.is_own_options {
        return Check::Pass;
    }
    check_authn(facts).and(|| check_authz(facts)).and(|| check_condition(condition, facts))
}

/// A20: only without an identity is the `authn` callback asked.
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
    /// What `next` says, if this one passes.
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
    /// Asks `question` unless this is the answer to it.
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

/// A policy was asked about a request that nobody authenticated.
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
