//! The secrets of this test. None is a prefix of another or a word that occurs by itself, and each has characters that are
//! written differently in URLs, strings and JSON.

pub(crate) const SERVICE_PASSWORD: &str = "S9rvice/pa%ss word+Qx71kzv";
pub(crate) const DATABASE_PASSWORD: &str = "D8base@pa/ss%wd Lm42wqv";
pub(crate) const DATABASE_FOLDER: &str = "d4tabase-folder-Kd93hfow";
pub(crate) const OWN_SECRET: &str = r#"W1rite"only"\secret Pz88vyt"#;
pub(crate) const NESTED_SECRET: &str = "N3sted\\of a list\tGt55rbc";
pub(crate) const COOKIE: &str = "C0okie/of+someone=Jw17nds";
pub(crate) const BEARER: &str = "B5earer/not_Tapis+Hy64plm";
pub(crate) const BASIC_PASSWORD: &str = "B2asic@pass:word%Ue30dck";
pub(crate) const BODY: &str = "B0dy/secret+of a form Fi81mmz";
pub(crate) const SIGNATURE: &str = "Q5ery/signature+Ro46tkx/a";
pub(crate) const LOCATION: &str = "L6cation/signature+Xe53bhu";
pub(crate) const JUNK_TOKEN: &str = "T0ken-that-is-none-Vb62qsn";
pub(crate) const USER_PASSWORD: &str = "P8ssword@of/alice Wd19cqo";
pub(crate) const WRONG_PASSWORD: &str = "W7ong@pass/word Na28ygi";
pub(crate) const CLIENT_KEY: &str = "K3y/of+a client%Mo76sja";

/// All of them, by what they are.
pub(crate) const ALL: [(&str, &str); 15] = [
    ("the service password", SERVICE_PASSWORD),
    ("the password of the database", DATABASE_PASSWORD),
    ("the URL of the database", DATABASE_FOLDER),
    ("a writeOnly value", OWN_SECRET),
    ("a value within a writeOnly one", NESTED_SECRET),
    ("a cookie", COOKIE),
    ("a bearer of Authorization", BEARER),
    ("a password of Authorization", BASIC_PASSWORD),
    ("a secret in a body", BODY),
    ("a signature in a query", SIGNATURE),
    ("a signature in a redirect", LOCATION),
    ("what is no token", JUNK_TOKEN),
    ("the password of a user", USER_PASSWORD),
    ("a wrong password of a user", WRONG_PASSWORD),
    ("the key of a client", CLIENT_KEY),
];

/// With every byte but letters and digits as `%XX`.
pub(crate) fn percent(text: &str) -> String {
    let byte =
        |b: u8| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") };
    text.bytes().map(byte).collect()
}
