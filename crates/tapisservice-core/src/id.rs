//! Identifiers: text that is validated once, at the edge.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize};

/// The maximum length of an identifier, in characters (rules A11 and O3).
const MAX_CHARS: usize = 255;

/// Why a text is not an identifier. The message never quotes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidId {
    /// No text, or white space only.
    #[error("is empty or blank")]
    Empty,
    /// More than 255 characters.
    #[error("is longer than {MAX_CHARS} characters")]
    TooLong,
    /// A control character.
    #[error("contains a control character")]
    ControlCharacter,
}

fn check(text: &str) -> Result<(), InvalidId> {
    if text.chars().any(char::is_control) {
        Err(InvalidId::ControlCharacter)
    } else if !text.chars().any(shows) {
        Err(InvalidId::Empty)
    } else if text.len() > MAX_CHARS && text.chars().count() > MAX_CHARS {
        Err(InvalidId::TooLong)
    } else {
        Ok(())
    }
}

/// Whether a character is visible: neither white space, nor a character that Unicode allows a renderer to omit
/// (`Default_Ignorable_Code_Point`, and the blank Braille pattern).
fn shows(c: char) -> bool {
    !c.is_whitespace()
        && !matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// One to 255 characters, at least one of them visible and none a control character (rules A11 and O3). Cheap to clone.
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Validates `text`.
            ///
            /// # Errors
            ///
            /// When it is empty, blank or too long, or contains a control character.
            pub fn new(text: impl AsRef<str>) -> Result<Self, InvalidId> {
                check(text.as_ref())?;
                Ok(Self(Arc::from(text.as_ref())))
            }

            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                &*self.0 == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                &*self.0 == *other
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::new(text)
            }
        }

        /// The format `tapis-id` also rejects what cannot be sent in a header: commas, and white space at an end.
        impl schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({"type": "string", "format": "tapis-id"})
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
                Self::new(text).map_err(serde::de::Error::custom)
            }
        }
    };
}

identifier! {
    /// The id of a tenant: an isolated customer of a site.
    TenantId
}
identifier! {
    /// The id of a site: a datacentre that runs Tapis services.
    SiteId
}
identifier! {
    /// The name of a user or of a service, without its tenant.
    Username
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_text_that_can_be_an_identifier_passes() {
        let long = "é".repeat(255);
        assert_eq!(Username::new(&long).unwrap().as_str(), long);
        assert_eq!(Username::new(long + "x"), Err(InvalidId::TooLong));
        assert_eq!(TenantId::new(""), Err(InvalidId::Empty));
        for blank in
            [" ", "   ", "\u{a0}\u{2003}", "\u{3000}", "\u{200b}", "\u{3164} \u{ad}", "\u{2800}", "\u{e0041}"]
        {
            assert_eq!(Username::new(blank), Err(InvalidId::Empty), "{blank:?}");
        }
        assert_eq!(Username::new(" a ").unwrap().as_str(), " a ");
        assert_eq!(SiteId::new("a\nb"), Err(InvalidId::ControlCharacter));
        assert_eq!(Username::new("a\u{85}b"), Err(InvalidId::ControlCharacter));
        assert!(serde_json::from_str::<TenantId>("\"\\u0000\"").is_err());
    }
}
