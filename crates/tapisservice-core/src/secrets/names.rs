//! What a name says of the value that goes by it.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

/// What the name of a key, a field or a parameter says of its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Naming {
    /// The value is a secret: `db_password`, `apiKey`, `X-Tapis-Token`.
    Secret,
    /// The value has to do with a secret: text may be one (`token_value`, `tokens`), a number or a truth value
    /// is none (`service_token_ttl_seconds`).
    Mention,
    /// The name says nothing of a secret.
    Open,
}

impl Naming {
    /// Whether text that goes by the name is to be hidden.
    pub fn hides_text(self) -> bool {
        self != Self::Open
    }

    /// Whether a number that goes by the name is to be hidden.
    pub fn hides_numbers(self) -> bool {
        self == Self::Secret
    }
}

/// A word that holds one of these is about a secret: `dbpassword`, `accessTokens`.
pub(super) const STEMS: [&str; 10] = [
    "authorization",
    "cookie",
    "credential",
    "jwt",
    "passcode",
    "passphrase",
    "passwd",
    "password",
    "secret",
    "token",
];

/// So is a word that ends in one of these: `dbpass`, `bindpw`.
pub(super) const ENDINGS: [&str; 3] = ["pass", "pw", "pwd"];

/// So is a name whose last word is one of these: `totp_pin`, `ssh_private`.
pub(super) const LAST_WORDS: [&str; 7] = ["auth", "bearer", "hmac", "otp", "pin", "private", "salt"];

/// So is a key of one of these kinds: `api_key`, `apikey`, `client-key-data`.
pub(super) const KEY_KINDS: [&str; 23] = [
    "access",
    "account",
    "aes",
    "api",
    "auth",
    "client",
    "deploy",
    "encryption",
    "hmac",
    "licence",
    "license",
    "master",
    "mtls",
    "private",
    "secret",
    "session",
    "shared",
    "signing",
    "ssh",
    "ssl",
    "storage",
    "tls",
    "webhook",
];

/// What the parameters of a URL are called that let their bearer in: signatures (`X-Amz-Signature`, the `sig` of Azure),
/// keys of APIs, codes of OAuth 2 (RFC 6749 section 4.1.2) and sessions. Elsewhere these words are plain ones.
pub(super) const PARAMETERS: [&str; 8] =
    ["code", "jsessionid", "key", "phpsessid", "sessionid", "sid", "sig", "signature"];

/// The private members of a JSON web key (RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1). They are plain letters, so they
/// count only beside [`JWK_TYPE`].
pub(super) const JWK_MEMBERS: [&str; 8] = ["d", "dp", "dq", "k", "oth", "p", "q", "qi"];

/// The member that every JSON web key has (RFC 7517 section 4.1).
pub(super) const JWK_TYPE: &str = "kty";

/// What the URL of a database is called, also behind an underscore: `sql_db_url`. It may hold a password that cannot be cut out
/// of it reliably, an unescaped `@` or `/` for instance, and the name of a host is of little use.
const DATABASE_URLS: [&str; 5] = ["database_uri", "database_url", "db_uri", "db_url", "dsn"];

/// Words that only look like one of the above.
const HARMLESS: [&str; 13] = [
    "bypass",
    "compass",
    "encompass",
    "overpass",
    "secretariat",
    "secretary",
    "surpass",
    "tokenization",
    "tokenize",
    "tokenized",
    "tokenizer",
    "trespass",
    "underpass",
];

/// A name without any of these needs no closer look. Most names have none.
static PREFILTER: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let parts = STEMS.iter().chain(&ENDINGS).chain(&LAST_WORDS).chain(&DATABASE_URLS).chain(&["key"]);
    AhoCorasick::builder().ascii_case_insensitive(true).build(parts).expect("a few constant words")
});

/// What a name says of its value.
pub fn naming(name: &str) -> Naming {
    if !PREFILTER.is_match(name) {
        return Naming::Open;
    }
    if is_always_secret(name) {
        return Naming::Secret;
    }
    let words = words(name);
    let is_public = words.iter().any(|word| word == "public");
    let found = (0..words.len()).rev().find_map(|at| {
        let secret = Word::at(&words, at).filter(|word| !(is_public && *word == Word::Jwt))?;
        // A plural counts something, as in `max_tokens`.
        let is_it = at + 1 == words.len() && secret != Word::Plural;
        Some(if is_it { Naming::Secret } else { Naming::Mention })
    });
    found.unwrap_or(Naming::Open)
}

/// Whether no schema can declare the value public: the password of the service, and the URLs of databases.
pub fn is_always_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name == "service_password"
        || DATABASE_URLS.iter().any(|url| {
            name.strip_suffix(url).is_some_and(|before| before.is_empty() || before.ends_with('_'))
        })
}

/// What the name of a URL's parameter says of its value.
pub(super) fn parameter(name: &str) -> Naming {
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let plain = plain.to_ascii_lowercase();
    let is_signed = plain.ends_with("signature");
    match naming(name) {
        Naming::Open if is_signed || PARAMETERS.contains(&plain.as_str()) => Naming::Mention,
        naming => naming,
    }
}

/// Whether the object is a JSON web key, and the member a private one of it.
pub fn is_private_jwk_member(object: &serde_json::Map<String, serde_json::Value>, member: &str) -> bool {
    JWK_MEMBERS.contains(&member) && object.contains_key(JWK_TYPE)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Singular,
    Plural,
    Jwt,
}

impl Word {
    /// Whether the word, with the one before it, is about a secret.
    fn at(words: &[String], at: usize) -> Option<Self> {
        let word = words[at].as_str();
        if HARMLESS.contains(&word) {
            return None;
        }
        let before = at.checked_sub(1).map(|before| words[before].as_str());
        let is_last = at + 1 == words.len();
        let about = STEMS.iter().any(|stem| word.contains(stem))
            || ENDINGS.iter().any(|ending| word.ends_with(ending))
            || (is_last && LAST_WORDS.contains(&word))
            || is_key(word, before);
        let plural = word.ends_with('s') && !word.ends_with("ss");
        match (about, plural) {
            (false, _) => None,
            (true, _) if word == "jwt" => Some(Self::Jwt),
            (true, true) => Some(Self::Plural),
            (true, false) => Some(Self::Singular),
        }
    }
}

fn is_key(word: &str, before: Option<&str>) -> bool {
    let Some(kind) = word.strip_suffix("key").or_else(|| word.strip_suffix("keys")) else { return false };
    let kind = if kind.is_empty() { before.unwrap_or_default() } else { kind };
    KEY_KINDS.contains(&kind)
}

/// `dbPassword`, `db-password` and `DB_PASSWORD` all as `db`, `password`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_lower = false;
    for character in name.chars() {
        if !character.is_alphanumeric() || (character.is_uppercase() && after_lower) {
            words.push(String::new());
        }
        if character.is_alphanumeric() {
            words.last_mut().expect("there is always a word").extend(character.to_lowercase());
        }
        after_lower = character.is_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_whether_its_value_is_secret() {
        let secret = "service_password dbpassword DBPassword dbpass PGPASSWORD db_pass postgres_pass passwd smtp_passwd pwd \
            Pwd passphrase passcode secret client.secret aws-secret clientSecret token x.token X-Tapis-Token access_token \
            accessToken apikey api_key apiKey API-KEY authkey auth_key client_key clientKey private_key privateKey \
            ssh_private ssh_key AccountKey account_key signing_key hmac_key hmac otp pin user_pin bearer cookie \
            session_cookie authorization Authorization Proxy-Authorization jwt credential auth basic_auth pw bindpw rootpw salt \
            password_salt webhook_key webhookKey license_key mtls_key tls-key sql_db_url DATABASE_URL dsn";
        let mention = "service_token_ttl_seconds max_token_bytes x_token_leeway_seconds token_url password_file tokens \
            credentials secrets SIGNING_KEYS passwords client-key-data cookie_name secret_name authorization_header";
        let open = "compass bypass passthrough key keys public_key jwt_public_key dev_jwt_public_key monkey keyboard user \
            tokenizer secretary spin pinned mapping hotpot private_network is_basic tenants path authenticator service_name \
            sort_key foreign_key key_id request_id author oauth auth_mode saltwater code signature sig k d kty \
            base_url db_url_scheme adsn";
        for (names, expected) in [(secret, Naming::Secret), (mention, Naming::Mention), (open, Naming::Open)]
        {
            for name in names.split_whitespace() {
                assert_eq!(naming(name), expected, "{name}");
            }
        }
    }

    #[test]
    fn a_schema_can_open_neither_the_password_of_the_service_nor_the_url_of_a_database() {
        for name in ["service_password", "SERVICE_PASSWORD", "sql_db_url", "DATABASE_URL", "dsn", "x_db_uri"]
        {
            assert!(is_always_secret(name), "{name}");
        }
        for name in ["ldap_password", "token_url", "db_url_scheme", "adsn", "thedb_url"] {
            assert!(!is_always_secret(name), "{name}");
        }
    }

    #[test]
    fn some_names_are_secret_only_in_a_url() {
        for name in "sig X-Amz-Signature key code sessionid session_id token apiKey".split(' ') {
            assert!(parameter(name).hides_text(), "{name}");
        }
        for name in "q page sort monkey encoded status_code sr se skip".split(' ') {
            assert!(!parameter(name).hides_text(), "{name}");
        }
        assert!(!parameter("code").hides_numbers() && parameter("token").hides_numbers());
    }
}
