//! What the claims of a verified token have to be (rules A7 to A12).

use serde_json::{Map, Value};
use tapisservice_core::{AccountType, Claims, Delegation, Payload, SiteId, TenantId, Username};
use tapisservice_tenants::Tenant;

use crate::refusal::TokenFault;
use crate::{AuthSettings, UnixTime};

/// 9999-12-31T23:59:59Z: no later date is believed (rule A7).
const LAST_SECOND: f64 = 253_402_300_799.0;

/// Checks the claims of a token that `tenant`'s key signed, and says when they hold.
pub(crate) fn check(
    payload: &Map<String, Value>,
    signed: &Payload,
    tenant: &Tenant,
    settings: &AuthSettings,
    now: UnixTime,
) -> Result<(Claims, Times), TokenFault> {
    let times = Times::check(payload, settings.token_leeway_seconds, now)?;
    if settings.check_issuer {
        check_issuer(payload, tenant.token_service())?;
    }
    check_audience(payload.get("aud"), &settings.expected_aud)?;
    if text(payload, "tapis/token_type") != Some("access") {
        return Err(TokenFault::Claim("tapis/token_type", "is not access"));
    }
    let username = username(payload, tenant.tenant_id())?;
    let claims = Claims {
        tenant_id: tenant.tenant_id().clone(),
        username,
        account_type: account_type(payload)?,
        delegation: delegation(payload)?,
        target_site: text(payload, "tapis/target_site").and_then(|site| SiteId::new(site).ok()),
        all: signed.clone(),
    };
    Ok((claims, times))
}

fn text<'a>(payload: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    payload.get(name)?.as_str()
}

/// The claims that put a beginning to a token.
const BEGINNINGS: [&str; 2] = ["nbf", "iat"];

/// When a token holds (rule A7, RFC 7519 sections 4.1.4 to 4.1.6).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    exp: UnixTime,
    beginnings: [Option<UnixTime>; BEGINNINGS.len()],
}

impl Times {
    fn check(payload: &Map<String, Value>, leeway: f64, now: UnixTime) -> Result<Self, TokenFault> {
        let date = |name| numeric_date(payload.get(name)).ok_or(TokenFault::Claim(name, "is not a date"));
        let mut times = Self { exp: date("exp")?, beginnings: [None; 2] };
        times.check_end(leeway, now)?;
        for (beginning, name) in times.beginnings.iter_mut().zip(BEGINNINGS) {
            if payload.contains_key(name) {
                *beginning = Some(date(name)?);
                check_begun(*beginning, name, leeway, now)?;
            }
        }
        Ok(times)
    }

    #[cfg(test)]
    pub(crate) fn until(exp: UnixTime) -> Self {
        Self { exp, beginnings: [None; 2] }
    }

    /// Whether a token that held at some other time holds now.
    pub(crate) fn check_again(&self, leeway: f64, now: UnixTime) -> Result<(), TokenFault> {
        self.check_end(leeway, now)?;
        let mut beginnings = self.beginnings.into_iter().zip(BEGINNINGS);
        beginnings.try_for_each(|(beginning, name)| check_begun(beginning, name, leeway, now))
    }

    /// Asked as the rule puts it: with a leeway that is no number every token is refused.
    fn check_end(&self, leeway: f64, now: UnixTime) -> Result<(), TokenFault> {
        if now < self.exp.plus(leeway) { Ok(()) } else { Err(TokenFault::Expired) }
    }
}

fn check_begun(
    beginning: Option<UnixTime>,
    name: &'static str,
    leeway: f64,
    now: UnixTime,
) -> Result<(), TokenFault> {
    if beginning.is_none_or(|from| from <= now.plus(leeway)) {
        Ok(())
    } else {
        Err(TokenFault::Claim(name, "is in the future"))
    }
}

fn numeric_date(value: Option<&Value>) -> Option<UnixTime> {
    let seconds = value?.as_number()?.as_f64()?;
    (0.0..=LAST_SECOND).contains(&seconds).then_some(UnixTime(seconds))
}

/// A8, an exact comparison but for a trailing slash.
fn check_issuer(payload: &Map<String, Value>, token_service: Option<&str>) -> Result<(), TokenFault> {
    let Some(expected) = token_service else { return Ok(()) };
    let trimmed = |url: &str| url.strip_suffix('/').unwrap_or(url).to_owned();
    match text(payload, "iss") {
        Some(issuer) if trimmed(issuer) == trimmed(expected) => Ok(()),
        _ => Err(TokenFault::Claim("iss", "is not the tenant's token service")),
    }
}

/// A9: a token for an audience is for nobody else.
fn check_audience(aud: Option<&Value>, expected: &[String]) -> Result<(), TokenFault> {
    let is_expected = |name: &str| expected.iter().any(|e| e == "*" || e == name);
    let accepted = match aud {
        None => true,
        Some(Value::String(name)) => is_expected(name),
        Some(Value::Array(names)) => {
            let names: Option<Vec<_>> = names.iter().map(Value::as_str).collect();
            names.is_some_and(|names| names.into_iter().any(is_expected))
        }
        Some(_) => false,
    };
    if accepted { Ok(()) } else { Err(TokenFault::Claim("aud", "names another audience")) }
}

/// A11.
fn username(payload: &Map<String, Value>, tenant_id: &TenantId) -> Result<Username, TokenFault> {
    let fault = TokenFault::Claim("tapis/username", "is missing or not a username");
    let name = text(payload, "tapis/username").ok_or(fault.clone())?;
    let username = Username::new(name).map_err(|_| fault)?;
    let subject = text(payload, "sub").and_then(|sub| sub.strip_prefix(name)?.strip_prefix('@'));
    if subject == Some(tenant_id.as_str()) {
        Ok(username)
    } else {
        Err(TokenFault::Claim("sub", "is not username@tenant_id"))
    }
}

/// A11.
fn account_type(payload: &Map<String, Value>) -> Result<AccountType, TokenFault> {
    match text(payload, "tapis/account_type") {
        Some("user") => Ok(AccountType::User),
        Some("service") => Ok(AccountType::Service),
        _ => Err(TokenFault::Claim("tapis/account_type", "is neither user nor service")),
    }
}

/// A12.
fn delegation(payload: &Map<String, Value>) -> Result<Option<Delegation>, TokenFault> {
    match payload.get("tapis/delegation") {
        None | Some(Value::Bool(false)) => Ok(None),
        Some(Value::Bool(true)) => {
            let party = || {
                let (username, tenant_id) = text(payload, "tapis/delegation_sub")?.rsplit_once('@')?;
                Some(Delegation {
                    username: Username::new(username).ok()?,
                    tenant_id: TenantId::new(tenant_id).ok()?,
                })
            };
            party().map(Some).ok_or(TokenFault::Claim("tapis/delegation_sub", "is not user@tenant"))
        }
        Some(_) => Err(TokenFault::Claim("tapis/delegation", "is not a boolean")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: &Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn dates_are_numbers_within_four_digit_years() {
        let now = UnixTime(1000.5);
        let cases = [
            (json!({"exp": 1001}), 0.0, None),
            (json!({"exp": 1000.5}), 0.0, Some(TokenFault::Expired)),
            (json!({"exp": 1000.5}), 0.1, None),
            (json!({"exp": 253_402_300_799_u64}), 0.0, None),
            (json!({"exp": 253_402_300_800_u64}), 0.0, Some(TokenFault::Claim("exp", "is not a date"))),
            (json!({"exp": u64::MAX}), 0.0, Some(TokenFault::Claim("exp", "is not a date"))),
            (json!({"exp": -1}), 1e9, Some(TokenFault::Claim("exp", "is not a date"))),
            (json!({"exp": true}), 0.0, Some(TokenFault::Claim("exp", "is not a date"))),
            (json!({"exp": "1001"}), 0.0, Some(TokenFault::Claim("exp", "is not a date"))),
            (json!({}), 0.0, Some(TokenFault::Claim("exp", "is not a date"))),
            (json!({"exp": 2000, "nbf": 1000.5, "iat": 5}), 0.0, None),
            (json!({"exp": 2000, "nbf": 1001}), 0.0, Some(TokenFault::Claim("nbf", "is in the future"))),
            (json!({"exp": 2000, "nbf": 1001}), 1.0, None),
            (json!({"exp": 2000}), f64::NAN, Some(TokenFault::Expired)),
            (json!({"exp": 2000, "iat": null}), 0.0, Some(TokenFault::Claim("iat", "is not a date"))),
        ];
        for (payload, leeway, fault) in cases {
            let times = Times::check(&object(&payload), leeway, now);
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
            (None, &["me"], true),
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
            assert_eq!(check_audience(aud.as_ref(), &expected(names)).is_ok(), accepted, "{aud:?} {names:?}");
        }
    }

    #[test]
    fn the_issuer_is_compared_but_for_one_trailing_slash() {
        let issuer = |iss: Value| object(&json!({"iss": iss}));
        assert!(check_issuer(&issuer(json!("https://a/v3/tokens/")), Some("https://a/v3/tokens")).is_ok());
        assert!(check_issuer(&issuer(json!("https://a/v3/tokens//")), Some("https://a/v3/tokens")).is_err());
        assert!(check_issuer(&issuer(json!(5)), Some("https://a/v3/tokens")).is_err());
        assert!(check_issuer(&issuer(json!(5)), None).is_ok());
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
            let found = delegation(&object(&payload)).ok().map(|d| d.is_some());
            assert_eq!(found, delegated, "{payload}");
        }
    }

    #[test]
    fn the_subject_is_the_username_at_the_tenant() {
        let tenant = TenantId::new("tacc").unwrap();
        let payload = |name: &str, sub: &str| object(&json!({"tapis/username": name, "sub": sub}));
        assert!(username(&payload("a@b", "a@b@tacc"), &tenant).is_ok());
        for (name, sub) in [("alice", "alice@dev"), ("alice", "alice"), ("", "@tacc"), ("a\nb", "a\nb@tacc")]
        {
            assert!(username(&payload(name, sub), &tenant).is_err(), "{name} {sub}");
        }
    }
}
