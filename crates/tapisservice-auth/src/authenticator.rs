//! The decision joined to the caches of tenants and of tokens: what a newer registry may know is looked up once.

use std::sync::Arc;

use http::HeaderMap;
use tapisservice_core::{RequestTenant, TenantId};
use tapisservice_tenants::{Authority, Miss, Registry, TenantCache};

use crate::decide::anonymous_tenant;
use crate::headers::{self, IdentityHeaders};
use crate::refusal::Refusal;
use crate::token_digest::LastToken;
use crate::{AuthSettings, Outcome, TokenCache, UnixTime};

/// Authenticates requests against a tenant cache, and remembers what it verified. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Authenticator {
    tenants: TenantCache,
    tokens: Arc<TokenCache>,
}

impl Authenticator {
    /// Joins a cache with the settings.
    pub fn new(tenants: TenantCache, settings: AuthSettings) -> Self {
        Self { tenants, tokens: Arc::new(TokenCache::new(settings)) }
    }

    /// The settings.
    pub fn settings(&self) -> &AuthSettings {
        self.tokens.settings()
    }

    /// The tokens that were verified. All clones share them.
    pub fn tokens(&self) -> &TokenCache {
        &self.tokens
    }

    /// The tenant cache.
    pub fn tenants(&self) -> &TenantCache {
        &self.tenants
    }

    /// Who a request with these headers is from and for. An unknown tenant or host and a signature that does not verify
    /// are looked at once more after a refresh of the registry, where the cache allows one (rules A5, A6 and T6).
    ///
    /// # Errors
    ///
    /// Why the request is refused.
    pub async fn authenticate(&self, headers: &HeaderMap) -> Result<Outcome, Refusal> {
        match self.authenticate_at_once(headers, &mut LastToken::default()) {
            Ok(decided) => decided,
            Err(missed) => self.authenticate_again(missed, headers).await,
        }
    }

    /// Decides with the registry that is at hand, unless a newer one may decide otherwise. `last` is the token that the same
    /// connection showed before.
    pub(crate) fn authenticate_at_once(
        &self,
        headers: &HeaderMap,
        last: &mut LastToken,
    ) -> Result<Result<Outcome, Refusal>, Missed> {
        let headers = match IdentityHeaders::read(headers, self.settings().trust_forwarded_host) {
            Ok(headers) => headers,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let digest = headers.token_bytes().and_then(|text| last.digest_of(text));
        self.first(|registry| self.tokens.decide_digested(&headers, digest, registry, UnixTime::now()))
    }

    /// Decides about what was missed.
    pub(crate) async fn authenticate_again(
        &self,
        missed: Missed,
        headers: &HeaderMap,
    ) -> Result<Outcome, Refusal> {
        let headers = IdentityHeaders::read(headers, self.settings().trust_forwarded_host)?;
        self.again(missed, |registry| self.tokens.decide(&headers, registry, UnixTime::now())).await
    }

    /// The tenant of an anonymous request whose route insists on one. A token is not looked at.
    ///
    /// # Errors
    ///
    /// When the Host is unknown, or its tenant is not served here.
    pub async fn tenant_of_host(&self, headers: &HeaderMap) -> Result<Arc<RequestTenant>, Refusal> {
        let host = self.host_of(headers)?;
        let decision =
            |registry: Option<&Registry>| anonymous_tenant(host.as_ref(), registry, self.settings());
        self.with_fresh_registry(decision).await
    }

    /// As [`tenant_of_host`](Self::tenant_of_host), by the registry at hand.
    pub(crate) fn known_tenant_of_host(&self, headers: &HeaderMap) -> Result<Arc<RequestTenant>, Refusal> {
        let host = self.host_of(headers)?;
        self.tenants.with_snapshot(|registry| {
            anonymous_tenant(host.as_ref(), registry.map(|registry| &**registry), self.settings())
        })
    }

    fn host_of<'a>(&self, headers: &'a HeaderMap) -> Result<Option<Authority<'a>>, Refusal> {
        headers::host(headers, self.settings().trust_forwarded_host)
    }

    async fn with_fresh_registry<T>(
        &self,
        decision: impl Fn(Option<&Registry>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        match self.first(&decision) {
            Ok(decided) => decided,
            Err(missed) => self.again(missed, decision).await,
        }
    }

    fn first<T>(
        &self,
        decision: impl Fn(Option<&Registry>) -> Result<T, Refusal>,
    ) -> Result<Result<T, Refusal>, Missed> {
        self.tenants.with_snapshot(|before| {
            let decided = decision(before.map(|registry| &**registry));
            match decided.as_ref().err().and_then(Refusal::miss) {
                Some(miss) => {
                    let before = before.cloned();
                    decided.map(Ok).map_err(|refusal| Missed { refusal, miss, before })
                }
                None => Ok(decided),
            }
        })
    }

    async fn again<T>(
        &self,
        mut missed: Missed,
        decision: impl Fn(Option<&Registry>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        // A refresh that ended since the first decision spares this request its own.
        if missed.may_be_found_in(self.tenants.snapshot().as_ref()) {
            match self.first(&decision) {
                Ok(decided) => return decided,
                Err(again) => missed = again,
            }
        }
        // Whether it refreshed or was not allowed to: another request may have.
        self.tenants.look_again(&missed.miss).await;
        let after = self.tenants.snapshot();
        if missed.may_be_found_in(after.as_ref()) { decision(after.as_deref()) } else { Err(missed.refusal) }
    }
}

/// A refusal that a newer registry than `before` may lift.
#[derive(Debug, Clone)]
pub(crate) struct Missed {
    refusal: Refusal,
    miss: Miss,
    before: Option<Arc<Registry>>,
}

impl Missed {
    /// Whether `after` is a registry that may decide otherwise. A6: a signature is verified again only when the key changed.
    fn may_be_found_in(&self, after: Option<&Arc<Registry>>) -> bool {
        let before = self.before.as_ref();
        let same_key = |tenant| same_key(before.map(|r| &**r), after.map(|r| &**r), tenant);
        !same_snapshot(before, after) && !matches!(&self.miss, Miss::Signature(tenant) if same_key(tenant))
    }
}

fn same_snapshot(before: Option<&Arc<Registry>>, after: Option<&Arc<Registry>>) -> bool {
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
    use crate::TokenFault;

    /// Counts how often it is read.
    #[derive(Clone, Default)]
    struct OneTenant(Arc<AtomicUsize>);

    impl TenantSource for OneTenant {
        fn fetch(&self) -> crate::BoxFuture<'_, Result<RegistryData, SourceError>> {
            self.0.fetch_add(1, Ordering::SeqCst);
            Box::pin(async {
                Ok(RegistryData {
                    tenants: vec![
                        json!({"tenant_id": "dev", "site_id": "here", "base_url": "https://dev.test"}).into(),
                    ],
                    sites: vec![json!({"site_id": "here", "primary": true}).into()],
                })
            })
        }

        fn describe(&self) -> String {
            "one tenant".to_owned()
        }
    }

    fn unknown(id: &str) -> Refusal {
        TokenFault::UnknownTenant(TenantId::new(id).unwrap()).into()
    }

    #[tokio::test]
    async fn a_signature_is_not_verified_again_with_the_key_that_refused_it() {
        let tenants = TenantCache::builder(OneTenant::default()).build();
        tenants.refresh().await.unwrap();
        let settings = AuthSettings::new("test", SiteId::new("here").unwrap());
        let authenticator = Authenticator::new(tenants.clone(), settings);
        let (first, verifications) = (tenants.snapshot(), AtomicUsize::new(0));
        let forged = Refusal::from(TokenFault::Signature(TenantId::new("dev").unwrap()));
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
