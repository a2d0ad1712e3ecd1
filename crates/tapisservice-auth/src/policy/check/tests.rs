//! [`check`] by table.

mod every;

use super::*;
use crate::TokenError;

const USER: Option<AccountType> = Some(AccountType::User);
const SERVICE: Option<AccountType> = Some(AccountType::Service);

/// A request without a token, of a service without callbacks, to a Host that names a tenant.
fn nobody() -> Facts {
    Facts {
        token: TokenState::Settled,
        caller: None,
        tenant: Answer::Yes,
        is_own_options: false,
        authn: None,
        authz: None,
        policy: Answer::Unknown,
    }
}

fn of(caller: Option<AccountType>) -> Facts {
    Facts { caller, ..nobody() }
}

fn with_token(token: TokenState) -> Facts {
    Facts { token, ..nobody() }
}

fn no(message: &str) -> Answer {
    Answer::No(Error::permissions(message))
}

fn expired() -> AuthError {
    TokenError::Expired.into()
}

fn callback_policy() -> Policy {
    Policy::callback("callback", |_| async { Ok(()) })
}

fn optional() -> PublicPolicy {
    PublicPolicy::new().with_optional_token()
}

fn ignoring() -> PublicPolicy {
    PublicPolicy::new().ignoring_token()
}

/// `pass`, `ask` and the question, or the status and the message of the refusal.
fn text(check: &Check<'_>) -> String {
    match check {
        Check::Pass => "pass".to_owned(),
        Check::Ask(question) => format!("ask {question:?}"),
        Check::Refuse(error) => format!("{} {}", error.status().as_u16(), error.message()),
    }
}

/// Asserts a table of policies and facts; the first column says what is special.
fn assert_table<const N: usize>(cases: [(&str, Policy, Facts, &str); N]) {
    for (what, policy, facts, expected) in cases {
        assert_eq!(text(&check(&policy, &facts)), expected, "{what}: {policy}, {facts:?}");
    }
}

const NO_TOKEN: &str = "401 No Tapis access token found in the request.";
const SERVICES_ONLY: &str = "403 Only services may do this.";
const EXPIRED: &str = "401 The Tapis access token has expired.";
const TWO_HOSTS: &str = "400 Invalid request; more than one Host header.";
const NO_REGISTRY: &str = "503 The tenant registry is not available.";
const IGNORED: &str = "ask without the ignored token";
const REJECTED: &str = "ask without the rejected token";

#[test]
fn each_policy_knows_its_callers() {
    let without_tenant = || Facts { tenant: Answer::Unknown, ..nobody() };
    let of_no_tenant = || Facts { tenant: no("no such host"), ..nobody() };
    assert_table([
        ("nobody", Policy::public(), nobody(), "pass"),
        ("a user", Policy::public(), of(USER), "pass"),
        ("no tenant", Policy::public(), without_tenant(), "pass"),
        ("a tenant", Policy::public_with_tenant(), nobody(), "pass"),
        ("no tenant yet", Policy::public_with_tenant(), without_tenant(), "ask tenant of the host"),
        ("no tenant", Policy::public_with_tenant(), of_no_tenant(), "403 no such host"),
        ("nobody", Policy::authenticated(), nobody(), NO_TOKEN),
        ("a user", Policy::authenticated(), of(USER), "pass"),
        ("a service", Policy::authenticated(), of(SERVICE), "pass"),
        ("nobody", Policy::service_only(), nobody(), NO_TOKEN),
        ("a user", Policy::service_only(), of(USER), SERVICES_ONLY),
        ("a service", Policy::service_only(), of(SERVICE), "pass"),
        ("nobody", callback_policy(), nobody(), NO_TOKEN),
        ("a user", callback_policy(), of(USER), "ask policy"),
        ("yes", callback_policy(), Facts { policy: Answer::Yes, ..of(USER) }, "pass"),
        ("no", callback_policy(), Facts { policy: no("not you"), ..of(USER) }, "403 not you"),
    ]);
}

#[test]
fn a_routes_own_options_needs_no_token_but_no_bad_one_either() {
    let options = |facts| Facts { is_own_options: true, authn: Some(no("a")), authz: Some(no("b")), ..facts };
    let refused = || with_token(TokenState::Refused(expired()));
    assert_table([
        ("nobody", Policy::authenticated(), options(nobody()), "pass"),
        ("nobody", Policy::service_only(), options(nobody()), "pass"),
        ("a user", Policy::service_only(), options(of(USER)), "pass"),
        ("nobody", callback_policy(), options(nobody()), "pass"),
        ("a bad token", Policy::authenticated(), options(refused()), EXPIRED),
        ("a pending token", Policy::service_only(), options(with_token(TokenState::Pending)), "ask token"),
        ("a bad token", callback_policy(), options(refused()), EXPIRED),
    ]);
}

#[test]
fn a_policy_says_what_becomes_of_a_token() {
    let refused = |error: AuthError| with_token(TokenState::Refused(error));
    let pending = || with_token(TokenState::Pending);
    let discarded = || with_token(TokenState::Discarded);
    assert_table([
        ("bad", Policy::public(), refused(expired()), EXPIRED),
        ("pending", Policy::public(), pending(), "ask token"),
        ("bad", Policy::authenticated(), refused(expired()), EXPIRED),
        ("pending", Policy::authenticated(), pending(), "ask token"),
        ("good", optional().into(), of(USER), "pass"),
        ("bad", optional().into(), refused(expired()), REJECTED),
        ("several", optional().into(), refused(AuthError::MultipleTokens), REJECTED),
        ("pending", optional().into(), pending(), "ask token"),
        ("no registry", optional().into(), refused(AuthError::NoRegistry), NO_REGISTRY),
        ("two hosts", optional().into(), refused(AuthError::MultipleHosts), TWO_HOSTS),
        ("discarded", optional().into(), discarded(), "pass"),
        ("none", ignoring().into(), nobody(), "pass"),
        ("good", ignoring().into(), of(USER), IGNORED),
        ("bad", ignoring().into(), refused(expired()), IGNORED),
        ("pending", ignoring().into(), pending(), IGNORED),
        ("no registry", ignoring().into(), refused(AuthError::NoRegistry), IGNORED),
        ("two hosts", ignoring().into(), refused(AuthError::MultipleHosts), TWO_HOSTS),
        ("discarded", ignoring().into(), discarded(), "pass"),
    ]);
}

#[test]
fn callbacks_are_asked_in_their_order_and_only_where_they_count() {
    let facts = |caller, authn, authz| Facts { authn, authz, ..of(caller) };
    let (unknown, yes) = (|| Some(Answer::Unknown), || Some(Answer::Yes));
    let refused = || Some(no("not today"));
    assert_table([
        ("public", Policy::public(), facts(None, unknown(), unknown()), "pass"),
        ("no identity", Policy::authenticated(), facts(None, unknown(), unknown()), "ask authn"),
        ("an identity", Policy::authenticated(), facts(USER, unknown(), unknown()), "ask authz"),
        ("authn: no", Policy::authenticated(), facts(None, refused(), unknown()), "403 not today"),
        ("authn: yes", Policy::authenticated(), facts(None, yes(), unknown()), "ask authz"),
        ("authz: yes", Policy::authenticated(), facts(None, yes(), yes()), "pass"),
        ("authz: no", Policy::authenticated(), facts(USER, None, refused()), "403 not today"),
        ("before the condition", Policy::service_only(), facts(USER, None, refused()), "403 not today"),
        ("authn: anonymous", Policy::service_only(), facts(None, yes(), None), SERVICES_ONLY),
        ("before the callback", callback_policy(), facts(USER, None, unknown()), "ask authz"),
        ("after authz", callback_policy(), facts(USER, None, yes()), "ask policy"),
    ]);
}
