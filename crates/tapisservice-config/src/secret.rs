//! A value that cannot be printed (C8).

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _};

/// A value whose every printed form is `***`.
///
/// It deserializes as a `T` does and does not serialize. An author uses it for the secrets in the struct
/// that [`Config::parse`](crate::Config::parse) fills:
///
/// ```
/// use tapisservice_config::Secret;
///
/// #[derive(Debug, serde::Deserialize)]
/// struct Ldap {
///     user: String,
///     password: Secret,
/// }
///
/// let ldap: Ldap = serde_json::from_str(r#"{"user": "cn=tapis", "password": "hunter2"}"#).unwrap();
/// assert_eq!(ldap.password.expose(), "hunter2");
/// assert_eq!(format!("{ldap:?}"), r#"Ldap { user: "cn=tapis", password: *** }"#);
/// ```
///
/// Equality is that of `T` and takes a time that depends on the values: compare credentials that a peer
/// sent with a function made for it.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Secret<T = String>(T);

impl<T> Secret<T> {
    /// Wraps a value.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself: keep it out of logs, errors and answers.
    pub fn expose(&self) -> &T {
        &self.0
    }

    /// The value itself, by move.
    pub fn into_exposed(self) -> T {
        self.0
    }
}

impl<T> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl<T> fmt::Display for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Secret<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // serde's own messages quote the value.
        T::deserialize(deserializer)
            .map(Self)
            .map_err(|_| D::Error::custom("expected a secret of another type"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_prints_it() {
        let secret = Secret::new("canary".to_owned());
        assert_eq!(format!("{secret} {secret:?} {secret:#?}"), "*** *** ***");
    }

    #[test]
    fn a_value_of_another_type_is_not_quoted() {
        let error = serde_json::from_str::<Secret<u64>>("\"canary\"").unwrap_err().to_string();
        assert!(!error.contains("canary"), "{error}");
    }
}
