//! A token that was changed anywhere, by however little, is refused: every single bit, and edits of any kind.

use std::sync::LazyLock;

use http::{HeaderMap, HeaderValue};
use proptest::prelude::*;
use tapisservice_auth::{IdentityHeaders, Outcome, TokenVerifier, UnixTime, decide};
use tapisservice_tenants::Registry;

use crate::signer::{ACME, ADMIN};
use crate::site;

const NOW: u64 = 1_800_000_000;

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| Registry::build(&site::data().into(), None).unwrap());
/// Of a user, and of a service for this site.
static TOKENS: LazyLock<[String; 2]> = LazyLock::new(|| {
    let jobs = site::service_account("jobs", "admin", "tacc", NOW + 3600);
    [ACME.token(&site::user("alice", "acme", NOW + 3600)), ADMIN.token(&jobs)]
});

/// Whether a request with this text as its token gets an identity. Bytes that no header field may hold never arrive.
fn accepted(token: &[u8], of_service: bool) -> bool {
    let Ok(value) = HeaderValue::from_bytes(token) else { return false };
    let mut map = HeaderMap::new();
    map.insert("x-tapis-token", value);
    map.insert("host", HeaderValue::from_static("acme.tapis.test"));
    if of_service {
        map.insert("x-tapis-tenant", HeaderValue::from_static("acme"));
        map.insert("x-tapis-user", HeaderValue::from_static("bob"));
    }
    let outcome = IdentityHeaders::read(&map, false).and_then(|headers| {
        let now = UnixTime(f64::from(u32::try_from(NOW).unwrap()));
        decide(&TokenVerifier::new(site::settings()), &headers, Some(&REGISTRY), now)
    });
    matches!(outcome, Ok(Outcome::Identified(_)))
}

#[test]
fn no_bit_of_a_token_can_be_changed() {
    for (token, of_service) in TOKENS.iter().zip([false, true]) {
        assert!(accepted(token.as_bytes(), of_service));
        let mut changed = token.clone().into_bytes();
        for bit in 0..changed.len() * 8 {
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(!accepted(&changed, of_service), "bit {bit} of {}", changed.len() * 8);
            changed[bit / 8] ^= 1 << (bit % 8);
        }
        assert!(changed == token.as_bytes() && changed.len() > 500);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn nothing_can_be_put_into_or_taken_out_of_a_token(
        of_service in any::<bool>(),
        from in any::<prop::sample::Index>(),
        length in 0..40_usize,
        text in "[A-Za-z0-9_.=+/-]{0,40}",
    ) {
        let token = &TOKENS[usize::from(of_service)];
        let from = from.index(token.len());
        let mut changed = token.clone();
        changed.replace_range(from..token.len().min(from + length), &text);
        prop_assume!(changed != *token);
        prop_assert!(!accepted(changed.as_bytes(), of_service));
    }

    #[test]
    fn parts_of_two_good_tokens_make_no_third(header in 0..2_usize, payload in 0..2_usize, signature in 0..2_usize) {
        prop_assume!(payload != signature);
        let part = |of: usize, which: usize| TOKENS[of].split('.').nth(which).unwrap();
        let mixed = format!("{}.{}.{}", part(header, 0), part(payload, 1), part(signature, 2));
        prop_assert!(!accepted(mixed.as_bytes(), false) && !accepted(mixed.as_bytes(), true));
    }
}
