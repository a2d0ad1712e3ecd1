//! Verification of tokens against the registry and the clock (rules A1 to A12).

mod claim_error;
mod claims;
mod jws;
mod unverified;

use std::sync::Arc;

use tapisservice_core::{Claims, TenantId};
use tapisservice_tenants::{RecordVersion, Registry, Tenant, TenantKey};

pub use self::claim_error::{ClaimError, DateClaim};
pub(crate) use self::claims::Times;
pub use self::jws::{Jws, JwsError};
use crate::error::TokenError;
use crate::headers::RawToken;
use crate::{AuthError, AuthSettings, UnixTime};

/// Verifies tokens for [`decide`](crate::decide): a [`TokenVerifier`], or a [`TokenCache`](crate::TokenCache) in front of one.
///
/// The trait is sealed: no other implementation can accept a token.
pub trait Verifier: sealed::Sealed {
    /// The settings that tokens are verified with.
    fn settings(&self) -> &AuthSettings;

    /// Verifies a token (rules A1 to A12).
    ///
    /// # Errors
    ///
    /// The first rule that the token violates; [`AuthError::NoRegistry`] if it is well formed and there is no registry.
    fn verify(
        &self,
        token: RawToken<'_>,
        registry: Option<&Registry>,
        now: UnixTime,
    ) -> Result<VerifiedToken, AuthError>;
}

pub(crate) mod sealed {
    /// Implemented by the verifiers of this crate only.
    pub trait Sealed {}
}

/// A verified token: its claims and their validity period.
#[derive(Debug, Clone)]
pub struct VerifiedToken {
    /// The version of the record with the key and the issuer.
    pub(crate) record: RecordVersion,
    pub(crate) times: Times,
    pub(crate) claims: Arc<Claims>,
}

impl VerifiedToken {
    /// The verified claims.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    pub(crate) fn into_claims(self) -> Arc<Claims> {
        self.claims
    }
}

/// Verifies tokens without a cache.
#[derive(Debug, Clone)]
pub struct TokenVerifier {
    settings: AuthSettings,
}

impl TokenVerifier {
    /// A verifier with these settings.
    pub fn new(settings: AuthSettings) -> Self {
        Self { settings }
    }
}

impl sealed::Sealed for TokenVerifier {}

impl Verifier for TokenVerifier {
    fn settings(&self) -> &AuthSettings {
        &self.settings
    }

    fn verify(
        &self,
        token: RawToken<'_>,
        registry: Option<&Registry>,
        now: UnixTime,
    ) -> Result<VerifiedToken, AuthError> {
        let jws = parse(token)?;
        let (unverified, payload) = jws.decode().map_err(TokenError::Jws)?;
        let registry = registry.ok_or(AuthError::NoRegistry)?;
        let (tenant, key) = signer(unverified.tenant_id(), registry)?;
        if !jws.is_signed_by(key) {
            return Err(TokenError::Signature(tenant.tenant_id().clone()).into());
        }
        let (claims, times) = claims::check(&unverified, payload, tenant, &self.settings, now)?;
        Ok(VerifiedToken { record: tenant.record_version(), times, claims: Arc::new(claims) })
    }
}

/// A1 to A3. The characters of a token are checked only if it does not parse: a token that parses has valid ones. If it does not
/// parse, invalid characters are the first rule that it violates (A1).
fn parse(token: RawToken<'_>) -> Result<Jws, TokenError> {
    Jws::parse(token.as_bytes()).or_else(|error| token.to_str().and(Err(TokenError::Jws(error))))
}

/// A5: the tenant in the payload selects the key.
fn signer<'r>(
    tenant_id: Option<&str>,
    registry: &'r Registry,
) -> Result<(&'r Tenant, &'r TenantKey), TokenError> {
    let id = tenant_id.ok_or(TokenError::TenantId)?;
    let tenant = registry.tenant(id).ok_or_else(|| unknown_tenant(id))?;
    let key = tenant.key().ok_or_else(|| TokenError::NoKey(tenant.tenant_id().clone()))?;
    Ok((tenant, key))
}

fn unknown_tenant(id: &str) -> TokenError {
    TenantId::new(id).map_or(TokenError::TenantId, TokenError::UnknownTenant)
}
