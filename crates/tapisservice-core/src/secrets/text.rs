//! Things that give themselves away by their shape.

use std::borrow::Cow;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use regex::{Captures, Regex};

use super::names::{ENDINGS, KEY_KINDS, LAST_WORDS, Naming, STEMS, naming};
use super::shapes::{self, Shapes, hides};

/// A text without any of these, and without a word of a secret's name, needs no closer look. Most texts have
/// none.
const TRIGGERS: [&str; 5] = ["eyJ", "basic", "bearer", "key", "://"];

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

#[expect(clippy::expect_used, reason = "the patterns are constants and a test compiles each of them")]
static MATCHERS: LazyLock<Matchers> = LazyLock::new(|| Matchers::new().expect("constant patterns compile"));

struct Matchers {
    triggers: AhoCorasick,
    private_key: Regex,
    jws: Regex,
    url_password: Regex,
    url_password_with_slash: Regex,
    url_token: Regex,
    scheme: Regex,
    scheme_alone: Regex,
    quoted: Regex,
    assigned: Regex,
    header: Regex,
    shapes: Shapes,
}

/// Masks tokens, credentials, private keys and whatever is assigned to a name that says secret.
pub fn mask(text: &str) -> Cow<'_, str> {
    let m = &*MATCHERS;
    if !m.triggers.is_match(text) {
        return Cow::Borrowed(text);
    }
    let text = replace(text.into(), |t| m.private_key.replace_all(t, "***"));
    let text = replace(text, |t| m.jws.replace_all(t, "***"));
    let text = replace(text, |t| m.url_password.replace_all(t, "${1}***@"));
    let text = replace(text, |t| m.url_password_with_slash.replace_all(t, unless_port));
    let text = replace(text, |t| m.url_token.replace_all(t, "${1}***@"));
    let text = m.shapes.mask(text);
    let text = replace(text, |t| m.scheme.replace_all(t, credential));
    let text = replace(text, |t| m.scheme_alone.replace_all(t, credential_alone));
    let text = replace(text, |t| quoted(m, t));
    let text = replace(text, |t| m.assigned.replace_all(t, assigned));
    replace(text, |t| m.header.replace_all(t, header))
}

/// Whether a text holds a credential: what [`mask`] would change, and what only begins to look like one. For values that are
/// hidden as a whole, where hiding too much costs little.
pub fn looks_secret(text: &str) -> bool {
    let has_user = text.split_once("://").is_some_and(|(_, rest)| rest.contains('@'));
    let is_jwt = text.starts_with("eyJ") && text.matches('.').count() == 2;
    let is_assigned = text.to_ascii_lowercase().contains("password=") || text.contains("PRIVATE KEY-----");
    has_user || is_jwt || is_assigned || mask(text) != text
}

pub(super) fn replace(text: Cow<'_, str>, change: impl Fn(&str) -> Cow<'_, str>) -> Cow<'_, str> {
    match change(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(changed) => Cow::Owned(changed),
    }
}

/// `host:8080/a@b` has a port and a path, not a password.
fn unless_port(found: &Captures<'_>) -> String {
    let first = found[2].split('/').next().unwrap_or_default();
    if !first.is_empty() && first.bytes().all(|b| b.is_ascii_digit()) {
        return found[0].to_owned();
    }
    format!("{}***@", &found[1])
}

/// Prose has "Basic authentication" too: without the header's name in front, the rest must look like one.
fn credential(found: &Captures<'_>) -> String {
    let (header, scheme, value) = (&found[1], &found[2], &found[3]);
    if header.is_empty() && !looks_random(value) && !(is_basic(scheme) && holds_user(value)) {
        return found[0].to_owned();
    }
    format!("{header}{scheme} ***")
}

/// A text of two words is a credential after "Bearer", whatever the second; after "Basic" it may be "Basic english".
fn credential_alone(found: &Captures<'_>) -> String {
    let (before, scheme, value) = (&found[1], &found[2], &found[3]);
    if is_basic(scheme) && !looks_random(value) && !holds_user(value) {
        return found[0].to_owned();
    }
    format!("{before}***")
}

fn is_basic(scheme: &str) -> bool {
    scheme.eq_ignore_ascii_case("basic")
}

/// What Basic sends is `user:password` in base64 (RFC 7617 section 2).
fn holds_user(value: &str) -> bool {
    BASE64.decode(value).is_ok_and(|bytes| bytes.contains(&b':'))
}

fn looks_random(value: &str) -> bool {
    value.len() >= 16
        || value.bytes().any(|b| b.is_ascii_digit() || b == b'=')
        || value.bytes().skip(1).any(|b| b.is_ascii_uppercase())
}

/// What stands in quotes behind a name; where the name is harmless, the text in the quotes may have more.
fn quoted<'t>(m: &Matchers, text: &'t str) -> Cow<'t, str> {
    m.quoted.replace_all(text, |found: &Captures<'_>| {
        let before = &found[1];
        if name(before).hides_text() {
            let quote = (2..=5).find_map(|group| found.get(group)).map_or("", |quote| quote.as_str());
            return format!("{before}{quote}***{quote}");
        }
        format!("{before}{}", quoted(m, &found[0][before.len()..]))
    })
}

/// After `=` always. What only leads up to a quoted value stays: that value is masked by then.
fn assigned(found: &Captures<'_>) -> String {
    let value = &found[0][found[1].len()..];
    let compares = found[1].contains([' ', '\t']) && value.starts_with(['=', '>']);
    if compares || value.ends_with('(') || value.chars().all(|c| c == '\\') || !hides(name(&found[1]), value)
    {
        return found[0].to_owned();
    }
    format!("{}***", &found[1])
}

/// After `:` only where prose is unlikely ("refused token: expired").
fn header(found: &Captures<'_>) -> String {
    const ALONE: [&str; 6] = ["cookie", "dbpass", "passcode", "passphrase", "passw", "pwd"];
    let lower = found[1].to_ascii_lowercase();
    let is_compound = lower.contains(['-', '_']);
    let value = &found[0][found[1].len()..];
    let names_scheme = ["basic", "bearer"].iter().any(|scheme| value.eq_ignore_ascii_case(scheme));
    if names_scheme || (lower.contains("authorization") && shapes::is_scheme(value)) {
        // Its credential is masked by then.
        return found[0].to_owned();
    }
    if is_compound || ALONE.iter().any(|word| lower.contains(word)) {
        return assigned(found);
    }
    found[0].to_owned()
}

/// What the name at the beginning says.
fn name(before: &str) -> Naming {
    let end = before.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-')));
    naming(&before[..end.unwrap_or(before.len())])
}

impl Matchers {
    fn new() -> Result<Self, Box<dyn std::error::Error>> {
        let words: Vec<_> = STEMS.iter().chain(&ENDINGS).chain(&LAST_WORDS).copied().collect();
        let (words, kinds) = (words.join("|"), KEY_KINDS.join("|"));
        let name = format!(r"[A-Za-z0-9_.-]*(?i-u:{words}|(?:{kinds})[_.-]?keys?)[A-Za-z0-9_.-]*");
        let before = format!(r#"({name}\\*["']?[ \t]*[:=][ \t]*(?:[A-Za-z]+\()*)"#);
        Ok(Self {
            triggers: AhoCorasick::builder().ascii_case_insensitive(true).build(
                TRIGGERS.iter().chain(&STEMS).chain(&ENDINGS).chain(&LAST_WORDS).chain(&shapes::TRIGGERS),
            )?,
            private_key: Regex::new(
                r"(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|$)",
            )?,
            // JWS and JWE in compact form (RFC 7515, RFC 7516), also when cut short.
            jws: Regex::new(r"eyJ[A-Za-z0-9_-]{8,}(?:(?:\.[A-Za-z0-9_-]*){2,4}|\.eyJ[A-Za-z0-9_-]{8,})")?,
            url_password: Regex::new(r#"(://[^ \t\r\n/:@"'<>]*:)[^ \t\r\n/"'<>]+@"#)?,
            url_password_with_slash: Regex::new(
                r#"(://[^ \t\r\n/:@"'<>]*:)([^ \t\r\n"'<>@]*/[^ \t\r\n"'<>]*)@"#,
            )?,
            // The user of an HTTP URL is often a token; a password is masked by then.
            url_token: Regex::new(r#"((?i-u:https?)://)[^ \t\r\n/:@"'<>?#*]+@"#)?,
            scheme: Regex::new(
                r#"((?:(?i-u:authorization)\\*["']?[ \t]*[:=]?[ \t]*\\*["']?)?)(?-u:\b)((?i-u:basic|bearer))[ \t\r\n]+([A-Za-z0-9+/=._~-]+)"#,
            )?,
            scheme_alone: Regex::new(r"^([ \t]*((?i-u:basic|bearer))[ \t\r\n]+)([^ \t\r\n]+)[ \t\r\n]*$")?,
            // In double quotes, single ones, quotes escaped once and more often; the closing one may be cut off.
            quoted: Regex::new(
                &[
                    &format!("(?s){before}(?:"),
                    r#"(")(?:\\.|[^"\\])*"?"#,
                    r"|(')[^']*'?",
                    r#"|(\\")(?:\\\\(?:\\.|[^"\\])|[^"\\])*(?:\\")?"#,
                    r#"|(\\{2,}").*?(?:\\{2,}"|$))"#,
                ]
                .concat(),
            )?,
            assigned: Regex::new(&format!(r#"({name}[ \t]*=[ \t]*)[^ \t\r\n"',;&)}}\]]+"#))?,
            header: Regex::new(&format!(r#"({name}:[ \t]*)[^ \t\r\n"',;&)}}\]]+"#))?,
            shapes: Shapes::new(&name)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JWS: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhQHRhY2MifQ.c2lnbmF0dXJl-_";

    #[test]
    fn secrets_are_masked_by_their_shape() {
        let cases = [
            (JWS.to_owned(), "***"),
            (format!("got {JWS}, refused"), "got ***, refused"),
            (format!("cut {}", &JWS[..40]), "cut ***"),
            ("a JWE eyJhbGciOiJkaXIifQ..aXY.Y2lwaGVy.dGFn end".into(), "a JWE *** end"),
            ("Authorization: Bearer abc".into(), "Authorization: Bearer ***"),
            ("authorization: Basic YTpi".into(), "authorization: Basic ***"),
            ("sent Basic YTpiYw== and failed".into(), "sent Basic *** and failed"),
            ("bearer 0123456789abcdef".into(), "bearer ***"),
            ("postgres://alice:hunter2@db:5432/x".into(), "postgres://alice:***@db:5432/x"),
            ("redis://:hunter2@h".into(), "redis://:***@h"),
            ("postgres://a:p@ss@db/x".into(), "postgres://a:***@db/x"),
            ("postgres://a:p/ss@db/x".into(), "postgres://a:***@db/x"),
            ("https://h/?access_token=abc&x=1".into(), "https://h/?access_token=***&x=1"),
            ("password=hunter2, user=a".into(), "password=***, user=a"),
            ("DB_PASSWORD: hunter2".into(), "DB_PASSWORD: ***"),
            ("X-Tapis-Token: abc".into(), "X-Tapis-Token: ***"),
            ("Bearer abc".into(), "Bearer ***"),
            ("Basic YTpi".into(), "Basic ***"),
            // `a:` and `jj:jjj`: short, and no digit or sign in them.
            ("Basic ajpq".into(), "Basic ***"),
            ("Proxy-Authorization: Basic YTpi".into(), "Proxy-Authorization: Basic ***"),
            ("PGPASSWORD=hunter2 psql".into(), "PGPASSWORD=*** psql"),
            ("Server=h;Uid=a;Pwd=hunter2;".into(), "Server=h;Uid=a;Pwd=***;"),
            ("AccountName=a;AccountKey=abc==;Suffix=x".into(), "AccountName=a;AccountKey=***;Suffix=x"),
            ("https://h/p?token=abc&x=1".into(), "https://h/p?token=***&x=1"),
            ("https://h/p?x=1&api_key=abc".into(), "https://h/p?x=1&api_key=***"),
            ("https://abcdef@h/p".into(), "https://***@h/p"),
            ("client-key-data: LS0tLS1".into(), "client-key-data: ***"),
            ("dbpass=hunter2 dbpassword=hunter2".into(), "dbpass=*** dbpassword=***"),
            (r#"{"ssh_private": "abc", "otp": "123456"}"#.into(), r#"{"ssh_private": "***", "otp": "***"}"#),
            (r#"mapping: "its password=hunter2 here""#.into(), r#"mapping: "its password=*** here""#),
            (r#"C { service_password: "hun\"ter2", n: 1 }"#.into(), r#"C { service_password: "***", n: 1 }"#),
            (r#"C { password: Some("hunter2") }"#.into(), r#"C { password: Some("***") }"#),
            (r#"{"accessToken":"abc","n":1}"#.into(), r#"{"accessToken":"***","n":1}"#),
            (r#""{\"secret\":\"abc\"}""#.into(), r#""{\"secret\":\"***\"}""#),
            (
                r#"C { password=Some("hunter2"), token=Some(7) }"#.into(),
                r#"C { password=Some("***"), token=***) }"#,
            ),
            (format!("{:?}", r#"{ password: "a\"b\\c", n: 1 }"#), r#""{ password: \"***\", n: 1 }""#),
            (r#"{ token: \\\"abc\\\", n }"#.into(), r#"{ token: \\\"***\\\", n }"#),
            ("{'token': 'abc'}".into(), "{'token': '***'}"),
            (r#"{"x-tapis-token": "abc"}"#.into(), r#"{"x-tapis-token": "***"}"#),
            ("k -----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY----- e".into(), "k *** e"),
            ("-----BEGIN PRIVATE KEY-----\nMII".into(), "***"),
            ("-----BEGIN PGP PRIVATE KEY BLOCK-----\nMII".into(), "***"),
            (
                "k -----BEGIN PGP PRIVATE KEY BLOCK-----\nMII\n-----END PGP PRIVATE KEY BLOCK----- e".into(),
                "k *** e",
            ),
            ("host=h user=u password = X dbname=d".into(), "host=h user=u password = *** dbname=d"),
            ("PASSWORD = X".into(), "PASSWORD = ***"),
            ("Server=h;Password =X;".into(), "Server=h;Password =***;"),
            ("Server=h;Pwd = X".into(), "Server=h;Pwd = ***"),
            ("client_secret = x".into(), "client_secret = ***"),
            ("secret: x".into(), "secret: ***"),
            ("user: a\ntoken: x\nport: 1".into(), "user: a\ntoken: ***\nport: 1"),
        ];
        for (text, expected) in cases {
            assert_eq!(mask(&text), expected, "{text}");
            assert_eq!(mask(expected), expected, "masking twice changes nothing");
        }
    }

    #[test]
    fn ordinary_text_stays_as_it_is() {
        for text in [
            "refused token: expired since 12 s",
            "Basic authentication required",
            "bearer token missing",
            "http://host:8080/v3/bookmarks",
            "http://host:8080/mail/alice@example.org",
            "mail alice@example.org about http://host",
            "the password was wrong",
            "service_token_ttl_seconds=86400 max_token_bytes: 4096",
            "compass=north monkey: banana",
            "postgres://alice@db/x",
            "git://github.com/a@v1",
            "eyJ is how tokens begin",
            "Basic english",
            "Basic Settings",
            "token == other, token => x",
            "",
        ] {
            assert_eq!(mask(text), text);
        }
    }
}
