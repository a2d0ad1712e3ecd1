//! What is searched for: each secret as it is, in part, and as URLs, strings and headers write it.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use crate::text::{self, percent};

/// Shorter parts occur by themselves.
const MIN: usize = 8;

/// All secrets that are known, with their spellings.
pub(crate) struct Canaries(Vec<(String, BTreeSet<String>)>);

impl Canaries {
    /// Those that are known beforehand.
    pub(crate) fn new() -> Self {
        let mut canaries = Self(Vec::new());
        for (what, secret) in text::ALL {
            canaries.add(what, secret);
        }
        canaries
    }

    pub(crate) fn add(&mut self, what: &str, secret: &str) {
        assert!(secret.len() >= 2 * MIN, "{what} is too short to be told from other text");
        self.0.push((what.to_owned(), spellings(secret)));
    }

    /// A token: its id and its signature. Headers are alike, and most claims.
    pub(crate) fn add_token(&mut self, what: &str, token: &str) {
        let (signed, signature) = token.rsplit_once('.').unwrap();
        self.add(&format!("the signature of {what}"), signature);
        self.add(&format!("the id of {what}"), id_in(signed.split_once('.').unwrap().1));
    }

    /// A private key in PEM: every line of it.
    pub(crate) fn add_key(&mut self, what: &str, pem: &str) {
        let lines: Vec<_> =
            pem.lines().filter(|line| !line.starts_with("-----") && line.len() > 40).collect();
        // The first line tells the kind of the key, which all have in common.
        for (number, line) in lines.iter().enumerate().skip(1) {
            self.add(&format!("line {number} of {what}"), line);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn spellings(&self) -> usize {
        self.each().count()
    }

    pub(crate) fn each(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().flat_map(|(what, all)| all.iter().map(move |spelling| (&**what, &**spelling)))
    }
}

/// The id of a token as its payload spells it. The claims besides are those of many tokens.
fn id_in(payload: &str) -> &str {
    let claims = URL_SAFE_NO_PAD.decode(payload).unwrap();
    let id = claims.windows(6).position(|window| window == br#""jti":"#).unwrap() + 7;
    // The id is of 36 characters; those of base64 that hold others, too, are left out.
    &payload[(id * 8).div_ceil(6)..(id + 36) * 8 / 6]
}

fn spellings(secret: &str) -> BTreeSet<String> {
    let middle = secret.len() / 2;
    let parts = [secret, &secret[..middle], &secret[middle..]];
    let mut all: BTreeSet<String> =
        parts.iter().flat_map(|part| [*part].map(str::to_owned).into_iter().chain(written(part))).collect();
    all.extend(parts.iter().flat_map(|part| encoded(part.as_bytes())));
    all.retain(|spelling| spelling.len() >= MIN);
    all
}

/// In a URL, a form, a Rust string and a JSON string, and strings within strings.
fn written(part: &str) -> Vec<String> {
    let json = serde_json::to_string(part).unwrap();
    let twice = serde_json::to_string(&json).unwrap();
    let unquoted = |text: &str, quotes: usize| text[quotes..text.len() - quotes].to_owned();
    vec![
        percent(part),
        percent(part).to_lowercase(),
        percent(part).replace("%20", "+"),
        part.escape_debug().to_string(),
        unquoted(&json, 1),
        unquoted(&twice, 3),
        hexadecimal(part),
        format!("{:?}", part.as_bytes()).trim_matches(['[', ']']).to_owned(),
    ]
}

fn hexadecimal(part: &str) -> String {
    let digits: Vec<_> = part.bytes().map(|b| format!("{b:02x}")).collect();
    digits.concat()
}

/// In base64, alone and behind one or two bytes of something else; characters that depend on what is around are left out.
fn encoded(part: &[u8]) -> Vec<String> {
    let behind = |before: usize| {
        let bytes = [&vec![b'x'; before][..], part].concat();
        let (first, whole) = ((before * 8).div_ceil(6), bytes.len() * 8 / 6);
        [STANDARD_NO_PAD.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes)]
            .map(|text| text[first..whole].to_owned())
    };
    (0..3).flat_map(behind).collect()
}
