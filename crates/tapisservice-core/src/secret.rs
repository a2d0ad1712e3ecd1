//! A value that cannot be printed (rule C8).

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use secrecy::zeroize::Zeroize;
use secrecy::{ExposeSecret as _, SecretBox};
use serde::de::{Deserialize, Deserializer, Error as _};
use subtle::ConstantTimeEq as _;

use crate::secrets::MASK;

/// A value whose every printed form is `***`, and whose memory is overwritten when it is dropped.
///
/// It deserializes like a `T` and does not serialize. Use it for the secrets in the settings struct of a service:
///
/// ```
/// use tapisservice_core::Secret;
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
/// There is no `==`, because its time depends on the values. Compare with [`matches`](Self::matches).
///
/// It is a [`secrecy::SecretBox`] with what settings also need: the mask of the printed configuration, and errors that do not quote
/// the value.
pub struct Secret<T: Zeroize = String>(SecretBox<T>);

impl<T: Zeroize> Secret<T> {
    /// Wraps a value.
    pub fn new(value: T) -> Self {
        Self(SecretBox::new(Box::new(value)))
    }

    /// The value itself. Keep it out of logs, errors and responses.
    pub fn expose(&self) -> &T {
        self.0.expose_secret()
    }
}

impl<T: Zeroize + AsRef<[u8]>> Secret<T> {
    /// Whether `attempt` is the secret, compared in constant time for a given length.
    ///
    /// ```
    /// use tapisservice_core::Secret;
    ///
    /// let secret = Secret::from("open-sesame");
    /// assert!(secret.matches("open-sesame"));
    /// assert!(!secret.matches("open-barley") && !secret.matches(""));
    /// ```
    pub fn matches(&self, attempt: impl AsRef<[u8]>) -> bool {
        self.expose().as_ref().ct_eq(attempt.as_ref()).into()
    }
}

impl<T: Zeroize> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text.to_owned())
    }
}

impl<T: Zeroize + Clone> Clone for Secret<T> {
    fn clone(&self) -> Self {
        Self::new(self.expose().clone())
    }
}

impl<T: Zeroize + Default> Default for Secret<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl<T: Zeroize> fmt::Display for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl<'de, T: Zeroize + Deserialize<'de>> Deserialize<'de> for Secret<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // serde's own messages quote the value.
        T::deserialize(deserializer)
            .map(Self::new)
            .map_err(|_| D::Error::custom("expected a secret of another type"))
    }
}

/// The schema of `T`, marked as a secret (`writeOnly`): a setting of this type is masked, whatever its name.
impl<T: Zeroize + JsonSchema> JsonSchema for Secret<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Secret_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = T::json_schema(generator);
        schema.insert("writeOnly".to_owned(), true.into());
        schema
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_prints_it() {
        let secret = Secret::from("canary");
        assert_eq!(format!("{secret} {secret:?} {secret:#?}"), "*** *** ***");
    }

    #[test]
    fn a_value_of_another_type_is_not_quoted() {
        let error = serde_json::from_str::<Secret<u64>>("\"canary\"").unwrap_err().to_string();
        assert!(!error.contains("canary"), "{error}");
        let error = serde_json::from_str::<Secret>("4711").unwrap_err().to_string();
        assert!(!error.contains("4711"), "{error}");
    }

    #[test]
    fn only_the_same_bytes_match() {
        let secret = Secret::from("canary");
        for (attempt, expected) in [("canary", true), ("canarz", false), ("canar", false), ("canaryy", false)]
        {
            assert_eq!(secret.matches(attempt), expected, "{attempt}");
        }
        assert!(Secret::new(b"canary".to_vec()).matches("canary"));
    }
}
