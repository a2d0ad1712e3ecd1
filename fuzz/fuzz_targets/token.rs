//! Tokens: their form, header and payload, and the whole decision about a request that carries one.
//!
//! The input is a header, a line `---` and a payload; both are signed with the key of the tenants. The input itself
//! is a token as well, an unsigned one.
#![no_main]

use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};
use tapisservice_auth::{
    AuthError, IdentityHeaders, Jws, Outcome, TokenError, TokenVerifier, UnixTime, decide,
};
use tapisservice_core::{AccountType, Error, Identity};
use tapisservice_fuzz::{HOST, KEY, NOW, Signer, assert_refusal, registry, settings, split_input};

const FOR_BOB: [(&str, &str); 2] = [("x-tapis-tenant", "beta"), ("x-tapis-user", "bob")];

fuzz_target!(init: good_is_accepted(), |data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data) {
        unsigned_is_never_verified(text);
    }
    let (header, payload) = split_input(data);
    // Signing is slow: sign only what gets that far.
    let unsigned = Signer::unsigned(header, payload);
    unsigned_is_never_verified(&unsigned);
    if is_well_formed(&unsigned) {
        let token = KEY.sign(header, payload);
        let by_user = decided(&token, &[]);
        let for_bob = decided(&token, &FOR_BOB);
        assert!(by_user.is_none() || for_bob.is_none(), "a user and a service at once");
        check(header, payload, by_user, AccountType::User, ("acme", None));
        check(header, payload, for_bob, AccountType::Service, ("beta", Some("bob")));
    }
});

/// A target that takes nothing would check nothing.
fn good_is_accepted() {
    let (header, payload) = split_input(include_bytes!("../seeds/token/user"));
    assert!(decided(&KEY.sign(header, payload), &[]).is_some());
    let (header, payload) = split_input(include_bytes!("../seeds/token/service"));
    assert!(decided(&KEY.sign(header, payload), &FOR_BOB).is_some());
}

fn unsigned_is_never_verified(text: &str) {
    let key = registry().tenant("acme").unwrap().key().unwrap();
    if let Ok(jws) = Jws::parse(text.as_bytes()) {
        assert!(!jws.is_signed_by(key));
        assert_eq!(text.split('.').filter(|part| !part.is_empty()).count(), 3);
    }
    if text.parse::<HeaderValue>().is_ok() {
        assert!(decided(text, &[]).is_none() && decided(text, &FOR_BOB).is_none());
    }
}

/// Whether a token is well-formed, before its claims are checked.
fn is_well_formed(token: &str) -> bool {
    !matches!(outcome(token, &[]), Err(AuthError::Token(TokenError::Jws(_) | TokenError::TooLong)))
}

fn outcome(token: &str, lines: &[(&'static str, &'static str)]) -> Result<Outcome, AuthError> {
    let mut map = HeaderMap::new();
    map.insert("host", HeaderValue::from_static(HOST));
    map.insert("x-tapis-token", token.parse().unwrap());
    for (name, value) in lines {
        map.insert(*name, HeaderValue::from_static(value));
    }
    let headers = IdentityHeaders::read(&map, false)?;
    decide(&TokenVerifier::new(settings()), &headers, Some(registry()), UnixTime(f64::from(NOW)))
}

/// Who the request is from and for; a refusal is a 4xx.
fn decided(token: &str, lines: &[(&'static str, &'static str)]) -> Option<Identity> {
    match outcome(token, lines) {
        Ok(Outcome::Identified(identity)) => Some(identity),
        Ok(_) => panic!("a request with a token is not anonymous"),
        Err(refusal) => {
            assert!(
                matches!(refusal, AuthError::NoToken | AuthError::Token(_) | AuthError::OnBehalfOfByUser)
                    || !lines.is_empty()
                    || is_other(&refusal),
                "{refusal:?}"
            );
            assert_refusal(&Error::from(refusal));
            None
        }
    }
}

/// Rejections of a request whose token is valid.
fn is_other(refusal: &AuthError) -> bool {
    matches!(refusal, AuthError::TenantMismatch { .. } | AuthError::OnBehalfOfHeaders)
}

/// What was accepted agrees with an independent reading of the two texts.
fn check(
    header: &[u8],
    payload: &[u8],
    identity: Option<Identity>,
    account: AccountType,
    for_whom: (&str, Option<&str>),
) {
    let Some(identity) = identity else { return };
    let header: Map<String, Value> = serde_json::from_slice(header).expect("a header is an object");
    assert_eq!(header["alg"], "RS256");
    for refused in ["crit", "b64", "zip", "enc"] {
        assert!(!header.contains_key(refused), "{refused}");
    }
    let payload: Map<String, Value> = serde_json::from_slice(payload).expect("a payload is an object");
    let text = |name: &str| payload[name].as_str().unwrap();
    let (username, tenant) = (text("tapis/username"), text("tapis/tenant_id"));
    assert_eq!(text("sub"), format!("{username}@{tenant}"));
    assert_eq!(text("tapis/token_type"), "access");
    assert_eq!(text("iss").trim_end_matches('/'), format!("https://{tenant}.tapis.test/v3/tokens"));
    assert!(payload["exp"].as_f64().unwrap() > f64::from(NOW));
    assert!(!payload.contains_key("aud"), "no audience is expected");
    assert_eq!(identity.account_type(), account);
    let claims = identity.token().unwrap().claims();
    assert_eq!((claims.username.as_str(), claims.tenant_id.as_str()), (username, tenant));
    assert_eq!(identity.tenant_id().as_str(), for_whom.0);
    assert_eq!(identity.username().as_str(), for_whom.1.unwrap_or(username));
    if account == AccountType::Service {
        assert_eq!(text("tapis/target_site"), "tacc");
    }
}
