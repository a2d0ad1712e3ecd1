//! The secrets of this process that are known exactly.

use std::{borrow::Cow, collections::BTreeSet, sync::LazyLock};

use aho_corasick::{AhoCorasick, MatchKind};
use arc_swap::ArcSwapOption;
use parking_lot::Mutex;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tapisservice_core::secrets::MASK;

/// The minimum length of a secret. A shorter one would mask half of every line.
const MIN_LENGTH: usize = 4;

/// All characters except the unreserved ones of RFC 3986.
const URL_VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

static SPELLINGS: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
static MATCHER: LazyLock<ArcSwapOption<AhoCorasick>> = LazyLock::new(ArcSwapOption::empty);

/// Masks this text in every log line from now on, for the life of the process (F24).
///
/// It is meant for the few secrets that are known exactly, such as `service_password`. The forms that the text takes
/// in a Rust or JSON string and in a URL are masked too. A text of fewer than four characters is ignored, because it would
/// mask half of every line. Registering a text twice has no effect. Tokens need not be registered: they are recognized by
/// their shape.
///
/// ```
/// tapisservice_logs::redact_secret("correct horse battery staple");
/// ```
pub fn redact_secret(secret: &str) {
    if secret.chars().count() < MIN_LENGTH {
        return;
    }
    let mut known = SPELLINGS.lock();
    let before = known.len();
    known.extend(spellings(secret));
    if known.len() > before {
        // Building fails only if there are too many patterns for memory. The previous matcher then stays.
        if let Ok(matcher) = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(known.iter())
        {
            MATCHER.store(Some(matcher.into()));
        }
    }
}

pub(super) fn contains(text: &str) -> bool {
    MATCHER.load().as_ref().is_some_and(|matcher| matcher.is_match(text))
}

pub(super) fn mask(text: &str) -> Cow<'_, str> {
    let matcher = MATCHER.load();
    let Some(matcher) = matcher.as_ref().filter(|matcher| matcher.is_match(text)) else {
        return Cow::Borrowed(text);
    };
    let mut masked = String::with_capacity(text.len());
    matcher.replace_all_with(text, &mut masked, |_, _, out| {
        out.push_str(MASK);
        true
    });
    Cow::Owned(masked)
}

/// The forms that a secret can take in a text. A debugged struct within a debugged string escapes twice.
fn spellings(secret: &str) -> impl Iterator<Item = String> {
    let debug = secret.escape_debug().to_string();
    let json = in_json(secret);
    let forms = [
        secret.to_owned(),
        secret.trim().to_owned(),
        debug.escape_debug().to_string(),
        debug,
        in_json(&json),
        json,
        utf8_percent_encode(secret, URL_VALUE).to_string(),
        utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string(),
    ];
    forms.into_iter().filter(|form| form.chars().count() >= MIN_LENGTH)
}

/// The text between the quotes of a JSON string.
fn in_json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_masked_in_every_spelling() {
        let secret = "c\"an\\ary/ü@1";
        redact_secret(secret);
        redact_secret(secret);
        let url = utf8_percent_encode(secret, URL_VALUE);
        for text in [
            format!("plain {secret} end"),
            format!("debug {secret:?} end"),
            format!("json {} end", serde_json::json!({ "a": secret })),
            format!("url http://u:{url}@h/ end"),
        ] {
            let masked = mask(&text);
            assert!(masked.contains(MASK) && !masked.contains("ary"), "{masked}");
            assert!(masked.ends_with(" end"));
        }
    }

    #[test]
    fn too_short_a_secret_is_ignored() {
        redact_secret("zq7");
        assert_eq!(mask("zq7"), "zq7");
    }
}
