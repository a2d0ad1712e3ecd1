//! Credentials of particular shapes: URLs and their parameters, flags of commands, known kinds of keys.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use regex::{Captures, Regex};

use super::MASK;
use super::names::{JWK_MEMBERS, JWK_TYPE, Naming, naming, parameter};
use super::text::replace;

/// What makes a text worth a closer look for these shapes, beside the words of secrets' names.
pub(super) const TRIGGERS: [&str; 24] = [
    "@",
    "%4",
    "%5",
    "%6",
    "%7",
    "code=",
    "sessionid=",
    "sessid=",
    "session_id=",
    "sid=",
    "sig=",
    "signature=",
    JWK_TYPE,
    "aiza",
    "akia",
    "asia",
    "ghp_",
    "gho_",
    "ghs_",
    "ghu_",
    "github_pat_",
    "glpat-",
    "hooks.slack.com",
    "xox",
];

/// Schemes of the Authorization header beside Basic and Bearer: those IANA has registered, and common ones.
const SCHEMES: &str = "api-?key|aws4-hmac-sha256|bot|concealed|digest|dpop|gnap|hawk|hoba|mutual|negotiate|ntlm|oauth|\
    privatetoken|scram-sha-1|scram-sha-256|sharedaccesssignature|sharedkey|sharedkeylite|signature|splunk|sso-key|\
    ssws|token|vapid";

/// Whether the word is one of a scheme.
pub(super) fn is_scheme(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    word == "apikey" || SCHEMES.split('|').any(|scheme| scheme.replace('?', "") == word)
}

/// Words that follow a flag in a sentence about it ("--token is missing").
const PROSE: [&str; 14] =
    ["and", "are", "for", "has", "in", "is", "must", "needs", "not", "or", "the", "to", "was", "with"];

/// The patterns.
pub(super) struct Shapes {
    known: Regex,
    webhook: Regex,
    user: Regex,
    parameter: Regex,
    authorization: Regex,
    flag: Regex,
    line: Regex,
    jwk: Regex,
}

impl Shapes {
    /// Compiles the patterns; `name` is one of what may be a secret's name.
    pub(super) fn new(name: &str) -> Result<Self, regex::Error> {
        let members = JWK_MEMBERS.join("|");
        Ok(Self {
            // GitHub, GitLab, Slack, AWS, Google.
            known: Regex::new(concat!(
                r"(?-u:\b)(?:gh[opsu]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{16,}|glpat-[A-Za-z0-9_-]{16,}",
                r"|xox[a-z]-[A-Za-z0-9-]{10,}|(?:AKIA|ASIA)[A-Z0-9]{16}(?-u:\b)|AIza[A-Za-z0-9_-]{30,})",
            ))?,
            webhook: Regex::new(r#"(hooks\.slack\.com/(?:services|triggers|workflows)/)[^ \t\r\n"'<>]+"#)?,
            // `//user:password@host`, and `user:password@host` before a port, a path or a `tcp(` of Go's MySQL.
            user: Regex::new(concat!(
                r#"((?:^|[ \t\r\n"'=(\[<,;])(?://[^ \t\r\n/:@"'<>]*|[A-Za-z0-9_.%+~-]+):)"#,
                r#"([^ \t\r\n/"'<>]+)@(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]*)(:[0-9]{1,5}(?-u:\b)|/|\(|)"#,
            ))?,
            parameter: Regex::new(concat!(
                r"((?:^|[?&#]|SharedAccessSignature[ \t]+)(?:amp;)?)([A-Za-z0-9_.~%+\[\]-]{1,64})=",
                r#"([^ \t\r\n"'<>&#;,)}\]]+)"#,
            ))?,
            authorization: Regex::new(&format!(
                "{}{}",
                format_args!(r"((?i-u:authorization)[ \t]*[:=][ \t]*(?i-u:{SCHEMES})[ \t]+)"),
                // One word, or `name=value` pairs between commas.
                r#"[^ \t\r\n,"']+(?:"[^"]*")?(?:,[ \t]*[A-Za-z0-9_-]+=(?:"[^"]*"|[^ \t\r\n,"']*))*"#,
            ))?,
            flag: Regex::new(&format!(
                "{}{}",
                format_args!(r"((?:^|[^A-Za-z0-9_.-])--?({name})[ \t]+)"),
                r#"("[^"]*"?|'[^']*'?|[^ \t\r\n"',;:=)-][^ \t\r\n"',;)]*)"#,
            ))?,
            line: Regex::new(&format!(
                r#"(?m)^([ \t]*(?:-[ \t]+)?{name}[ \t]*:[ \t]+)([^ \t\r\n"',;&)}}\]]+)([ \t\r]*)$"#
            ))?,
            jwk: Regex::new(&format!(r#"(\\*["'](?:{members})\\*["'][ \t]*:[ \t]*\\*["'])[A-Za-z0-9_=-]+"#))?,
        })
    }

    /// Masks what has one of the shapes.
    pub(super) fn mask<'t>(&self, text: Cow<'t, str>) -> Cow<'t, str> {
        let text = replace(text, |t| self.known.replace_all(t, MASK));
        let text = replace(text, |t| self.webhook.replace_all(t, "${1}***"));
        let text = replace(text, |t| self.user.replace_all(t, user));
        let text = replace(text, |t| self.parameter.replace_all(t, url_parameter));
        let text = replace(text, |t| self.authorization.replace_all(t, "${1}***"));
        let text = replace(text, |t| self.flag.replace_all(t, flag));
        let text = replace(text, |t| self.line.replace_all(t, line));
        if text.contains(JWK_TYPE) { replace(text, |t| self.jwk.replace_all(t, "${1}***")) } else { text }
    }
}

/// Without `//` in front, an address of mail or a tag of an image (`mailto:a@h`, `app:1@sha256:..`) looks alike.
fn user(found: &Captures<'_>) -> String {
    let (before, host, behind) = (&found[1], &found[3], &found[4]);
    let is_mail =
        ["acct:", "mailto:", "sip:", "sips:", "xmpp:"].iter().any(|scheme| before.ends_with(scheme));
    let is_url = before.contains("//");
    let is_host = is_url || (!behind.is_empty() && !host.is_empty());
    if !is_host || (!is_url && is_mail) {
        return found[0].to_owned();
    }
    format!("{before}***@{host}{behind}")
}

/// A name may be percent-encoded. At the beginning of a text only an encoded one is looked at: the others are assigned
/// like anywhere.
fn url_parameter(found: &Captures<'_>) -> String {
    let (before, encoded, value) = (&found[1], &found[2], &found[3]);
    let name = percent_decode_str(encoded).decode_utf8_lossy();
    let naming = if before.is_empty() { naming(&name) } else { parameter(&name) };
    if hides(naming, value) { format!("{before}{encoded}=***") } else { found[0].to_owned() }
}

/// Flags that only have to do with a secret, `--token-url` for example, are followed by plain values.
fn flag(found: &Captures<'_>) -> String {
    let (before, name, value) = (&found[1], &found[2], &found[3]);
    if naming(name) != Naming::Secret || PROSE.contains(&value) {
        return found[0].to_owned();
    }
    format!("{before}***")
}

/// A line that has nothing but a name and a word is one of YAML or a header, not of prose.
fn line(found: &Captures<'_>) -> String {
    let name = found[1].trim_start_matches([' ', '\t', '-']);
    let name = name.split([':', ' ', '\t']).next().unwrap_or_default();
    if hides(naming(name), &found[2]) {
        format!("{}***{}", &found[1], &found[3])
    } else {
        found[0].to_owned()
    }
}

/// Whether a value in a text is to be hidden: numbers and truth values only where the name says secret.
pub(super) fn hides(naming: Naming, value: &str) -> bool {
    let is_number = value.parse::<f64>().is_ok() || matches!(value, "true" | "false");
    if is_number { naming.hides_numbers() } else { naming.hides_text() }
}

#[cfg(test)]
mod tests {
    use crate::secrets::mask;

    #[test]
    fn urls_flags_headers_and_known_keys_are_masked() {
        let cases = [
            ("//u:X@h/x", "//u:***@h/x"),
            ("u:X@h:5432/db", "u:***@h:5432/db"),
            ("cannot applicability u:X@[::1]/db", "cannot applicability u:***@[::1]/db"),
            ("u:X@tcp(h:3306)/db", "u:***@tcp(h:3306)/db"),
            ("https://h/x?tok%65n=X&a=1", "https://h/x?tok%65n=***&a=1"),
            ("p%61ssword=X&a=1", "p%61ssword=***&a=1"),
            ("GET /c?sv=2020&sig=Xa%2B&se=1", "GET /c?sv=2020&sig=***&se=1"),
            ("https://h/k?X-Amz-Signature=X", "https://h/k?X-Amz-Signature=***"),
            ("https://h/x?key=X", "https://h/x?key=***"),
            ("/callback?code=X&state=s", "/callback?code=***&state=s"),
            ("/x?sessionid=X", "/x?sessionid=***"),
            ("ldap://h/?bindpw=X", "ldap://h/?bindpw=***"),
            ("SharedAccessSignature sr=x&sig=X", "SharedAccessSignature sr=x&sig=***"),
            ("SharedAccessSignature sig=X&se=1", "SharedAccessSignature sig=***&se=1"),
            ("Bearer\nX", "Bearer\n***"),
            ("Authorization: Token x", "Authorization: Token ***"),
            ("Proxy-Authorization: Negotiate x, 401", "Proxy-Authorization: Negotiate ***, 401"),
            (
                r#"authorization: Digest username="a", response="x" refused"#,
                "authorization: Digest *** refused",
            ),
            (
                "Authorization: AWS4-HMAC-SHA256 Credential=A/b, SignedHeaders=host, Signature=x",
                "Authorization: AWS4-HMAC-SHA256 ***",
            ),
            ("psql --password x -h db", "psql --password *** -h db"),
            ("curl --api-key 'x y' http://h", "curl --api-key *** http://h"),
            (r#"{"kty":"oct","k":"X"}"#, r#"{"kty":"oct","k":"***"}"#),
            (r#"{"kty":"RSA","n":"N","d":"X"}"#, r#"{"kty":"RSA","n":"N","d":"***"}"#),
            ("got ghp_0123456789abcdefghij0123456789abcdef.", "got ***."),
            ("key AKIAIOSFODNN7EXAMPLE refused", "key *** refused"),
            ("hooks.slack.com/services/T0/B0/x failed", "hooks.slack.com/services/*** failed"),
        ];
        for (text, expected) in cases {
            assert_eq!(mask(text), expected, "{text}");
            assert_eq!(mask(expected), expected, "masking twice changes nothing");
        }
    }

    #[test]
    fn what_only_resembles_them_stays() {
        for text in [
            "use --token to set it; --password-file /etc/x",
            "mailto:alice@example.org/x",
            "image registry.test/app:1.2@sha256:0123456789abcdef",
            "error:alice@example.org",
            "at 10:30:00 alice@tacc",
            "https://h/x?q=1&page=2&code=404&sort=key",
            "status_code=404 author: alice",
            "cannot read secret: no such file",
            "{'k': 'v', 'd': 'x'}",
            "AKIA is how keys begin, Asia/Tokyo",
            "/etc/tapis/key.pem 100%41",
            "eyJshort.a.b",
        ] {
            assert_eq!(mask(text), text);
        }
    }
}
