//! The tracking id, which follows one unit of work through several services.

use std::fmt;
use std::sync::Arc;

use crate::context::random_uuid;

/// The maximum length of a tracking id, in characters.
const MAX_CHARS: usize = 126;

/// `X-Tapis-Tracking-ID`: `<namespace>.<id>`, at most 126 ASCII characters, exactly one dot, a namespace of
/// letters, digits and `_`, an id of letters, digits and `-`.
///
/// ```
/// use tapisservice_core::TrackingId;
///
/// assert!(TrackingId::new("jobs.4711-a").is_ok());
/// assert!(TrackingId::new("no dot at all").is_err());
/// assert!(TrackingId::generate("globus-proxy").as_str().starts_with("globus_proxy."));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TrackingId(Arc<str>);

/// Text that is not `<namespace>.<id>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected <namespace>.<id>: at most {MAX_CHARS} characters, a namespace of letters, digits and '_', an id of letters, digits and '-'"
)]
pub struct InvalidTrackingId;

impl TrackingId {
    /// Validates `text`.
    ///
    /// # Errors
    ///
    /// When it does not have this form.
    pub fn new(text: &str) -> Result<Self, InvalidTrackingId> {
        let (namespace, id) = text.split_once('.').ok_or(InvalidTrackingId)?;
        let all = |part: &str, extra: u8| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == extra)
        };
        if text.len() <= MAX_CHARS && all(namespace, b'_') && all(id, b'-') {
            Ok(Self(text.into()))
        } else {
            Err(InvalidTrackingId)
        }
    }

    /// Generates an id in the namespace of a service. Characters that a namespace cannot contain become `_`.
    pub fn generate(service_name: &str) -> Self {
        let name = if service_name.is_empty() { "tapis" } else { service_name };
        let namespace = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' });
        let mut text = String::with_capacity(MAX_CHARS);
        text.extend(namespace.take(MAX_CHARS - 37));
        text.push('.');
        text.push_str(random_uuid().hyphenated().encode_lower(&mut uuid::Uuid::encode_buffer()));
        Self(text.into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TrackingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_namespace_dot_id_passes() {
        let longest = format!("{}.{}", "n".repeat(62), "i".repeat(63));
        for good in ["a.b", "my_jobs.0-1", longest.as_str()] {
            assert_eq!(TrackingId::new(good).unwrap().as_str(), good);
        }
        let too_long = format!("{longest}x");
        for bad in
            ["", ".", "a.", ".b", "a.b.c", "a-b.c", "a.b_c", "a b.c", "ä.b", "a.b\n", too_long.as_str()]
        {
            assert!(TrackingId::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_generated_id_is_valid_whatever_the_service_is_called() {
        for name in ["bookmarks", "globus-proxy", "", "ümlaut", &"x".repeat(300)] {
            assert!(TrackingId::new(TrackingId::generate(name).as_str()).is_ok(), "{name}");
        }
    }
}
