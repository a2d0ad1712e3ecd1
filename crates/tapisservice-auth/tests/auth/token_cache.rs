//! Tokens that are remembered: for how long, and that nothing is decided otherwise for it.

use std::sync::{Arc, LazyLock};

use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use tapisservice_auth::{
    AuthError, ClaimError, DateClaim, IdentityHeaders, Outcome, TokenCache, TokenError, TokenVerifier,
    UnixTime, decide,
};
use tapisservice_core::{AccessToken, Claims, TenantId};
use tapisservice_tenants::Registry;

use crate::signer::{ACME, ADMIN, STRANGER};
use crate::site::{self, Responses};

/// When everything here begins.
const NOW: u32 = 1_800_000_000;

/// What happens to a tenant's record.
type Change = fn(&mut Value);

static ALICE: LazyLock<String> = LazyLock::new(|| ACME.token(&alice()));

fn alice() -> Value {
    site::user("alice", "acme", u64::from(NOW) + 3600)
}

fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
    let pair = |(name, value): &(&'static str, &str)| {
        (HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).unwrap())
    };
    lines.iter().map(pair).collect()
}

fn to_acme(token: &str) -> HeaderMap {
    headers(&[("x-tapis-token", token), ("host", "acme.tapis.test")])
}

/// The moment so many seconds after the beginning.
fn at(seconds: i32) -> UnixTime {
    UnixTime(f64::from(NOW) + f64::from(seconds))
}

fn registry(previous: Option<&Registry>, change: impl FnOnce(&mut Responses)) -> Registry {
    let mut data = site::data();
    change(&mut data);
    Registry::build(&data.into(), previous).unwrap()
}

fn of_acme(change: impl FnOnce(&mut Value)) -> impl FnOnce(&mut Responses) {
    move |data| change(data.tenants.iter_mut().find(|record| record["tenant_id"] == "acme").unwrap())
}

fn without_acme(data: &mut Responses) {
    data.tenants.retain(|record| record["tenant_id"] != "acme");
}

/// The claims that a decision found; a remembered token gives the same ones, in the same place.
fn claims_of(outcome: Result<Outcome, AuthError>) -> Result<Arc<Claims>, AuthError> {
    match outcome? {
        Outcome::Identified(identity) => Ok(identity.token().map(AccessToken::shared_claims).unwrap()),
        outcome => panic!("there was a token: {outcome:?}"),
    }
}

/// A cache that remembers alice's token, and asks about it.
struct Remembering {
    cache: TokenCache,
    registry: Registry,
    claims: Arc<Claims>,
}

impl Remembering {
    fn new() -> Self {
        let (cache, registry) = (TokenCache::new(site::settings()), registry(None, |_| {}));
        let map = to_acme(&ALICE);
        let read = IdentityHeaders::read(&map, false).unwrap();
        let claims = claims_of(decide(&cache, &read, Some(&registry), at(0))).unwrap();
        assert_eq!(cache.len(), 1);
        Self { cache, registry, claims }
    }

    fn ask(&self, registry: &Registry, now: UnixTime) -> Result<Arc<Claims>, AuthError> {
        let map = to_acme(&ALICE);
        let read = IdentityHeaders::read(&map, false).unwrap();
        claims_of(decide(&self.cache, &read, Some(registry), now))
    }

    /// Whether the token was not verified again.
    fn knew(&self, claims: &Arc<Claims>) -> bool {
        Arc::ptr_eq(&self.claims, claims)
    }
}

#[test]
fn a_token_is_remembered_while_its_tenants_record_stays() {
    let known = Remembering::new();
    assert!(known.knew(&known.ask(&known.registry, at(1)).unwrap()));
    let again = registry(Some(&known.registry), |_| {});
    assert!(known.knew(&known.ask(&again, at(2)).unwrap()), "a refresh that brought nothing new");
    let others = registry(Some(&again), |data| data.tenants.retain(|t| t["tenant_id"] != "beta"));
    assert!(known.knew(&known.ask(&others, at(3)).unwrap()), "another tenant is gone");
    let broken = registry(Some(&others), of_acme(|acme| acme["public_key"] = "no key".into()));
    assert!(known.knew(&known.ask(&broken, at(4)).unwrap()), "the last good record stays in use");
}

#[test]
fn whatever_changes_in_the_record_has_the_token_verified_anew() {
    let id = TenantId::new("acme").unwrap();
    let good: [(&str, Change); 3] = [
        ("a field that nothing depends on", |acme| acme["owner"] = "somebody else".into()),
        ("the status, spelled otherwise", |acme| acme["status"] = "ACTIVE".into()),
        ("the site, to one that runs no bookmarks", |acme| acme["site_id"] = "uh".into()),
    ];
    for (what, change) in good {
        let known = Remembering::new();
        let changed = registry(Some(&known.registry), of_acme(change));
        assert!(!known.knew(&known.ask(&changed, at(1)).unwrap()), "{what}");
        assert_eq!(known.cache.len(), 1, "{what}");
    }
    let bad: [(&str, Change, TokenError); 5] = [
        (
            "the key",
            |acme| acme["public_key"] = STRANGER.public_pem().into(),
            TokenError::Signature(id.clone()),
        ),
        ("no key", |acme| acme["public_key"] = Value::Null, TokenError::NoKey(id.clone())),
        ("the status", |acme| acme["status"] = "inactive".into(), TokenError::UnknownTenant(id.clone())),
        ("the id", |acme| acme["tenant_id"] = "acme2".into(), TokenError::UnknownTenant(id)),
        (
            "the token service",
            |acme| acme["token_service"] = "https://other.test".into(),
            TokenError::Claim(ClaimError::Issuer),
        ),
    ];
    for (what, change, fault) in bad {
        let known = Remembering::new();
        let changed = registry(Some(&known.registry), of_acme(change));
        assert_eq!(known.ask(&changed, at(1)), Err(fault.into()), "{what}");
        assert_eq!(known.cache.len(), 0, "{what}");
    }
}

#[test]
fn a_tenant_that_comes_back_is_another_one() {
    let known = Remembering::new();
    let gone = registry(Some(&known.registry), without_acme);
    let back = registry(Some(&gone), |_| {});
    assert!(!known.knew(&known.ask(&back, at(1)).unwrap()));
}

#[test]
fn a_site_that_no_longer_serves_the_tenant_counts_at_once() {
    let known = Remembering::new();
    let moved = registry(Some(&known.registry), |data| {
        data.sites[1]["services"] = json!(["files", "bookmarks"]);
        of_acme(|acme| acme["site_id"] = "uh".into())(data);
    });
    assert!(matches!(known.ask(&moved, at(1)), Err(AuthError::WrongSite(_))));
}

#[test]
fn the_clock_is_asked_on_every_request() {
    let expired = || Err(TokenError::Expired.into());
    let known = Remembering::new();
    assert!(known.ask(&known.registry, at(3599)).is_ok_and(|claims| known.knew(&claims)));
    assert_eq!((known.ask(&known.registry, at(3600)), known.cache.len()), (expired(), 0));
    // A clock that was set back gives the token what its own date gives it, no more (F11).
    assert!(known.ask(&known.registry, at(-100_000)).is_ok_and(|claims| !known.knew(&claims)));
    assert!(known.ask(&known.registry, at(3599)).is_ok());
    assert_eq!(known.ask(&known.registry, at(3600)), expired());

    for (name, date) in [("nbf", DateClaim::Nbf), ("iat", DateClaim::Iat)] {
        let mut claims = alice();
        claims[name] = NOW.into();
        let map = to_acme(&ACME.token(&claims));
        let read = IdentityHeaders::read(&map, false).unwrap();
        let (cache, registry) = (TokenCache::new(site::settings()), registry(None, |_| {}));
        let ask = |now| claims_of(decide(&cache, &read, Some(&registry), now));
        let first = ask(at(0)).unwrap();
        assert_eq!(ask(at(-1)), Err(TokenError::Claim(ClaimError::InTheFuture(date)).into()));
        assert!(ask(at(1)).is_ok_and(|claims| Arc::ptr_eq(&claims, &first)), "{name}");
    }
}

#[test]
fn what_was_refused_is_not_remembered() {
    let (cache, registry) = (TokenCache::new(site::settings()), registry(None, |_| {}));
    let mut early = alice();
    early["nbf"] = (NOW + 10).into();
    for token in [STRANGER.token(&alice()), ACME.token(&early), "a.b.c".to_owned()] {
        let map = to_acme(&token);
        let read = IdentityHeaders::read(&map, false).unwrap();
        assert!(decide(&cache, &read, Some(&registry), at(0)).is_err());
    }
    assert!(cache.is_empty());
}

/// Every kind of token: of users and services, good and bad, early and late.
static TOKENS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let user = |name: &str, tenant: &str, seconds: u32| site::user(name, tenant, u64::from(NOW + seconds));
    let service = |of: &str, target: &str| site::service_account("jobs", of, target, u64::from(NOW) + 3600);
    let mut early = alice();
    early["nbf"] = (NOW + 300).into();
    vec![
        ALICE.clone(),
        ACME.token(&user("bob", "acme", 600)),
        ACME.token(&user("alice", "beta", 3600)),
        ACME.token(&early),
        STRANGER.token(&alice()),
        ADMIN.token(&service("admin", "tacc")),
        ADMIN.token(&service("adminuh", "tacc")),
        ACME.token(&service("acme", "tacc")),
        ADMIN.token(&service("admin", "uh")),
        format!("{}x", &**ALICE),
        String::new(),
    ]
});

const LINES: &[&[(&str, &str)]] = &[
    &[("host", "acme.tapis.test")],
    &[("host", "beta.tapis.test")],
    &[("host", "nowhere.test")],
    &[("host", "acme.tapis.test"), ("x-tapis-user", "")],
    &[("x-tapis-tenant", "acme"), ("x-tapis-user", "bob")],
    &[("x-tapis-tenant", "hawaii"), ("x-tapis-user", "carol")],
    &[("x-tapis-tenant", "nosuch"), ("x-tapis-user", "bob")],
    &[("x-tapis-tenant", "acme")],
];

const CHANGES: &[fn(&mut Responses)] = &[
    |_| {},
    |data| of_acme(|acme| acme["public_key"] = STRANGER.public_pem().into())(data),
    |data| of_acme(|acme| acme["status"] = "inactive".into())(data),
    |data| of_acme(|acme| acme["token_service"] = Value::Null)(data),
    |data| of_acme(|acme| acme["site_id"] = "uh".into())(data),
    |data| of_acme(|acme| acme["public_key"] = "no key".into())(data),
    without_acme,
    |data| data.sites[0]["site_admin_tenant_id"] = "beta".into(),
];

/// One thing that happens: the registry changes, the clock is set, or a request comes.
#[derive(Debug, Clone)]
enum Step {
    Registry(usize),
    Clock(i32),
    Request { token: usize, lines: usize },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        1 => (0..CHANGES.len()).prop_map(Step::Registry),
        1 => select(vec![-5000, 0, 299, 300, 599, 600, 3599, 3600, 9000]).prop_map(Step::Clock),
        6 => (0..TOKENS.len(), 0..LINES.len()).prop_map(|(token, lines)| Step::Request { token, lines }),
    ];
    proptest::collection::vec(step, 1..60)
}

/// The decision without a cache.
fn plainly(
    read: &IdentityHeaders<'_>,
    registry: Option<&Registry>,
    now: UnixTime,
) -> Result<Outcome, AuthError> {
    decide(&TokenVerifier::new(site::settings()), read, registry, now)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_cache_never_changes_a_decision(steps in steps()) {
        let (cache, mut registry, mut now) = (TokenCache::new(site::settings()), None, at(0));
        for step in steps {
            match step {
                Step::Registry(change) => {
                    let mut data = site::data();
                    CHANGES[change](&mut data);
                    registry = Some(Registry::build(&data.into(), registry.as_ref()).unwrap());
                }
                Step::Clock(seconds) => now = at(seconds),
                Step::Request { token, lines } => {
                    let mut map = headers(LINES[lines]);
                    map.append("x-tapis-token", TOKENS[token].parse().unwrap());
                    let read = IdentityHeaders::read(&map, false).unwrap();
                    let with = decide(&cache, &read, registry.as_ref(), now);
                    let without = plainly(&read, registry.as_ref(), now);
                    prop_assert_eq!(format!("{with:?}"), format!("{without:?}"));
                }
            }
        }
    }

    #[test]
    fn any_changed_bit_of_a_remembered_token_is_refused(byte in 0..ALICE.len(), bit in 0..8_u32) {
        let known = Remembering::new();
        let mut bytes = ALICE.clone().into_bytes();
        bytes[byte] ^= 1_u8 << bit;
        // What cannot stand in a header never gets here.
        if let Ok(value) = HeaderValue::from_bytes(&bytes) {
            let mut map = headers(&[("host", "acme.tapis.test")]);
            map.append("x-tapis-token", value);
            let read = IdentityHeaders::read(&map, false);
            let decided = read.and_then(|read| decide(&known.cache, &read, Some(&known.registry), at(0)));
            prop_assert!(decided.is_err());
        }
        prop_assert_eq!(known.cache.len(), 1);
        prop_assert!(known.knew(&known.ask(&known.registry, at(0)).unwrap()));
    }
}

#[test]
fn threads_may_share_a_cache_while_keys_change() {
    let first = registry(None, |_| {});
    let second = registry(Some(&first), |data| CHANGES[1](data));
    let cache = TokenCache::new(site::settings());
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (cache, registries) = (&cache, [&first, &second]);
            scope.spawn(move || {
                for round in 0..400 {
                    let registry = registries[(round / 7 + thread) % 2];
                    let mut map = headers(LINES[round % LINES.len()]);
                    map.append("x-tapis-token", TOKENS[round % TOKENS.len()].parse().unwrap());
                    let read = IdentityHeaders::read(&map, false).unwrap();
                    let with = decide(cache, &read, Some(registry), at(0));
                    let without = plainly(&read, Some(registry), at(0));
                    assert_eq!(format!("{with:?}"), format!("{without:?}"));
                }
            });
        }
    });
}
