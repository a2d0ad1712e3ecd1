//! The header fields that identify the caller, and the user and tenant a request is for.
//!
//! `HeaderMap::get` gives the first of several lines; everything here looks at all of them, in one pass.

use std::fmt;
use std::sync::Arc;

use http::{HeaderMap, HeaderValue};
use tapisservice_core::framework::{self, SingleHeader};
use tapisservice_core::{AccessToken, Claims};
use tapisservice_tenants::Authority;

use crate::error::{AuthError, TokenError};

/// The maximum length of a token in bytes (rule A1).
const MAX_TOKEN_BYTES: usize = 16 * 1024;
/// The maximum length of an on-behalf-of value in characters (rule O3).
const MAX_VALUE_CHARS: usize = 255;

/// The value of `X-Tapis-Token`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenHeader<'a> {
    /// No such line: only in this case may an `authn` callback run (rule A20).
    Absent,
    /// An empty or blank line.
    Blank,
    /// A value that may be a token.
    Text(RawToken<'a>),
}

/// A value that is neither blank nor too long. Its characters are checked only if it does not parse: a token that parses, or
/// that is cached, has valid ones. Checking them first would cost 8 % of a request with a known token.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RawToken<'a> {
    /// The value, trimmed.
    text: &'a [u8],
    line: &'a HeaderValue,
}

impl<'a> RawToken<'a> {
    /// The value as sent, trimmed.
    pub(crate) fn as_bytes(self) -> &'a [u8] {
        self.text
    }

    /// The text, if it consists of base64url characters and dots (rule A1).
    ///
    /// # Errors
    ///
    /// [`TokenError::Characters`] when it has other characters.
    pub fn to_str(self) -> Result<&'a str, TokenError> {
        match std::str::from_utf8(self.text) {
            Ok(text) if self.is_token_like() => Ok(text),
            _ => Err(TokenError::Characters),
        }
    }

    /// The token with its verified claims.
    pub(crate) fn with_claims(self, claims: Arc<Claims>) -> AccessToken {
        framework::access_token_from_header(self.line.clone(), claims)
    }

    /// Whether it consists of base64url characters and dots. The loop has no early exit and no branch, so that it is vectorized.
    fn is_token_like(self) -> bool {
        let token_like = |b: u8| b.is_ascii_alphanumeric() | matches!(b, b'-' | b'_' | b'.');
        self.text.iter().fold(true, |all, b| all & token_like(*b))
    }
}

/// A token is a secret: it is not printed.
impl fmt::Debug for RawToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The identity headers of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityHeaders<'a> {
    pub(crate) token: TokenHeader<'a>,
    tenant: SingleHeader<'a>,
    user: SingleHeader<'a>,
    /// The authority of the Host; `None` when it is missing or invalid.
    pub(crate) host: Option<Authority<'a>>,
}

impl<'a> IdentityHeaders<'a> {
    /// Reads the identity headers. `trust_forwarded_host`: whether `X-Forwarded-Host` replaces Host (rule H6).
    ///
    /// # Errors
    ///
    /// Two token or two Host lines, and a token that is too long (rules A1 and H2).
    pub fn read(headers: &'a HeaderMap, trust_forwarded_host: bool) -> Result<Self, AuthError> {
        let [mut host, mut forwarded_host, mut token_line, mut tenant, mut user] = [SingleHeader::Absent; 5];
        // One pass over all lines: looking up each name costs 6 % of a request with a known token.
        for (name, value) in headers {
            match name.as_str() {
                "host" => host.add(value),
                "x-forwarded-host" if trust_forwarded_host => forwarded_host.add(value),
                "x-tapis-token" => token_line.add(value),
                "x-tapis-tenant" => tenant.add(value),
                "x-tapis-user" => user.add(value),
                _ => {}
            }
        }
        let host = authority(host, forwarded_host)?;
        let token = read_token(token_line)?;
        Ok(Self { token, tenant, user, host })
    }

    /// The value of `X-Tapis-Token`.
    pub fn token(&self) -> TokenHeader<'a> {
        self.token
    }

    /// Whether there is any on-behalf-of header, even an empty one (rule O1).
    pub(crate) fn has_on_behalf_of(&self) -> bool {
        self.tenant != SingleHeader::Absent || self.user != SingleHeader::Absent
    }

    /// What stands in the only `X-Tapis-Tenant` line, if it can be a name (rule O3).
    pub(crate) fn tenant_name(&self) -> Option<&'a str> {
        name(self.tenant)
    }

    /// What stands in the only `X-Tapis-User` line, if it can be a name (rule O3).
    pub(crate) fn user_name(&self) -> Option<&'a str> {
        name(self.user)
    }
}

/// The one value or none, of a header that says the host.
fn one_host(header: SingleHeader<'_>) -> Result<Option<&HeaderValue>, AuthError> {
    match header {
        SingleHeader::Absent => Ok(None),
        SingleHeader::One(value) => Ok(Some(value)),
        SingleHeader::Several => Err(AuthError::MultipleHosts),
    }
}

/// The one value, if it can be a name (rule O3): UTF-8, spaces inside allowed, no control characters or commas.
fn name(header: SingleHeader<'_>) -> Option<&str> {
    let SingleHeader::One(value) = header else { return None };
    let text = std::str::from_utf8(value.as_bytes()).ok()?.trim_matches([' ', '\t']);
    let good = !text.is_empty()
        && text.chars().count() <= MAX_VALUE_CHARS
        && !text.chars().any(|c| c.is_control() || c == ',');
    good.then_some(text)
}

/// The authority that the request is for; `None` when it is missing or invalid. Reads no other header.
///
/// # Errors
///
/// Two Host lines (rule H2).
pub(crate) fn host(
    headers: &HeaderMap,
    trust_forwarded_host: bool,
) -> Result<Option<Authority<'_>>, AuthError> {
    let lines = |name| {
        let mut lines = SingleHeader::Absent;
        headers.get_all(name).iter().for_each(|value| lines.add(value));
        lines
    };
    let forwarded_host = if trust_forwarded_host { lines("x-forwarded-host") } else { SingleHeader::Absent };
    authority(lines("host"), forwarded_host)
}

fn authority<'a>(
    host: SingleHeader<'a>,
    forwarded_host: SingleHeader<'a>,
) -> Result<Option<Authority<'a>>, AuthError> {
    let host = one_host(host)?;
    let host = one_host(forwarded_host)?.or(host);
    Ok(host.and_then(|value| Authority::parse(value.to_str().ok()?.trim()).ok()))
}

fn read_token(line: SingleHeader<'_>) -> Result<TokenHeader<'_>, AuthError> {
    let line = match line {
        SingleHeader::Absent => return Ok(TokenHeader::Absent),
        SingleHeader::Several => return Err(AuthError::MultipleTokens),
        SingleHeader::One(line) => line,
    };
    let text = line.as_bytes().trim_ascii();
    if text.is_empty() {
        return Ok(TokenHeader::Blank);
    }
    if text.len() > MAX_TOKEN_BYTES {
        return Err(TokenError::TooLong.into());
    }
    Ok(TokenHeader::Text(RawToken { text, line }))
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;

    fn headers(lines: &[(&'static str, &[u8])]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &[u8])| {
            (HeaderName::from_static(name), HeaderValue::from_bytes(value).unwrap())
        };
        let mut map = HeaderMap::new();
        for (name, value) in lines.iter().map(pair) {
            map.append(name, value);
        }
        map
    }

    #[test]
    fn a_token_is_one_line_of_token_characters() {
        type Case<'a> = (&'a [&'a [u8]], Result<Option<&'a [u8]>, AuthError>);
        let long = vec![b'a'; MAX_TOKEN_BYTES + 1];
        let cases: &[Case<'_>] = &[
            (&[], Ok(None)),
            (&[b""], Ok(Some(b""))),
            (&[b" \t"], Ok(Some(b""))),
            (&[b"a.b.c "], Ok(Some(b"a.b.c"))),
            (&[b"a", b"b"], Err(AuthError::MultipleTokens)),
            (&[b"", b""], Err(AuthError::MultipleTokens)),
            (&[b"Bearer a.b.c"], Err(TokenError::Characters.into())),
            (&[b"a.b.c="], Err(TokenError::Characters.into())),
            (&[b"\xe9"], Err(TokenError::Characters.into())),
            (&[&long[1..]], Ok(Some(&long[1..]))),
            (&[&long], Err(TokenError::TooLong.into())),
        ];
        for (values, expected) in cases {
            let lines: Vec<_> = values.iter().map(|v| ("x-tapis-token", *v)).collect();
            let map = headers(&lines);
            let checked = |header| match header {
                TokenHeader::Absent => Ok(None),
                TokenHeader::Blank => Ok(Some(&b""[..])),
                TokenHeader::Text(text) => Ok(Some(text.to_str()?.as_bytes())),
            };
            let read = IdentityHeaders::read(&map, false).and_then(|h| checked(h.token));
            assert_eq!(read, *expected, "{values:?}");
        }
    }

    #[test]
    fn an_on_behalf_of_value_is_one_readable_name() {
        let long = "ü".repeat(255);
        let cases: &[(&[u8], Option<&str>)] = &[
            (b"bob", Some("bob")),
            (b"  bob smith ", Some("bob smith")),
            ("jos\u{e9}".as_bytes(), Some("jos\u{e9}")),
            (b"jos\xe9", None),
            (b"", None),
            (b"a,b", None),
            (b"a\tb", None),
            ("a\u{85}b".as_bytes(), None),
            (long.as_bytes(), Some(&long)),
        ];
        for (value, expected) in cases {
            let map = headers(&[("x-tapis-user", value)]);
            assert_eq!(IdentityHeaders::read(&map, false).unwrap().user_name(), *expected, "{value:?}");
        }
        let map = headers(&[("x-tapis-user", format!("{long}u").as_bytes())]);
        assert_eq!(IdentityHeaders::read(&map, false).unwrap().user_name(), None);
    }

    #[test]
    fn a_forwarded_host_counts_only_where_it_is_trusted() {
        let map = headers(&[("host", b"a.test"), ("x-forwarded-host", b"b.test")]);
        let host = |trust| IdentityHeaders::read(&map, trust).unwrap().host.unwrap().to_string();
        assert_eq!((host(false), host(true)), ("a.test".to_owned(), "b.test".to_owned()));
        let two = headers(&[("host", b"a.test"), ("host", b"a.test")]);
        assert_eq!(IdentityHeaders::read(&two, false), Err(AuthError::MultipleHosts));
    }
}
