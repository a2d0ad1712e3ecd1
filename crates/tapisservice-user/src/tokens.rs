//! The tokens of a user.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tapisservice_core::Secret;

use super::claims::Claims;

/// An access token and, if there is one, its refresh token. Cheap to clone. `Debug` shows neither.
///
/// ```
/// use tapisservice_user::Tokens;
///
/// let tokens = Tokens::new("an.access.token").with_refresh_token("a.refresh.token");
/// assert_eq!(tokens.access_token(), "an.access.token");
/// assert!(!format!("{tokens:?}").contains("an.access.token"));
/// ```
#[derive(Clone)]
pub struct Tokens(Arc<Pair>);

#[derive(Clone)]
struct Pair {
    access: Secret,
    claims: Claims,
    refresh: Option<(Secret, Claims)>,
}

impl Tokens {
    /// An access token without a refresh token. Surrounding whitespace is removed: tokens are pasted and read from files.
    pub fn new(access: impl AsRef<str>) -> Self {
        let access = access.as_ref().trim();
        Self(Arc::new(Pair {
            claims: Claims::decode_unverified(access),
            access: Secret::from(access),
            refresh: None,
        }))
    }

    /// Adds a refresh token.
    pub fn with_refresh_token(self, refresh: impl AsRef<str>) -> Self {
        let refresh = refresh.as_ref().trim();
        let refresh = Some((Secret::from(refresh), Claims::decode_unverified(refresh)));
        Self(Arc::new(Pair { refresh, ..Arc::unwrap_or_clone(self.0) }))
    }

    /// The access token itself. It is a secret.
    pub fn access_token(&self) -> &str {
        self.0.access.expose()
    }

    /// The refresh token itself, if there is one. It is a secret.
    pub fn refresh_token(&self) -> Option<&str> {
        self.0.refresh.as_ref().map(|(token, _)| token.expose().as_str())
    }

    /// The user name in the access token. It is unverified: use it for display, not for decisions.
    pub fn username(&self) -> Option<&str> {
        self.0.claims.username.as_deref()
    }

    /// The tenant in the access token, unverified.
    pub fn tenant_id(&self) -> Option<&str> {
        self.0.claims.tenant_id.as_deref()
    }

    /// How long the access token is still valid; zero once it has expired. `None` if it has no `exp`.
    pub fn expires_in(&self) -> Option<Duration> {
        self.0.claims.expires_in()
    }

    pub(crate) fn is_expired(&self) -> bool {
        self.expires_in().is_some_and(|left| left.is_zero())
    }

    /// Whether there is a refresh token that has not expired.
    pub(crate) fn can_refresh(&self) -> bool {
        self.0
            .refresh
            .as_ref()
            .is_some_and(|(_, claims)| claims.expires_in().is_none_or(|left| !left.is_zero()))
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl From<&str> for Tokens {
    fn from(access: &str) -> Self {
        Self::new(access)
    }
}

impl From<String> for Tokens {
    fn from(access: String) -> Self {
        Self::new(access)
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("username", &self.username())
            .field("tenant_id", &self.tenant_id())
            .field("expires_in", &self.expires_in())
            .field("has_refresh", &self.0.refresh.is_some())
            .finish_non_exhaustive()
    }
}
