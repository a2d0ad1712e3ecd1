use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::grant::{Grant, REFRESH_TTL};
use crate::state::SiteState;
use crate::{DevSiteError, claims, jws};

/// Builds any token, including invalid ones; from [`DevSite::token`](crate::DevSite::token).
///
/// By default it is an access token of the user `alice` in the tenant of the site port, valid for four
/// hours, with exactly the claims of docs/PROTOCOL.md, section 2. Changes of claims apply after the defaults, in the order
/// of the calls.
#[derive(Clone)]
#[must_use = "a token builder does nothing until `mint`"]
pub struct TokenBuilder {
    state: Arc<SiteState>,
    grant: Grant,
    refresh: bool,
    expires: Option<i64>,
    header: Map<String, Value>,
    changes: Vec<(String, Option<Value>)>,
    signer: Option<String>,
}

impl TokenBuilder {
    pub(crate) fn new(state: Arc<SiteState>, grant: Grant) -> Self {
        let header = jws::header();
        Self { state, grant, refresh: false, expires: None, header, changes: Vec::new(), signer: None }
    }

    /// Makes it the token of a user.
    pub fn for_user(mut self, tenant: &str, username: &str) -> Self {
        self.grant = Grant::user(username, tenant);
        self
    }

    /// Makes it the token of a service in the site-admin tenant `tenant`, for use at `target_site`.
    pub fn for_service(mut self, tenant: &str, service: &str, target_site: &str) -> Self {
        self.grant = Grant::service(service, tenant, target_site);
        self
    }

    /// Adds a delegation by `username@tenant` (rule A12).
    pub fn with_delegate(mut self, tenant: &str, username: &str) -> Self {
        self.grant.delegation_sub = Some(format!("{username}@{tenant}"));
        self
    }

    /// Makes it a refresh token, valid for a year.
    pub fn refresh(mut self) -> Self {
        self.refresh = true;
        self
    }

    /// Sets `exp` to this long from now.
    pub fn expires_in(self, life: Duration) -> Self {
        self.expires_at(claims::now().saturating_add_unsigned(life.as_secs()))
    }

    /// Sets `exp` to this long ago.
    pub fn expired_since(self, past: Duration) -> Self {
        self.expires_at(claims::now().saturating_sub_unsigned(past.as_secs()))
    }

    /// Sets `exp`, in seconds since 1970.
    pub fn expires_at(mut self, seconds: i64) -> Self {
        self.expires = Some(seconds);
        self
    }

    /// Adds or replaces a claim.
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.changes.push((name.to_owned(), Some(value.into())));
        self
    }

    /// Removes a claim.
    pub fn without(mut self, name: &str) -> Self {
        self.changes.push((name.to_owned(), None));
        self
    }

    /// Adds or replaces a parameter of the JOSE header. The signature is RS256, whatever `alg` says.
    pub fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header.insert(name.to_owned(), value.into());
        self
    }

    /// Signs with the key of another tenant.
    pub fn signed_by(mut self, tenant: &str) -> Self {
        self.signer = Some(tenant.to_owned());
        self
    }

    /// Issues the token.
    ///
    /// # Panics
    ///
    /// When the signing tenant has never been a tenant of the site; [`try_mint`](Self::try_mint) does not panic.
    pub fn mint(self) -> String {
        match self.try_mint() {
            Ok(token) => token,
            Err(error) => panic!("the token cannot be created: {error}"),
        }
    }

    /// Issues the token, without panicking.
    ///
    /// # Errors
    ///
    /// [`DevSiteError::UnknownTenant`] when the signing tenant has never been a tenant of the site. A removed tenant
    /// still signs.
    pub fn try_mint(self) -> Result<String, DevSiteError> {
        let registry = self.state.registry();
        let signer = self.signer.as_deref().unwrap_or(&self.grant.tenant);
        let signer = registry.tenant(signer).ok_or_else(|| DevSiteError::UnknownTenant(signer.to_owned()))?;
        let issuer = registry.tenant(&self.grant.tenant).unwrap_or(signer).token_service();
        let mut claims = self.claims(&issuer);
        for (name, value) in self.changes {
            match value {
                Some(value) => claims.insert(name, value),
                None => claims.remove(&name),
            };
        }
        jws::sign(self.header, claims, &signer.key).ok_or(DevSiteError::KeyGeneration)
    }

    fn claims(&self, issuer: &str) -> Map<String, Value> {
        let expires = |ttl: i64| self.expires.unwrap_or_else(|| claims::now().saturating_add(ttl));
        if self.refresh {
            claims::refresh(&self.grant, issuer, expires(REFRESH_TTL), REFRESH_TTL)
        } else {
            claims::access(&self.grant, issuer, expires(self.grant.access_ttl))
        }
    }
}

impl fmt::Debug for TokenBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenBuilder")
            .field("grant", &self.grant)
            .field("signer", &self.signer)
            .finish_non_exhaustive()
    }
}
