//! The claims of a verified token.

use std::fmt;
use std::sync::Arc;

use http::HeaderValue;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::json::{self, JsonError, Member};
use crate::{SiteId, TenantId, Username};

/// Whether the subject of a token is a user or a Tapis service (claim `tapis/account_type`).
///
/// Rule A11 allows exactly these two, so a `match` needs no default arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AccountType {
    /// A person, or a program that acts for one.
    User,
    /// A Tapis service.
    Service,
}

impl fmt::Display for AccountType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::User => "user",
            Self::Service => "service",
        })
    }
}

/// The delegation of a token to another party (claims `tapis/delegation` and `tapis/delegation_sub`, rule A12).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delegation {
    /// The user the token was delegated to.
    pub username: Username,
    /// The tenant of that user.
    pub tenant_id: TenantId,
}

impl Delegation {
    /// A delegation to a user of a tenant.
    pub fn new(username: Username, tenant_id: TenantId) -> Self {
        Self { username, tenant_id }
    }
}

/// `username@tenant`, as in the claim.
impl fmt::Display for Delegation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.username, self.tenant_id)
    }
}

/// The claims of a verified access token (RFC 7519 section 4 and docs/PROTOCOL.md, section 2), parsed into types.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Claims {
    /// `tapis/tenant_id`: the tenant whose key signed the token.
    pub tenant_id: TenantId,
    /// `tapis/username`: the user the token was issued to. In a service token this is the *service*, not the user it
    /// acts for: see [`RequestContext::request_username`](crate::RequestContext::request_username).
    pub username: Username,
    /// `tapis/account_type`.
    pub account_type: AccountType,
    /// `tapis/delegation_sub` when `tapis/delegation` is true.
    pub delegation: Option<Delegation>,
    /// `tapis/target_site`: the site a service token may be used at.
    pub target_site: Option<SiteId>,
    /// The complete payload, as signed.
    pub all: Payload,
}

impl Claims {
    /// Claims without delegation and target site; set these fields if the token has them.
    pub fn new(tenant_id: TenantId, username: Username, account_type: AccountType, all: Payload) -> Self {
        Self { tenant_id, username, account_type, delegation: None, target_site: None, all }
    }
}

/// All claims of a token, stored as the signed text: few requests read them, and many tokens are cached.
///
/// ```
/// use tapisservice_core::Payload;
///
/// let payload = Payload::parse(br#"{"tapis/username": "alice"}"#, 8).unwrap();
/// assert_eq!(payload.members()["tapis/username"], "alice");
/// assert_eq!(serde_json::to_string(&payload).unwrap(), r#"{"tapis/username":"alice"}"#);
/// assert!(Payload::parse(b"[]", 8).is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload(Arc<str>);

impl Payload {
    /// Parses one JSON object by the rules of [`json::parse`].
    ///
    /// # Errors
    ///
    /// When `text` is not such an object.
    pub fn parse(text: &[u8], max_depth: usize) -> Result<Self, JsonError> {
        Self::read(text, max_depth, |_, _| {})
    }

    /// As [`parse`](Self::parse), and calls `each` with every member ([`json::members`]).
    ///
    /// # Errors
    ///
    /// When `text` is not such an object.
    pub fn read<'a>(
        text: &'a [u8],
        max_depth: usize,
        each: impl FnMut(&str, Member<'a>),
    ) -> Result<Self, JsonError> {
        let text = json::text_of(text)?;
        json::members_of(text, max_depth, each)?;
        Ok(Self(text.into()))
    }

    /// The members, parsed from the text on every call.
    pub fn members(&self) -> Map<String, Value> {
        serde_json::from_str(&self.0).unwrap_or_default()
    }

    /// The length of the text in bytes.
    pub fn size(&self) -> usize {
        self.0.len()
    }
}

/// Serializes the members in the order of the text, without building a map.
impl Serialize for Payload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serde_transcode::transcode(&mut serde_json::Deserializer::from_str(&self.0), serializer)
    }
}

/// An empty object.
impl Default for Payload {
    fn default() -> Self {
        Self("{}".into())
    }
}

/// A verified access token: its claims, and the compact JWS that carried them.
///
/// The raw token is a secret: the [`fmt::Debug`] output leaves it out.
///
/// ```
/// # use tapisservice_core::{AccessToken, AccountType, Claims, Payload, TenantId, Username};
/// # let (tenant, username) = (TenantId::new("tacc").unwrap(), Username::new("alice").unwrap());
/// # let claims = Claims::new(tenant, username, AccountType::User, Payload::default());
/// # let token = tapisservice_core::framework::access_token("eyJhbGciOi.eyJqdGkiOi.c2ln", claims);
/// assert!(!format!("{token:?}").contains("eyJ"));
/// assert_eq!(token.claims().username, "alice");
/// ```
#[derive(Clone)]
pub struct AccessToken {
    compact: Compact,
    claims: Arc<Claims>,
}

#[derive(Clone)]
enum Compact {
    Text(Arc<str>),
    /// Shares the buffer that the request was read into; a copy costs 4 % of a request with a known token.
    Header(HeaderValue),
}

impl AccessToken {
    /// A compact JWS with its verified claims.
    pub(crate) fn new(compact: impl Into<Arc<str>>, claims: impl Into<Arc<Claims>>) -> Self {
        Self { compact: Compact::Text(compact.into()), claims: claims.into() }
    }

    /// As [`new`](Self::new), but shares the header value instead of copying the JWS. White space around it is not part of it.
    pub(crate) fn from_header(compact: HeaderValue, claims: impl Into<Arc<Claims>>) -> Self {
        Self { compact: Compact::Header(compact), claims: claims.into() }
    }

    /// The verified claims.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// The verified claims, as a shared pointer. Cached tokens share theirs.
    pub fn shared_claims(&self) -> Arc<Claims> {
        self.claims.clone()
    }

    /// The raw token (`g.x_tapis_token` in Python). Never log it, and send it to Tapis services only.
    pub fn expose(&self) -> &str {
        match &self.compact {
            Compact::Text(text) => text,
            // A verified token is ASCII.
            Compact::Header(value) => std::str::from_utf8(value.as_bytes()).unwrap_or_default().trim_ascii(),
        }
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken").field("compact", &"***").field("claims", &self.claims).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_from_a_header_is_its_text_without_the_spaces_around_it() {
        let (tenant, username) = (TenantId::new("tacc").unwrap(), Username::new("alice").unwrap());
        let claims = Claims::new(tenant, username, AccountType::User, Payload::default());
        let token = AccessToken::from_header(HeaderValue::from_static(" eyJ.eyJ.c2ln\t"), claims.clone());
        assert_eq!(token.expose(), "eyJ.eyJ.c2ln");
        assert_eq!(token.expose(), AccessToken::new("eyJ.eyJ.c2ln", claims).expose());
        assert!(!format!("{token:?}").contains("eyJ"));
    }
}
