//! Rules A1 and A5 to A12.

use serde_json::{Value, json};
use tapisservice_auth::{AuthError, ClaimError, DateClaim, Outcome, TokenError};
use tapisservice_core::Seconds;

use super::{Ask, NOW, REGISTRY, assert_table, claim, id};
use crate::signer::{ACME, ADMIN, STRANGER};

fn alice() -> Ask {
    Ask::user("acme")
}

fn fault<T>(fault: TokenError) -> Result<T, AuthError> {
    Err(AuthError::Token(fault))
}

#[test]
fn a_blank_token_line_is_not_the_absence_of_a_token() {
    assert_table([
        ("A1, no line", Ask::nobody(), Ok("anybody of acme")),
        ("A1, an empty line", Ask::nobody().line("x-tapis-token", ""), Err(AuthError::NoToken)),
        ("A1, a blank line", Ask::nobody().line("x-tapis-token", " \t "), Err(AuthError::NoToken)),
        ("A1, a second line", alice().line("x-tapis-token", ""), Err(AuthError::MultipleTokens)),
    ]);
}

#[test]
fn the_tenant_of_the_token_is_registered_and_has_a_key() {
    let of = |tenant: Value| alice().claim("tapis/tenant_id", tenant);
    let unknown = |tenant: &str| fault(TokenError::UnknownTenant(id(tenant)));
    assert_table([
        ("A5", alice(), Ok("alice@acme")),
        ("A5, an absent status counts as active", Ask::user("beta"), Ok("alice@beta")),
        ("A5, missing", alice().without_claim("tapis/tenant_id"), fault(TokenError::TenantId)),
        ("A5, a number", of(json!(7)), fault(TokenError::TenantId)),
        ("A5, a list", of(json!(["acme"])), fault(TokenError::TenantId)),
        ("A5, empty", of(json!("")), fault(TokenError::TenantId)),
        ("A5, a control character", of(json!("ac\nme")), fault(TokenError::TenantId)),
        ("A5, unknown", of(json!("nosuch")), unknown("nosuch")),
        ("A5, other letters", of(json!("ACME")), unknown("ACME")),
        ("A5, inactive", Ask::user("gone"), unknown("gone")),
        ("A5, draft", Ask::user("soon"), unknown("soon")),
        ("A5, no key", Ask::user("nokey"), fault(TokenError::NoKey(id("nokey")))),
    ]);
}

#[test]
fn only_the_key_of_the_tokens_own_tenant_counts() {
    let signature = |tenant: &str| fault(TokenError::Signature(id(tenant)));
    assert_table([
        ("A6, a key of nobody", alice().signed_by(&STRANGER), signature("acme")),
        ("A6, the admin tenant's key", alice().signed_by(&ADMIN), signature("acme")),
        ("A6, acme's key for a user of admin", Ask::user("admin").signed_by(&ACME), signature("admin")),
    ]);
}

#[test]
fn a_token_lives_until_its_expiry_and_from_its_beginning() {
    let no_date = |name| Err(claim(ClaimError::NotADate(name)));
    let expired = || fault(TokenError::Expired);
    let late = |leeway: f64, exp: u64| {
        alice()
            .set(|settings| settings.token_leeway_seconds = Seconds::try_from(leeway).unwrap())
            .claim("exp", exp)
    };
    assert_table([
        ("A7, missing", alice().without_claim("exp"), no_date(DateClaim::Exp)),
        ("A7, text", alice().claim("exp", (NOW + 60).to_string()), no_date(DateClaim::Exp)),
        ("A7, null", alice().claim("exp", Value::Null), no_date(DateClaim::Exp)),
        ("A7, negative", alice().claim("exp", -1), no_date(DateClaim::Exp)),
        ("A7, the year 10000", alice().claim("exp", 253_402_300_800_u64), no_date(DateClaim::Exp)),
        ("A7, the last second of 9999", alice().claim("exp", 253_402_300_799_u64), Ok("alice@acme")),
        ("A7, a fraction of a second left", alice().claim("exp", json!(1_800_000_000.5)), Ok("alice@acme")),
        ("A7, now", alice().claim("exp", NOW), expired()),
        ("A7, the past", alice().claim("exp", NOW - 1), expired()),
        ("A7, within the leeway", late(2.0, NOW - 1), Ok("alice@acme")),
        ("A7, at the end of the leeway", late(2.0, NOW - 2), expired()),
        ("A7, nbf now", alice().claim("nbf", NOW), Ok("alice@acme")),
        ("A7, nbf ahead", alice().claim("nbf", NOW + 1), Err(claim(ClaimError::InTheFuture(DateClaim::Nbf)))),
        ("A7, nbf within the leeway", late(2.0, NOW + 60).claim("nbf", NOW + 2), Ok("alice@acme")),
        ("A7, nbf text", alice().claim("nbf", "0"), no_date(DateClaim::Nbf)),
        ("A7, iat ahead", alice().claim("iat", NOW + 1), Err(claim(ClaimError::InTheFuture(DateClaim::Iat)))),
        ("A7, iat null", alice().claim("iat", Value::Null), no_date(DateClaim::Iat)),
    ]);
}

#[test]
fn the_issuer_is_the_tenants_token_service() {
    let wrong = || Err(claim(ClaimError::Issuer));
    let issued_by = |iss: Value| alice().claim("iss", iss);
    assert_table([
        ("A8, a trailing slash", issued_by(json!("https://acme.tapis.test/v3/tokens/")), Ok("alice@acme")),
        ("A8, missing", alice().without_claim("iss"), wrong()),
        ("A8, a list", issued_by(json!(["https://acme.tapis.test/v3/tokens"])), wrong()),
        ("A8, another tenant's", issued_by(json!("https://beta.tapis.test/v3/tokens")), wrong()),
        ("A8, other letters", issued_by(json!("https://ACME.tapis.test/v3/tokens")), wrong()),
        ("A8, longer", issued_by(json!("https://acme.tapis.test/v3/tokens.evil.example")), wrong()),
        (
            "A8, no token service in the record",
            Ask::user("anyissuer").claim("iss", "https://other.example"),
            Ok("alice@anyissuer"),
        ),
        ("A8, switched off", alice().claim("iss", 7).set(|s| s.check_issuer = false), Ok("alice@acme")),
    ]);
}

#[test]
fn an_audience_is_named_only_where_one_is_expected() {
    let wrong = || Err(claim(ClaimError::Audience));
    let here = |aud: Value| alice().claim("aud", aud).set(|s| s.expected_aud = vec!["bookmarks".to_owned()]);
    let anywhere = |aud: Value| alice().claim("aud", aud).set(|s| s.expected_aud = vec!["*".to_owned()]);
    assert_table([
        ("A9, none expected", alice().claim("aud", "bookmarks"), wrong()),
        ("A9, an empty list", alice().claim("aud", json!([])), wrong()),
        ("A9, null", alice().claim("aud", Value::Null), wrong()),
        ("A9, the expected one", here(json!("bookmarks")), Ok("alice@acme")),
        ("A9, among others", here(json!(["files", "bookmarks"])), Ok("alice@acme")),
        ("A9, another", here(json!("files")), wrong()),
        ("A9, a number", here(json!(7)), wrong()),
        ("A9, any", anywhere(json!("files")), Ok("alice@acme")),
        ("A9, any, but a number", anywhere(json!(7)), wrong()),
        ("A9, any, none", alice().set(|s| s.expected_aud = vec!["*".to_owned()]), Ok("alice@acme")),
        ("A9, none", alice().set(|s| s.expected_aud = vec!["bookmarks".to_owned()]), wrong()),
    ]);
}

#[test]
fn only_access_tokens_are_accepted() {
    let wrong = || Err(claim(ClaimError::TokenType));
    assert_table([
        ("A10, refresh", alice().claim("tapis/token_type", "refresh"), wrong()),
        ("A10, other letters", alice().claim("tapis/token_type", "Access"), wrong()),
        ("A10, a list", alice().claim("tapis/token_type", json!(["access"])), wrong()),
        ("A10, missing", alice().without_claim("tapis/token_type"), wrong()),
    ]);
}

#[test]
fn the_subject_is_a_user_or_a_service_of_the_tenant() {
    let named = |name: &str| alice().claim("tapis/username", name).claim("sub", format!("{name}@acme"));
    let account = || Err(claim(ClaimError::AccountType));
    let name = || Err(claim(ClaimError::Username));
    let sub = || Err(claim(ClaimError::Subject));
    assert_table([
        ("A11, any letters", named("jos\u{e9} x"), Ok("jos\u{e9} x@acme")),
        ("A11, an address", named("a@b.example"), Ok("a@b.example@acme")),
        ("A11, no name", alice().without_claim("tapis/username"), name()),
        ("A11, a number", alice().claim("tapis/username", 7), name()),
        ("A11, empty", named(""), name()),
        ("A11, blank", named(" "), name()),
        ("A11, white space alone", named("\u{a0}\u{3000}"), name()),
        ("A11, spaces around", named(" al "), Ok(" al @acme")),
        ("A11, a control character", named("al\u{0}ice"), name()),
        ("A11, 256 characters", named(&"\u{e9}".repeat(256)), name()),
        ("A11, no subject", alice().without_claim("sub"), sub()),
        ("A11, the subject of another", alice().claim("sub", "bob@acme"), sub()),
        ("A11, the subject of another tenant", alice().claim("sub", "alice@beta"), sub()),
        ("A11, no account type", alice().without_claim("tapis/account_type"), account()),
        ("A11, another account type", alice().claim("tapis/account_type", "User"), account()),
    ]);
}

/// A12: as for services that act for users (O5).
#[test]
fn a_tenant_delegates_only_where_it_may_act() {
    let to = |tenant: &str, party: &str| {
        Ask::user(tenant).claim("tapis/delegation", true).claim("tapis/delegation_sub", party)
    };
    let foreign = || Err(claim(ClaimError::DelegationTenant));
    let service = Ask::service("admin", "tacc", "acme").claim("tapis/delegation", true);
    assert_table([
        ("A12, the same tenant", to("acme", "bud@acme"), Ok("alice@acme")),
        ("A12, the site's admin tenant", to("hawaii", "bud@adminuh"), Ok("alice@hawaii")),
        ("A12, the primary site's admin tenant", to("hawaii", "bud@admin"), Ok("alice@hawaii")),
        ("A12, another tenant", to("acme", "bud@beta"), foreign()),
        ("A12, another site's admin tenant", to("acme", "bud@adminuh"), foreign()),
        ("A12, a tenant that nobody knows", to("acme", "bud@nosuch"), foreign()),
        (
            "A12, a service",
            service.clone().claim("tapis/delegation_sub", "bud@admin"),
            Ok("bob@acme by jobs@admin"),
        ),
        ("A12, a service, another tenant", service.claim("tapis/delegation_sub", "bud@acme"), foreign()),
    ]);
}

#[test]
fn a_delegation_is_seen() {
    let delegated =
        |flag: Value, to: Value| alice().claim("tapis/delegation", flag).claim("tapis/delegation_sub", to);
    let party = || Err(claim(ClaimError::DelegationSubject));
    assert_table([
        ("A12, absent", alice().without_claim("tapis/delegation"), Ok("alice@acme")),
        ("A12, false", delegated(json!(false), json!("bud")), Ok("alice@acme")),
        ("A12, text", delegated(json!("true"), json!("bud@acme")), Err(claim(ClaimError::Delegation))),
        ("A12, without a party", delegated(json!(true), Value::Null), party()),
        ("A12, without a tenant", delegated(json!(true), json!("bud")), party()),
        ("jti is not checked", alice().without_claim("jti"), Ok("alice@acme")),
    ]);
    let outcome = delegated(json!(true), json!("bud@admin")).outcome(Some(&REGISTRY));
    let Ok(Outcome::Identified(identity)) = outcome else { panic!("{outcome:?}") };
    let delegation = identity.token().unwrap().claims().delegation.clone().unwrap();
    assert_eq!((delegation.username.as_str(), delegation.tenant_id.as_str()), ("bud", "admin"));
    assert_eq!(delegation.to_string(), "bud@admin");
}
