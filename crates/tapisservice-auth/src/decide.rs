//! The decision about a request: verify its token, then admit its caller.

use std::sync::Arc;

use tapisservice_core::{Identity, RequestTenant};
use tapisservice_tenants::Registry;

use crate::admit::{admit, anonymous_tenant};
use crate::headers::{IdentityHeaders, TokenHeader};
use crate::{AuthError, UnixTime, Verifier};

/// The outcome of authentication.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Outcome {
    /// There is no token: the route's policy and the `authn` callback decide (rule A20). The tenant is that of the Host, if it
    /// is known and this service serves it; on-behalf-of headers are ignored (rule H5).
    Anonymous {
        /// The tenant of the Host, or why there is none.
        tenant: Result<Arc<RequestTenant>, AuthError>,
    },
    /// The token is valid, and this service may serve its bearer.
    Identified(Identity),
}

/// Authenticates a request: `verifier` verifies its token (rules A1 to A12), and the other headers, the sites and the settings decide
/// whether its bearer is admitted (O1 to O6, H2 to H8).
///
/// Every request goes through this function. It depends on its arguments only: a [`TokenCache`](crate::TokenCache) gives the
/// same results as a [`TokenVerifier`](crate::TokenVerifier) with the same settings.
///
/// ```
/// # use http::HeaderMap;
/// use tapisservice_auth::{AuthSettings, IdentityHeaders, Outcome, TokenVerifier, UnixTime, decide};
/// # use tapisservice_core::SiteId;
///
/// let verifier = TokenVerifier::new(AuthSettings::new("bookmarks", SiteId::new("tacc")?));
/// let headers = HeaderMap::new();
/// let outcome = decide(&verifier, &IdentityHeaders::read(&headers, false).unwrap(), None, UnixTime::now());
/// assert!(matches!(outcome, Ok(Outcome::Anonymous { .. })));
/// # Ok::<(), tapisservice_core::InvalidId>(())
/// ```
///
/// # Errors
///
/// The first rule that the request breaks, in the order of the rules.
pub fn decide(
    verifier: &impl Verifier,
    headers: &IdentityHeaders<'_>,
    registry: Option<&Registry>,
    now: UnixTime,
) -> Result<Outcome, AuthError> {
    let settings = verifier.settings();
    let text = match headers.token() {
        TokenHeader::Text(text) => text,
        TokenHeader::Blank => return Err(AuthError::NoToken),
        TokenHeader::Absent => {
            let tenant = anonymous_tenant(headers.host.as_ref(), registry, settings);
            return Ok(Outcome::Anonymous { tenant });
        }
    };
    let verified = verifier.verify(text, registry, now)?;
    let registry = registry.ok_or(AuthError::NoRegistry)?;
    let token = text.with_claims(verified.into_claims());
    admit(token, headers, registry, settings).map(Outcome::Identified)
}
