//! The claims of a token before verification.

use std::borrow::Cow;

use serde_json::Value;
use tapisservice_core::json::Member;
use tapisservice_core::{AccountType, Delegation, SiteId, TenantId, Username};

use crate::UnixTime;

/// 9999-12-31T23:59:59Z: later dates are rejected (rule A7).
const LAST_SECOND: f64 = 253_402_300_799.0;

/// The claims that the rules use, parsed; those that do not parse are absent.
///
/// They are gathered in one pass (rule A4) over an unverified payload.
#[derive(Default)]
pub(crate) struct UnverifiedClaims<'a> {
    pub(super) exp: Option<UnixTime>,
    pub(super) nbf: Beginning,
    pub(super) iat: Beginning,
    pub(super) iss: Option<Cow<'a, str>>,
    pub(super) aud: Option<Value>,
    pub(super) sub: Option<Cow<'a, str>>,
    tenant_id: Option<Cow<'a, str>>,
    pub(super) is_access: bool,
    pub(super) account_type: Option<AccountType>,
    pub(super) username: Option<Username>,
    pub(super) delegation: Delegated,
    pub(super) delegation_sub: Option<Delegation>,
    pub(super) target_site: Option<SiteId>,
}

/// A claim that sets the start of the validity period.
#[derive(Debug, Clone, Copy, Default)]
pub(super) enum Beginning {
    #[default]
    Absent,
    Date(UnixTime),
    NoDate,
}

/// The value of `tapis/delegation`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Delegated {
    #[default]
    No,
    Yes,
    Neither,
}

impl<'a> UnverifiedClaims<'a> {
    /// Sets the claim of one member of the payload.
    pub(crate) fn set(&mut self, name: &str, value: Member<'a>) {
        let text = value.as_str();
        match name {
            "exp" => self.exp = date(&value),
            "nbf" => self.nbf = Beginning::of(&value),
            "iat" => self.iat = Beginning::of(&value),
            "iss" => self.iss = value.into_text(),
            "aud" => self.aud = Some(value.into_value()),
            "sub" => self.sub = value.into_text(),
            "tapis/tenant_id" => self.tenant_id = value.into_text(),
            "tapis/token_type" => self.is_access = text == Some("access"),
            "tapis/account_type" => self.account_type = text.and_then(account_type),
            "tapis/username" => self.username = text.and_then(|name| Username::new(name).ok()),
            "tapis/delegation" => self.delegation = Delegated::of(&value),
            "tapis/delegation_sub" => self.delegation_sub = text.and_then(party),
            "tapis/target_site" => self.target_site = text.and_then(|site| SiteId::new(site).ok()),
            _ => {}
        }
    }

    /// The tenant whose key is to verify the token (rule A5).
    pub(crate) fn tenant_id(&self) -> Option<&str> {
        self.tenant_id.as_deref()
    }
}

fn date(value: &Member<'_>) -> Option<UnixTime> {
    let Member::Other(Value::Number(number)) = value else { return None };
    let seconds = number.as_f64()?;
    (0.0..=LAST_SECOND).contains(&seconds).then_some(UnixTime(seconds))
}

impl Beginning {
    fn of(value: &Member<'_>) -> Self {
        date(value).map_or(Self::NoDate, Self::Date)
    }
}

impl Delegated {
    fn of(value: &Member<'_>) -> Self {
        match value {
            Member::Other(Value::Bool(true)) => Self::Yes,
            Member::Other(Value::Bool(false)) => Self::No,
            _ => Self::Neither,
        }
    }
}

fn account_type(text: &str) -> Option<AccountType> {
    match text {
        "user" => Some(AccountType::User),
        "service" => Some(AccountType::Service),
        _ => None,
    }
}

/// `user@tenant`. A username may contain an `@`, a tenant id does not.
fn party(text: &str) -> Option<Delegation> {
    let (username, tenant_id) = text.rsplit_once('@')?;
    Some(Delegation::new(Username::new(username).ok()?, TenantId::new(tenant_id).ok()?))
}
