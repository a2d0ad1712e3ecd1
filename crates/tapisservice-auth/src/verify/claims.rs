//! Checks of the claims of a signed token (rules A7 to A12).

use serde_json::Value;
use tapisservice_core::{Claims, Delegation, Payload, TenantId, Username};
use tapisservice_tenants::Tenant;

use super::unverified::{Beginning, Delegated, UnverifiedClaims};
use super::{ClaimError, DateClaim};
use crate::error::TokenError;
use crate::{AuthSettings, UnixTime};

/// Checks the claims of a token signed by `tenant`'s key, and returns them with their validity period.
pub(crate) fn check(
    raw: &UnverifiedClaims<'_>,
    signed: Payload,
    tenant: &Tenant,
    settings: &AuthSettings,
    now: UnixTime,
) -> Result<(Claims, Times), TokenError> {
    let times = Times::check(raw, settings.token_leeway_seconds.duration().as_secs_f64(), now)?;
    if settings.check_issuer {
        check_issuer(raw.iss.as_deref(), tenant.token_service())?;
    }
    check_audience(raw.aud.as_ref(), &settings.expected_aud)?;
    if !raw.is_access {
        return Err(ClaimError::TokenType.into());
    }
    let username = check_username(raw, tenant.tenant_id())?;
    let account_type = raw.account_type.ok_or(ClaimError::AccountType)?;
    let mut claims = Claims::new(tenant.tenant_id().clone(), username.clone(), account_type, signed);
    claims.delegation = check_delegation(raw)?;
    claims.target_site.clone_from(&raw.target_site);
    Ok((claims, times))
}

/// The validity period of a token (rule A7, RFC 7519 sections 4.1.4 to 4.1.6).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    exp: UnixTime,
    nbf: Option<UnixTime>,
    iat: Option<UnixTime>,
}

impl Times {
    fn check(raw: &UnverifiedClaims<'_>, leeway: f64, now: UnixTime) -> Result<Self, TokenError> {
        let exp = raw.exp.ok_or(ClaimError::NotADate(DateClaim::Exp))?;
        check_end(exp, leeway, now)?;
        let beginning = |name, beginning| match beginning {
            Beginning::Absent => Ok(None),
            Beginning::Date(from) => check_begun(from, name, leeway, now).map(|()| Some(from)),
            Beginning::NoDate => Err(ClaimError::NotADate(name).into()),
        };
        Ok(Self { exp, nbf: beginning(DateClaim::Nbf, raw.nbf)?, iat: beginning(DateClaim::Iat, raw.iat)? })
    }

    #[cfg(test)]
    pub(crate) fn until(exp: UnixTime) -> Self {
        Self { exp, nbf: None, iat: None }
    }

    /// Whether a token that held at some other time holds now.
    pub(crate) fn check_again(&self, leeway: f64, now: UnixTime) -> Result<(), TokenError> {
        check_end(self.exp, leeway, now)?;
        self.nbf.map_or(Ok(()), |from| check_begun(from, DateClaim::Nbf, leeway, now))?;
        self.iat.map_or(Ok(()), |from| check_begun(from, DateClaim::Iat, leeway, now))
    }
}

/// Asked as the rule puts it: with a leeway that is not a number, every token is rejected.
fn check_end(exp: UnixTime, leeway: f64, now: UnixTime) -> Result<(), TokenError> {
    if now < exp.plus(leeway) { Ok(()) } else { Err(TokenError::Expired) }
}

fn check_begun(from: UnixTime, name: DateClaim, leeway: f64, now: UnixTime) -> Result<(), TokenError> {
    if from <= now.plus(leeway) { Ok(()) } else { Err(ClaimError::InTheFuture(name).into()) }
}

/// A8, an exact comparison but for a trailing slash.
fn check_issuer(issuer: Option<&str>, token_service: Option<&str>) -> Result<(), ClaimError> {
    let Some(expected) = token_service else { return Ok(()) };
    let trimmed = |url| str::strip_suffix(url, '/').unwrap_or(url);
    match issuer {
        Some(issuer) if trimmed(issuer) == trimmed(expected) => Ok(()),
        _ => Err(ClaimError::Issuer),
    }
}

/// A9: a token for an audience is for nobody else, and a service that expects one takes no token without.
fn check_audience(aud: Option<&Value>, expected: &[String]) -> Result<(), ClaimError> {
    let takes_any = expected.iter().any(|name| name == "*");
    let is_expected = |name: &str| takes_any || expected.iter().any(|e| e == name);
    let accepted = match aud {
        None => expected.is_empty() || takes_any,
        Some(Value::String(name)) => is_expected(name),
        Some(Value::Array(names)) => {
            let names: Option<Vec<_>> = names.iter().map(Value::as_str).collect();
            names.is_some_and(|names| names.into_iter().any(is_expected))
        }
        Some(_) => false,
    };
    if accepted { Ok(()) } else { Err(ClaimError::Audience) }
}

/// A11.
fn check_username<'r>(
    raw: &'r UnverifiedClaims<'_>,
    tenant_id: &TenantId,
) -> Result<&'r Username, ClaimError> {
    let username = raw.username.as_ref().ok_or(ClaimError::Username)?;
    let tenant = raw.sub.as_deref().and_then(|sub| sub.strip_prefix(username.as_str())?.strip_prefix('@'));
    if tenant == Some(tenant_id.as_str()) { Ok(username) } else { Err(ClaimError::Subject) }
}

/// A12.
fn check_delegation(raw: &UnverifiedClaims<'_>) -> Result<Option<Delegation>, ClaimError> {
    match (raw.delegation, &raw.delegation_sub) {
        (Delegated::No, _) => Ok(None),
        (Delegated::Yes, Some(party)) => Ok(Some(party.clone())),
        (Delegated::Yes, None) => Err(ClaimError::DelegationSubject),
        (Delegated::Neither, _) => Err(ClaimError::Delegation),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn raw(payload: &Value) -> UnverifiedClaims<'static> {
        let mut claims = UnverifiedClaims::default();
        let text = payload.to_string().leak();
        Payload::read(text.as_bytes(), 8, |name, value| claims.set(name, value)).unwrap();
        claims
    }

    #[test]
    fn dates_are_numbers_within_four_digit_years() {
        let now = UnixTime(1000.5);
        let cases = [
            (json!({"exp": 1001}), 0.0, None),
            (json!({"exp": 1000.5}), 0.0, Some(TokenError::Expired)),
            (json!({"exp": 1000.5}), 0.1, None),
            (json!({"exp": 253_402_300_799_u64}), 0.0, None),
            (json!({"exp": 253_402_300_800_u64}), 0.0, Some(ClaimError::NotADate(DateClaim::Exp).into())),
            (json!({"exp": u64::MAX}), 0.0, Some(ClaimError::NotADate(DateClaim::Exp).into())),
            (json!({"exp": -1}), 1e9, Some(ClaimError::NotADate(DateClaim::Exp).into())),
            (json!({"exp": true}), 0.0, Some(ClaimError::NotADate(DateClaim::Exp).into())),
            (json!({"exp": "1001"}), 0.0, Some(ClaimError::NotADate(DateClaim::Exp).into())),
            (json!({}), 0.0, Some(ClaimError::NotADate(DateClaim::Exp).into())),
            (json!({"exp": 2000, "nbf": 1000.5, "iat": 5}), 0.0, None),
            (json!({"exp": 2000, "nbf": 1001}), 0.0, Some(ClaimError::InTheFuture(DateClaim::Nbf).into())),
            (json!({"exp": 2000, "nbf": 1001}), 1.0, None),
            (json!({"exp": 2000}), f64::NAN, Some(TokenError::Expired)),
            (json!({"exp": 2000, "iat": null}), 0.0, Some(ClaimError::NotADate(DateClaim::Iat).into())),
        ];
        for (payload, leeway, fault) in cases {
            let times = Times::check(&raw(&payload), leeway, now);
            assert_eq!(times.as_ref().err(), fault.as_ref(), "{payload}");
            let again = times.and_then(|times| times.check_again(leeway, now));
            assert_eq!(again.err(), fault, "{payload}");
        }
    }

    #[test]
    fn an_audience_must_be_expected() {
        let expected = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        let cases = [
            (None, &[][..], true),
            (None, &["me"], false),
            (None, &["*"], true),
            (None, &["me", "*"], true),
            (Some(json!("me")), &[], false),
            (Some(json!("me")), &["me"], true),
            (Some(json!("you")), &["me"], false),
            (Some(json!(["you", "me"])), &["me"], true),
            (Some(json!(["you", 7])), &["*"], false),
            (Some(json!([])), &["*"], false),
            (Some(json!("anybody")), &["*"], true),
            (Some(json!(7)), &["*"], false),
            (Some(Value::Null), &["*"], false),
        ];
        for (aud, names, accepted) in cases {
            let claims = aud.as_ref().map_or_else(|| json!({}), |aud| json!({"aud": aud}));
            let checked = check_audience(raw(&claims).aud.as_ref(), &expected(names));
            assert_eq!(checked.is_ok(), accepted, "{aud:?} {names:?}");
        }
    }

    #[test]
    fn the_issuer_is_compared_but_for_one_trailing_slash() {
        let check = |iss: Value, expected| check_issuer(raw(&json!({"iss": iss})).iss.as_deref(), expected);
        assert!(check(json!("https://a/v3/tokens/"), Some("https://a/v3/tokens")).is_ok());
        assert!(check(json!("https://a/v3/tokens//"), Some("https://a/v3/tokens")).is_err());
        assert!(check(json!(5), Some("https://a/v3/tokens")).is_err());
        assert!(check(json!(5), None).is_ok());
    }

    #[test]
    fn a_delegation_names_a_user_and_a_tenant() {
        let cases = [
            (json!({}), Some(false)),
            (json!({"tapis/delegation": false, "tapis/delegation_sub": 7}), Some(false)),
            (json!({"tapis/delegation": null}), None),
            (json!({"tapis/delegation": true, "tapis/delegation_sub": "a@b@c"}), Some(true)),
            (json!({"tapis/delegation": true, "tapis/delegation_sub": "a@"}), None),
            (json!({"tapis/delegation": true}), None),
        ];
        for (payload, delegated) in cases {
            let found = check_delegation(&raw(&payload)).ok().map(|d| d.is_some());
            assert_eq!(found, delegated, "{payload}");
        }
    }

    #[test]
    fn the_subject_is_the_username_at_the_tenant() {
        let tenant = TenantId::new("tacc").unwrap();
        let payload = |name: &str, sub: &str| raw(&json!({"tapis/username": name, "sub": sub}));
        assert!(check_username(&payload("a@b", "a@b@tacc"), &tenant).is_ok());
        for (name, sub) in [("alice", "alice@dev"), ("alice", "alice"), ("", "@tacc"), ("a\nb", "a\nb@tacc")]
        {
            assert!(check_username(&payload(name, sub), &tenant).is_err(), "{name} {sub}");
        }
    }
}
