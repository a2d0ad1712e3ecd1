//! The rules are asked in the order of the rule book: a request that breaks them all, mended rule by rule.

use serde_json::json;
use tapisservice_auth::{AuthError, ClaimError, DateClaim, TokenError};

use super::{Ask, NOW, claim, id};
use crate::signer::{ACME, ADMIN, STRANGER};

type Step = (AuthError, fn(Ask) -> Ask);

/// What every token goes through: the steps mend a token of `hawaii`.
fn token_steps() -> Vec<Step> {
    vec![
        (TokenError::UnknownTenant(id("nosuch")).into(), |ask| ask.claim("tapis/tenant_id", "hawaii")),
        (TokenError::Signature(id("hawaii")).into(), |ask| ask.signed_by(&ACME)),
        (TokenError::Expired.into(), |ask| ask.claim("exp", NOW + 60)),
        (claim(ClaimError::InTheFuture(DateClaim::Nbf)), |ask| ask.without_claim("nbf")),
        (claim(ClaimError::Issuer), |ask| ask.claim("iss", "https://hawaii.uh.test/v3/tokens")),
        (claim(ClaimError::Audience), |ask| ask.without_claim("aud")),
        (claim(ClaimError::TokenType), |ask| ask.claim("tapis/token_type", "access")),
        (claim(ClaimError::Username), |ask| ask.claim("tapis/username", "alice")),
        (claim(ClaimError::Subject), |ask| ask.claim("sub", "alice@hawaii")),
    ]
}

fn broken() -> Ask {
    let claims = json!({
        "tapis/tenant_id": "nosuch", "exp": NOW - 60, "nbf": NOW + 60, "iss": 7, "aud": "x", "tapis/token_type": "refresh",
        "tapis/username": "", "sub": 7, "tapis/account_type": "robot", "tapis/delegation": "yes",
    });
    let ask = Ask { claims: Some(claims), ..Ask::nobody() };
    ask.signed_by(&STRANGER)
        .host("nosuch.example")
        .at("files", "tacc")
        .set(|s| s.tenants = vec!["acme".to_owned()])
}

fn climb(mut ask: Ask, steps: Vec<Step>) -> Result<String, AuthError> {
    for (refusal, mend) in steps {
        assert_eq!(ask.decided().as_ref(), Err(&refusal));
        ask = mend(ask);
    }
    ask.decided()
}

#[test]
fn the_first_rule_that_a_user_breaks_decides() {
    let mut steps = token_steps();
    steps.extend::<[Step; 8]>([
        (claim(ClaimError::AccountType), |ask| ask.claim("tapis/account_type", "user")),
        (claim(ClaimError::Delegation), |ask| {
            ask.claim("tapis/delegation", true).claim("tapis/delegation_sub", "bud@acme")
        }),
        (claim(ClaimError::DelegationTenant), |ask| ask.claim("tapis/delegation", false)),
        (AuthError::OnBehalfOfByUser, |ask| ask.without_line("x-tapis-user")),
        (AuthError::UnknownHost("nosuch.example".parse().ok()), |ask| ask.host("acme.tapis.test")),
        (AuthError::TenantMismatch { claim: id("hawaii"), url: id("acme") }, |ask| {
            ask.host("hawaii.uh.test")
        }),
        (AuthError::TenantNotServed(id("hawaii")), |ask| ask.set(|s| s.tenants = vec!["hawaii".to_owned()])),
        (AuthError::WrongSite(id("hawaii")), |ask| ask.at("bookmarks", "tacc")),
    ]);
    assert_eq!(climb(broken().line("x-tapis-user", "root"), steps).as_deref(), Ok("alice@hawaii"));
}

#[test]
fn the_first_rule_that_a_service_breaks_decides() {
    let mut steps = token_steps();
    steps.extend::<[Step; 9]>([
        (claim(ClaimError::AccountType), |ask| ask.claim("tapis/account_type", "service")),
        (claim(ClaimError::Delegation), |ask| {
            ask.claim("tapis/delegation", true).claim("tapis/delegation_sub", "bud@acme")
        }),
        (claim(ClaimError::DelegationTenant), |ask| ask.claim("tapis/delegation", false)),
        (TokenError::TargetSite.into(), |ask| ask.claim("tapis/target_site", "tacc")),
        (AuthError::OnBehalfOfHeaders, |ask| ask.line("x-tapis-user", "bob")),
        (AuthError::UnknownOnBehalfOfTenant(id("nosuch")), |ask| {
            ask.without_line("x-tapis-tenant").line("x-tapis-tenant", "adminuh")
        }),
        (AuthError::NotAllowableTenant(id("adminuh")), |ask| {
            let ask = ask.claim("tapis/tenant_id", "admin").claim("sub", "alice@admin").signed_by(&ADMIN);
            ask.claim("iss", "https://admin.tapis.test/v3/tokens")
        }),
        (AuthError::TenantNotServed(id("adminuh")), |ask| ask.set(|s| s.tenants = vec!["*".to_owned()])),
        (AuthError::WrongSite(id("adminuh")), |ask| ask.at("bookmarks", "tacc")),
    ]);
    let decided = climb(broken().line("x-tapis-tenant", "nosuch"), steps);
    assert_eq!(decided.as_deref(), Ok("bob@adminuh by alice@admin"));
}

#[test]
fn doubled_lines_are_refused_before_anything_is_read() {
    let ask = broken().line("x-tapis-token", "");
    assert_eq!(ask.decided(), Err(AuthError::MultipleTokens));
    assert_eq!(ask.line("host", "").decided(), Err(AuthError::MultipleHosts));
}
