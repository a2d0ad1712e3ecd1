//! The decision with its caches of tenants and tokens. A cache miss triggers at most one refresh of the registry.

use std::sync::Arc;

use http::HeaderMap;
use tapisservice_core::{RequestTenant, TenantId};
use tapisservice_tenants::{Authority, CacheMiss, Registry, TenantCache};

use crate::admit::anonymous_tenant;
use crate::headers::{self, IdentityHeaders};
use crate::{AuthError, AuthSettings, Outcome, TokenCache, UnixTime, Verifier as _, decide};

/// Authenticates requests against a tenant cache, and caches verified tokens. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Authenticator {
    tenants: TenantCache,
    tokens: Arc<TokenCache>,
}

impl Authenticator {
    /// An authenticator over a tenant cache.
    ///
    /// # Panics
    ///
    /// If the operating system has no random numbers: see [`TokenCache::new`].
    pub fn new(tenants: TenantCache, settings: AuthSettings) -> Self {
        Self { tenants, tokens: Arc::new(TokenCache::new(settings)) }
    }

    /// The settings.
    pub fn settings(&self) -> &AuthSettings {
        self.tokens.settings()
    }

    /// The cache of verified tokens. All clones share it.
    pub fn tokens(&self) -> &TokenCache {
        &self.tokens
    }

    /// The tenant cache.
    pub fn tenants(&self) -> &TenantCache {
        &self.tenants
    }

    /// Authenticates a request by its headers. After an unknown tenant or host, or a signature that does not verify, it decides
    /// once more with a refreshed registry, if the cache allows a refresh (rules A5, A6 and T6).
    ///
    /// # Errors
    ///
    /// Why the request is rejected.
    pub async fn authenticate(&self, headers: &HeaderMap) -> Result<Outcome, AuthError> {
        match self.try_authenticate(headers) {
            Ok(outcome) => Ok(outcome),
            Err(Unsettled::Refused(error)) => Err(error),
            Err(Unsettled::Pending(miss)) => self.authenticate_after_refresh(miss, headers).await,
        }
    }

    /// Decides with the current snapshot, without waiting.
    pub(crate) fn try_authenticate(&self, headers: &HeaderMap) -> Result<Outcome, Unsettled> {
        let headers = IdentityHeaders::read(headers, self.settings().trust_forwarded_host)
            .map_err(Unsettled::Refused)?;
        self.try_decide(|registry| decide(&*self.tokens, &headers, registry, UnixTime::now()))
    }

    /// Decides once more about a request that the current snapshot could not decide.
    pub(crate) async fn authenticate_after_refresh(
        &self,
        miss: PendingMiss,
        headers: &HeaderMap,
    ) -> Result<Outcome, AuthError> {
        let headers = IdentityHeaders::read(headers, self.settings().trust_forwarded_host)?;
        self.decide_after_refresh(miss, |registry| decide(&*self.tokens, &headers, registry, UnixTime::now()))
            .await
    }

    /// The tenant of an anonymous request whose route requires one. Ignores any token.
    ///
    /// # Errors
    ///
    /// When the Host is unknown, or this service does not serve its tenant.
    pub async fn tenant_by_host(&self, headers: &HeaderMap) -> Result<Arc<RequestTenant>, AuthError> {
        let host = self.host_of(headers)?;
        let decision =
            |registry: Option<&Registry>| anonymous_tenant(host.as_ref(), registry, self.settings());
        self.with_fresh_registry(decision).await
    }

    /// As [`tenant_by_host`](Self::tenant_by_host), by the current snapshot.
    pub(crate) fn known_tenant_by_host(&self, headers: &HeaderMap) -> Result<Arc<RequestTenant>, AuthError> {
        let host = self.host_of(headers)?;
        self.tenants.with_snapshot(|registry| {
            anonymous_tenant(host.as_ref(), registry.map(|registry| &**registry), self.settings())
        })
    }

    fn host_of<'a>(&self, headers: &'a HeaderMap) -> Result<Option<Authority<'a>>, AuthError> {
        headers::host(headers, self.settings().trust_forwarded_host)
    }

    async fn with_fresh_registry<T>(
        &self,
        decision: impl Fn(Option<&Registry>) -> Result<T, AuthError>,
    ) -> Result<T, AuthError> {
        match self.try_decide(&decision) {
            Ok(decided) => Ok(decided),
            Err(Unsettled::Refused(error)) => Err(error),
            Err(Unsettled::Pending(miss)) => self.decide_after_refresh(miss, decision).await,
        }
    }

    fn try_decide<T>(
        &self,
        decision: impl Fn(Option<&Registry>) -> Result<T, AuthError>,
    ) -> Result<T, Unsettled> {
        // The miss keeps the registry that it was decided with: while that is held, no later registry has its address, and a
        // comparison of addresses says whether there is a newer one.
        self.tenants.with_snapshot(|before| {
            decision(before.map(|registry| &**registry)).map_err(|error| match error.cache_miss() {
                Some(miss) => Unsettled::Pending(PendingMiss { error, miss, before: before.cloned() }),
                None => Unsettled::Refused(error),
            })
        })
    }

    async fn decide_after_refresh<T>(
        &self,
        mut pending: PendingMiss,
        decision: impl Fn(Option<&Registry>) -> Result<T, AuthError>,
    ) -> Result<T, AuthError> {
        // A refresh that finished since the first decision saves this request its own; the budget of refreshes is small (rule T6).
        if pending.may_be_found_in(self.tenants.snapshot().as_ref()) {
            match self.try_decide(&decision) {
                Ok(decided) => return Ok(decided),
                Err(Unsettled::Refused(error)) => return Err(error),
                Err(Unsettled::Pending(again)) => pending = again,
            }
        }
        // Even if this refresh was not allowed, another request may have refreshed.
        self.tenants.refresh_on_miss(&pending.miss).await;
        let after = self.tenants.snapshot();
        if pending.may_be_found_in(after.as_ref()) { decision(after.as_deref()) } else { Err(pending.error) }
    }
}

/// Why the current snapshot gives a request no identity. An extension of the request: the policy of its route decides what
/// follows.
#[derive(Debug, Clone)]
pub(crate) enum Unsettled {
    /// The request breaks a rule.
    Refused(AuthError),
    /// A newer registry may decide otherwise.
    Pending(PendingMiss),
}

/// An error that a newer registry than `before` may resolve.
#[derive(Debug, Clone)]
pub(crate) struct PendingMiss {
    error: AuthError,
    miss: CacheMiss,
    before: Option<Arc<Registry>>,
}

impl PendingMiss {
    /// Whether `after` is a registry that may decide otherwise. A6: a signature is verified again only when the key changed.
    fn may_be_found_in(&self, after: Option<&Arc<Registry>>) -> bool {
        let before = self.before.as_ref();
        let same_key = |tenant| same_key(before.map(|r| &**r), after.map(|r| &**r), tenant);
        !same_snapshot(before, after)
            && !matches!(&self.miss, CacheMiss::Signature(tenant) if same_key(tenant))
    }
}

fn same_snapshot(before: Option<&Arc<Registry>>, after: Option<&Arc<Registry>>) -> bool {
    // Every refresh makes a new snapshot, so addresses say enough; the contents are megabytes.
    before.map(Arc::as_ptr) == after.map(Arc::as_ptr)
}

fn same_key(before: Option<&Registry>, after: Option<&Registry>, tenant: &TenantId) -> bool {
    let key = |registry: Option<&Registry>| registry?.tenant(tenant.as_str())?.key().cloned();
    key(before) == key(after)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use serde_json::json;
    use tapisservice_core::SiteId;
    use tapisservice_tenants::{RegistryData, SourceError, TenantSource};

    use super::*;
    use crate::TokenError;

    /// Counts how often it is read.
    #[derive(Clone, Default)]
    struct OneTenant(Arc<AtomicUsize>);

    impl TenantSource for OneTenant {
        fn fetch(&self) -> crate::BoxFuture<'_, Result<RegistryData, SourceError>> {
            self.0.fetch_add(1, Ordering::SeqCst);
            Box::pin(async {
                Ok(RegistryData::new(
                    vec![
                        json!({"tenant_id": "dev", "site_id": "here", "base_url": "https://dev.test"}).into(),
                    ],
                    vec![json!({"site_id": "here", "primary": true}).into()],
                ))
            })
        }

        fn describe(&self) -> String {
            "one tenant".to_owned()
        }
    }

    fn unknown(id: &str) -> AuthError {
        TokenError::UnknownTenant(TenantId::new(id).unwrap()).into()
    }

    #[tokio::test]
    async fn a_signature_is_not_verified_again_with_the_key_that_refused_it() {
        let tenants = TenantCache::builder(OneTenant::default()).build();
        tenants.refresh().await.unwrap();
        let settings = AuthSettings::new("test", SiteId::new("here").unwrap());
        let authenticator = Authenticator::new(tenants.clone(), settings);
        let (first, verifications) = (tenants.snapshot(), AtomicUsize::new(0));
        let forged = AuthError::from(TokenError::Signature(TenantId::new("dev").unwrap()));
        let decided = authenticator.with_fresh_registry(|_| {
            verifications.fetch_add(1, Ordering::SeqCst);
            Err::<(), _>(forged.clone())
        });
        assert_eq!(decided.await, Err(forged.clone()));
        assert!(!same_snapshot(first.as_ref(), tenants.snapshot().as_ref()), "the registry was read again");
        assert_eq!(verifications.into_inner(), 1);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_refresh_since_the_first_decision_counts_and_spares_another() {
        let source = OneTenant::default();
        let tenants = TenantCache::builder(source.clone()).build();
        tenants.refresh().await.unwrap();
        let settings = AuthSettings::new("test", SiteId::new("here").unwrap());
        let authenticator = Authenticator::new(tenants.clone(), settings);

        let (first, reads) = (tenants.snapshot(), AtomicUsize::new(0));
        let decided = authenticator.with_fresh_registry(|registry| {
            if !std::ptr::eq(registry.unwrap(), Arc::as_ptr(first.as_ref().unwrap())) {
                return Ok("decided with the newer registry");
            }
            // A refresh may join one that is just ending and has read nothing new.
            while same_snapshot(first.as_ref(), tenants.snapshot().as_ref()) {
                let refresh = tenants.refresh();
                tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(refresh)).unwrap();
            }
            reads.store(source.0.load(Ordering::SeqCst), Ordering::SeqCst);
            Err(unknown("d"))
        });
        assert_eq!(decided.await, Ok("decided with the newer registry"));
        assert_eq!(source.0.load(Ordering::SeqCst), reads.into_inner(), "it was not read once more");
    }
}
