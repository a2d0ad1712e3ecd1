//! Hosts and ports, compared by equality and never by substring (rule H2).

use std::borrow::Cow;
use std::fmt;

use url::{Host, Url};

/// The maximum length of a host in bytes: names have at most 253 (RFC 1035 section 2.3.4), so a longer one matches nothing.
const MAX_HOST_BYTES: usize = 255;
/// A colon and five digits.
const MAX_PORT_BYTES: usize = 6;

/// The host and port a request was sent to, normalized for comparison.
///
/// ```
/// use tapisservice_tenants::Authority;
///
/// let authority: Authority = "TACC.tapis.test:443".parse().unwrap();
/// assert_eq!((authority.host(), authority.port()), ("tacc.tapis.test", Some(443)));
/// assert!("localhost:x@evil.example".parse::<Authority>().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Authority<'a> {
    host: Cow<'a, str>,
    port: Option<u16>,
}

/// The text is not `host` or `host:port`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a host, or a host and a port")]
pub struct InvalidAuthority;

impl<'a> Authority<'a> {
    /// Parses the value of a Host field (RFC 9110 section 7.2). A value that is already normalized is not copied.
    ///
    /// # Errors
    ///
    /// When it is not a host, or a host and a port, or the host is longer than 255 bytes.
    pub fn parse(text: &'a str) -> Result<Self, InvalidAuthority> {
        if text.len() > MAX_HOST_BYTES {
            return Self::parse_long(text);
        }
        Self::parse_bounded(text)
    }

    /// A host of the maximum length may still have a port after it.
    #[cold]
    fn parse_long(text: &'a str) -> Result<Self, InvalidAuthority> {
        let parsed = if text.len() > MAX_HOST_BYTES + MAX_PORT_BYTES {
            Err(InvalidAuthority)
        } else {
            Self::parse_bounded(text)
        };
        parsed.and_then(|all| if all.host.len() > MAX_HOST_BYTES { Err(InvalidAuthority) } else { Ok(all) })
    }

    fn parse_bounded(text: &'a str) -> Result<Self, InvalidAuthority> {
        // Most values are a normalized name without a port.
        let plain = |b: u8| b.is_ascii_lowercase() | b.is_ascii_digit() | matches!(b, b'-' | b'.' | b'_');
        if !text.is_empty() && text.bytes().fold(true, |all, b| all & plain(b)) {
            return Ok(Self { host: Cow::Borrowed(text), port: None });
        }
        let (host, port) = match text.rfind(':').filter(|i| !text[*i..].contains(']')) {
            Some(colon) => (&text[..colon], &text[colon + 1..]),
            None => (text, ""),
        };
        let port = match port {
            "" => None,
            digits if digits.bytes().all(|b| b.is_ascii_digit()) => {
                Some(digits.parse().map_err(|_| InvalidAuthority)?)
            }
            _ => return Err(InvalidAuthority),
        };
        Ok(Self { host: normal_host(host)?, port })
    }

    /// The same, owned.
    pub fn into_owned(self) -> Authority<'static> {
        Authority { host: Cow::Owned(self.host.into_owned()), port: self.port }
    }

    /// The host in lower case; an IPv6 address is in brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, if there is one.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// The authority of an absolute `http` or `https` URL, and the default port of its scheme. The default port
    /// is dropped. `None` if the host is too long.
    pub(crate) fn of_url(url: &Url) -> Option<(Authority<'static>, u16)> {
        let default = match url.scheme() {
            "https" => 443,
            "http" => 80,
            _ => return None,
        };
        let host = url.host()?.to_string().to_ascii_lowercase();
        if host.is_empty() || host.len() > MAX_HOST_BYTES {
            return None;
        }
        let host = Cow::Owned(host);
        Some((Authority { host, port: url.port().filter(|p| *p != default) }, default))
    }

    /// The same without its port.
    pub(crate) fn without_port(&self) -> Authority<'_> {
        Authority { host: Cow::Borrowed(&self.host), port: None }
    }
}

impl std::str::FromStr for Authority<'static> {
    type Err = InvalidAuthority;

    /// As [`Authority::parse`].
    fn from_str(text: &str) -> Result<Self, InvalidAuthority> {
        Authority::parse(text).map(Authority::into_owned)
    }
}

impl fmt::Display for Authority<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => write!(f, "{}:{port}", self.host),
            None => f.write_str(&self.host),
        }
    }
}

fn normal_host(host: &str) -> Result<Cow<'_, str>, InvalidAuthority> {
    let name_like = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    if host.starts_with('[') {
        let parsed = Host::parse(host).map_err(|_| InvalidAuthority)?;
        Ok(Cow::Owned(parsed.to_string()))
    } else if host.is_empty() || !host.bytes().all(name_like) {
        Err(InvalidAuthority)
    } else if host.bytes().any(|b| b.is_ascii_uppercase()) {
        Ok(Cow::Owned(host.to_ascii_lowercase()))
    } else {
        Ok(Cow::Borrowed(host))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_field_is_a_host_and_perhaps_a_port() {
        let good = [
            ("Tacc.Tapis.Test", "tacc.tapis.test"),
            ("localhost:", "localhost"),
            ("localhost:5000", "localhost:5000"),
            ("[::1]:5000", "[::1]:5000"),
            ("[0:0:0:0:0:0:0:1]", "[::1]"),
            ("tacc.tapis.test.", "tacc.tapis.test."),
        ];
        for (text, spelled) in good {
            assert_eq!(text.parse::<Authority>().unwrap().to_string(), spelled);
        }
        let bad = [
            "",
            ":80",
            "a:b",
            "a:99999",
            "a:-1",
            "a:+1",
            "::1",
            "a b",
            "a/b",
            "a?b",
            "a#b",
            "u@a",
            "localhost:x@evil.example",
            "https://tacc.tapis.test",
            "[::1",
            "[::1]x",
            "tacc.tapis.test,dev.tapis.test",
            "é",
        ];
        for text in bad {
            assert!(text.parse::<Authority>().is_err(), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn parsing_never_panics_and_what_it_accepts_is_stable(text in ".{0,40}") {
            if let Ok(authority) = text.parse::<Authority>() {
                let again: Authority = authority.to_string().parse().unwrap();
                proptest::prop_assert_eq!(again, authority);
            }
        }
    }
}
