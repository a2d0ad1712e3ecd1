//! The identity headers of a request, and the decision about it.
//!
//! The input is header lines, `name: value`. `{user}` and `{service}` as a value stand for valid tokens.
#![no_main]

use http::header::HOST;
use http::{HeaderMap, HeaderName, HeaderValue};
use libfuzzer_sys::fuzz_target;
use tapisservice_auth::{AuthError, IdentityHeaders, Outcome, TokenHeader, TokenVerifier, UnixTime, decide};
use tapisservice_core::{Error, Identity};
use tapisservice_fuzz::{NOW, SERVICE_TOKEN, USER_TOKEN, assert_refusal, registry, settings};

const TOKEN: &str = "x-tapis-token";
const TENANT: &str = "x-tapis-tenant";
const USER: &str = "x-tapis-user";
const FORWARDED: &str = "x-forwarded-host";

fuzz_target!(init: good_is_accepted(), |data: &[u8]| {
    let map = headers(data);
    for trust_forwarded_host in [false, true] {
        match outcome(&map, trust_forwarded_host) {
            Ok(Outcome::Identified(identity)) => check_identity(&map, &identity, trust_forwarded_host),
            Ok(Outcome::Anonymous { tenant }) => {
                assert_eq!(count(&map, TOKEN), 0);
                match tenant {
                    Ok(tenant) => assert_host(&map, tenant.tenant_id.as_str(), trust_forwarded_host),
                    Err(refusal) => assert_refusal(&Error::from(refusal)),
                }
            }
            Ok(outcome) => panic!("{outcome:?}"),
            Err(refusal) => assert_refusal(&Error::from(refusal)),
        }
    }
});

/// A target that takes nothing would check nothing.
fn good_is_accepted() {
    for lines in [&include_bytes!("../seeds/headers/user")[..], include_bytes!("../seeds/headers/service")] {
        assert!(matches!(outcome(&headers(lines), false), Ok(Outcome::Identified(_))));
    }
}

fn headers(data: &[u8]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for line in data.split(|byte| *byte == b'\n') {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        let value = match value {
            b"{user}" => USER_TOKEN.as_bytes(),
            b"{service}" => SERVICE_TOKEN.as_bytes(),
            other => other,
        };
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value)) {
            map.append(name, value);
        }
    }
    map
}

fn outcome(map: &HeaderMap, trust_forwarded_host: bool) -> Result<Outcome, AuthError> {
    let headers = IdentityHeaders::read(map, trust_forwarded_host)?;
    assert!(count(map, TOKEN) <= 1 && count(map, HOST.as_str()) <= 1);
    if let TokenHeader::Text(text) = headers.token()
        && let Ok(text) = text.to_str()
    {
        assert!(
            text.len() <= 16 * 1024 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
        );
    }
    decide(&TokenVerifier::new(settings()), &headers, Some(registry()), UnixTime(f64::from(NOW)))
}

/// A user acts for no one else, at the host of their own tenant; a service names exactly one tenant and one user.
fn check_identity(map: &HeaderMap, identity: &Identity, trust_forwarded_host: bool) {
    let token = single(map, TOKEN).unwrap();
    assert_eq!(identity.token().unwrap().expose().as_bytes(), token.as_bytes().trim_ascii());
    if token.as_bytes().trim_ascii() == USER_TOKEN.as_bytes() {
        assert_eq!((count(map, TENANT), count(map, USER)), (0, 0));
        assert_eq!((identity.username().as_str(), identity.tenant_id().as_str()), ("alice", "acme"));
        assert_host(map, "acme", trust_forwarded_host);
    } else {
        assert_eq!(token.as_bytes().trim_ascii(), SERVICE_TOKEN.as_bytes(), "no other token is good");
        let value = |name| single(map, name).map(|v| v.as_bytes().trim_ascii().to_vec()).unwrap();
        assert_eq!(identity.tenant_id().as_str().as_bytes(), value(TENANT));
        assert_eq!(identity.username().as_str().as_bytes(), value(USER));
        assert!(["acme", "beta"].contains(&identity.tenant_id().as_str()), "uhadmin is served elsewhere");
    }
}

/// The host that counts is the tenant's: equal but for case and the port of https.
fn assert_host(map: &HeaderMap, tenant: &str, trust_forwarded_host: bool) {
    let name = if trust_forwarded_host && count(map, FORWARDED) > 0 { FORWARDED } else { HOST.as_str() };
    let host = single(map, name).unwrap().to_str().unwrap().trim().to_ascii_lowercase();
    let (host, port) = host.split_once(':').unwrap_or((&host, ""));
    assert_eq!(host, format!("{tenant}.tapis.test"));
    assert!(port.is_empty() || port.parse() == Ok(443_u16), "{port}");
}

fn count(map: &HeaderMap, name: &str) -> usize {
    map.get_all(name).iter().count()
}

fn single<'m>(map: &'m HeaderMap, name: &str) -> Option<&'m HeaderValue> {
    let mut all = map.get_all(name).iter();
    all.next().filter(|_| all.next().is_none())
}
