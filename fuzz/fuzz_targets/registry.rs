//! Responses of the Tenants API, over HTTP and into the tenant cache.
//!
//! The input is the body of `GET /v3/tenants`, a line `---` and that of `GET /v3/sites`. `{key}` stands for a public key.
#![no_main]

use std::collections::HashSet;
use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use libfuzzer_sys::fuzz_target;
use parking_lot::Mutex;
use serde_json::Value;
use tapisservice_client::{ClientSettings, TenantsApi};
use tapisservice_fuzz::{KEY, registry_data, split_input};
use tapisservice_tenants::{Authority, CacheState, Registry, RegistryRecord, Tenant, TenantCache};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use url::Url;

static API: LazyLock<Api> = LazyLock::new(Api::start);

fuzz_target!(init: good_is_accepted(), |data: &[u8]| {
    let responses = responses(data);
    let cache = TenantCache::builder(API.client.clone()).build();
    let empty = API.refresh(&cache, responses.clone());
    match (empty, cache.snapshot()) {
        (true, Some(registry)) => check(&registry),
        (false, None) => assert!(matches!(cache.state(), CacheState::Empty(Some(_)))),
        (refreshed, _) => panic!("refreshed is {refreshed}, the snapshot says otherwise"),
    }

    let cache = TenantCache::builder(API.client.clone()).build();
    assert!(API.refresh(&cache, good()));
    let before = cache.snapshot().unwrap();
    let refreshed = API.refresh(&cache, responses.clone());
    let after = cache.snapshot().unwrap();
    if refreshed {
        check(&after);
        assert_no_tenant_lost(&after, &responses.0);
    } else {
        assert!(Arc::ptr_eq(&before, &after), "a failure leaves the snapshot as it is");
    }
});

/// A target that takes nothing would check nothing.
fn good_is_accepted() {
    let cache = TenantCache::builder(API.client.clone()).build();
    assert!(API.refresh(&cache, responses(include_bytes!("../seeds/registry/good"))));
    assert_eq!(cache.snapshot().unwrap().tenants().filter(|tenant| tenant.key().is_some()).count(), 3);
}

/// The two responses of an input.
fn responses(data: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let key = serde_json::to_string(&KEY.public_pem()).unwrap();
    let filled = |half: &[u8]| match std::str::from_utf8(half) {
        Ok(text) => text.replace("\"{key}\"", &key).into_bytes(),
        Err(_) => half.to_vec(),
    };
    let (tenants, sites) = split_input(data);
    (filled(tenants), filled(sites))
}

/// A registry with the two responses of the target.
struct Api {
    runtime: Runtime,
    responses: Arc<Mutex<(Vec<u8>, Vec<u8>)>>,
    client: TenantsApi,
}

impl Api {
    fn start() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let responses = Arc::<Mutex<(Vec<u8>, Vec<u8>)>>::default();
        let served = Arc::clone(&responses);
        let response = move |Path(name): Path<String>| {
            let responses = served.lock().clone();
            async move { if name == "tenants" { responses.0 } else { responses.1 } }
        };
        let url = runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            let router = Router::new().route("/v3/{name}", get(response));
            tokio::spawn(async move { axum::serve(listener, router).await });
            url
        });
        let client = TenantsApi::new(&ClientSettings::new(url)).unwrap();
        Self { runtime, responses, client }
    }

    /// Whether the cache accepted the responses.
    fn refresh(&self, cache: &TenantCache, responses: (Vec<u8>, Vec<u8>)) -> bool {
        *self.responses.lock() = responses;
        let outcome = self.runtime.block_on(cache.refresh());
        assert!(outcome.as_ref().map_or_else(|e| e.to_string().len(), |()| 0) < 400, "{outcome:?}");
        outcome.is_ok()
    }
}

fn good() -> (Vec<u8>, Vec<u8>) {
    let data = registry_data();
    let response = |records: Vec<RegistryRecord>| {
        let texts: Vec<_> = records.iter().map(RegistryRecord::as_str).collect();
        format!(r#"{{"result": [{}]}}"#, texts.join(",")).into_bytes()
    };
    (response(data.tenants), response(data.sites))
}

/// Every tenant can be used, and no host leads to a tenant that it does not belong to.
fn check(registry: &Registry) {
    assert!(registry.warnings().len() <= 100);
    let hosts: HashSet<String> = registry.tenants().flat_map(|tenant| hosts_of(registry, tenant)).collect();
    for tenant in registry.tenants() {
        let id = tenant.tenant_id().as_str();
        assert!(Arc::ptr_eq(registry.tenant(id).unwrap(), tenant));
        assert!(tenant.key().is_none_or(|key| !key.verify_rs256(&[7; 32], &[7; 256])));
        for host in hosts_of(registry, tenant) {
            for near in [
                host.clone(),
                format!("{host}."),
                format!("x{host}"),
                format!("{host}.evil.example"),
                host.replacen('.', "-", 1),
            ] {
                let Ok(authority) = near.parse::<Authority>() else { continue };
                let Some(owner) = registry.tenant_by_host(&authority) else { continue };
                assert!(hosts.contains(authority.host()), "{near} is nobody's and leads to {owner:?}");
                assert!(
                    hosts_of(registry, owner).contains(&authority.host().to_owned()),
                    "{near} leads to {owner:?}"
                );
            }
        }
    }
}

/// The hosts of a tenant's base URL and of the primary site's template, read once more by the `url` crate.
fn hosts_of(registry: &Registry, tenant: &Tenant) -> Vec<String> {
    let by_template = registry.primary().and_then(|primary| primary.tenant_base_url(tenant.tenant_id()));
    let urls = [Some(tenant.base_url().to_string()), by_template];
    let host = |url: String| Some(Url::parse(&url).ok()?.host_str()?.to_ascii_lowercase());
    urls.into_iter().flatten().filter_map(host).collect()
}

/// A known tenant disappears only when the response no longer lists it, or lists it as not active.
fn assert_no_tenant_lost(registry: &Registry, response: &[u8]) {
    let response: Value = serde_json::from_slice(response).expect("it was taken");
    for known in registry_data().tenants {
        let id = known.field("tenant_id").unwrap();
        let id = id.as_str().unwrap();
        let records =
            || response["result"].as_array().unwrap().iter().filter(|record| record["tenant_id"] == id);
        let stays = records().count() > 0 && !records().any(|record| record["status"].is_string());
        assert!(!stays || registry.tenant(id).is_some(), "{id} is lost");
    }
}
