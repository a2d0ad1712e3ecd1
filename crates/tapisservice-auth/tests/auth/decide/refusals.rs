//! What a refusal tells the caller, and what a newer registry might change about it.

use tapisservice_auth::{AuthError, ClaimError, JwsError, TokenError};
use tapisservice_core::Error;
use tapisservice_tenants::CacheMiss;

use super::{claim, id};

#[test]
fn every_refusal_has_the_status_of_the_rule_book() {
    let host = "nosuch.example".parse().unwrap();
    let cases = [
        (AuthError::NoToken, 401, 400),
        (TokenError::TooLong.into(), 401, 400),
        (TokenError::Characters.into(), 401, 400),
        (TokenError::Jws(JwsError::Algorithm).into(), 401, 400),
        (TokenError::TenantId.into(), 401, 400),
        (TokenError::UnknownTenant(id("x")).into(), 401, 400),
        (TokenError::NoKey(id("x")).into(), 401, 400),
        (TokenError::Signature(id("x")).into(), 401, 400),
        (claim(ClaimError::Issuer), 401, 400),
        (TokenError::Expired.into(), 401, 400),
        (TokenError::TargetSite.into(), 401, 400),
        (AuthError::OnBehalfOfByUser, 401, 400),
        (AuthError::OnBehalfOfHeaders, 401, 400),
        (AuthError::MultipleTokens, 400, 400),
        (AuthError::MultipleHosts, 400, 400),
        (AuthError::UnknownOnBehalfOfTenant(id("x")), 400, 400),
        (AuthError::UnknownHost(Some(host)), 400, 400),
        (AuthError::UnknownHost(None), 400, 400),
        (AuthError::NotAllowableTenant(id("x")), 403, 400),
        (AuthError::WrongSite(id("x")), 403, 400),
        (AuthError::TenantMismatch { claim: id("x"), url: id("y") }, 403, 400),
        (AuthError::TenantNotServed(id("x")), 403, 400),
        (AuthError::NoRegistry, 503, 503),
    ];
    for (refusal, status, legacy) in cases {
        let error = Error::from(refusal.clone());
        assert_eq!((error.status().as_u16(), error.legacy_status().as_u16()), (status, legacy), "{refusal}");
    }
}

#[test]
fn what_is_wrong_with_a_token_is_for_the_log() {
    let faults = [
        TokenError::Jws(JwsError::Algorithm),
        TokenError::UnknownTenant(id("nosuch")),
        TokenError::NoKey(id("nokey")),
        TokenError::Signature(id("acme")),
        TokenError::Claim(ClaimError::Issuer),
        TokenError::TargetSite,
    ];
    for fault in faults {
        let error = Error::from(AuthError::from(fault.clone()));
        assert_eq!(error.message(), "The Tapis access token is not valid.", "{fault}");
        assert_eq!(error.detail(), Some(fault.to_string().as_str()));
    }
}

#[test]
fn the_log_learns_which_host_or_tenant_was_unknown() {
    let detail = |refusal: AuthError| Error::from(refusal).detail().map(str::to_owned);
    let host = AuthError::UnknownHost("nosuch.example:80".parse().ok());
    assert_eq!(detail(host).as_deref(), Some("the host is nosuch.example:80"));
    assert!(detail(AuthError::UnknownHost(None)).is_some());
    let tenant = AuthError::UnknownOnBehalfOfTenant(id("nosuch"));
    assert_eq!(detail(tenant).as_deref(), Some("tenant nosuch is not registered"));
    assert_eq!(detail(AuthError::NoToken), None);
}

#[test]
fn callers_read_the_messages_that_they_know_from_python() {
    let message = |refusal: AuthError| Error::from(refusal).message().to_owned();
    assert_eq!(message(AuthError::NoToken), "No Tapis access token found in the request.");
    let obo = "Invalid request; cannot set OBO headers with a user token.";
    assert_eq!(message(AuthError::OnBehalfOfByUser), obo);
    let other = AuthError::TenantMismatch { claim: id("acme"), url: id("beta") };
    let h3 = "The tenant_id claim in the token, acme does not match the URL tenant, beta.";
    assert_eq!(message(other), h3);
}

#[test]
fn a_newer_registry_may_know_a_tenant_a_host_or_a_key() {
    let host = || "new.tapis.test".parse().unwrap();
    let cases = [
        (TokenError::UnknownTenant(id("x")).into(), Some(CacheMiss::Tenant(id("x")))),
        (AuthError::UnknownOnBehalfOfTenant(id("x")), Some(CacheMiss::Tenant(id("x")))),
        (TokenError::Signature(id("x")).into(), Some(CacheMiss::Signature(id("x")))),
        (AuthError::UnknownHost(Some(host())), Some(CacheMiss::Host(host()))),
        (AuthError::UnknownHost(None), None),
        (TokenError::Expired.into(), None),
        (AuthError::TenantNotServed(id("x")), None),
        (AuthError::NoRegistry, None),
    ];
    for (refusal, miss) in cases {
        assert_eq!(refusal.cache_miss(), miss, "{refusal}");
    }
}
