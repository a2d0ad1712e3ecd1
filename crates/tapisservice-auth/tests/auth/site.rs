//! Two sites with their tenants, claims of their users and services, and a source whose responses a test changes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use serde_json::{Value, json};
use tapisservice_auth::AuthSettings;
use tapisservice_core::SiteId;
use tapisservice_tenants::{BoxFuture, RegistryData, RegistryRecord, SourceError, TenantSource};

use crate::signer::{ACME, ADMIN};

/// The records of a registry while a test changes them.
#[derive(Clone)]
pub(crate) struct Responses {
    pub(crate) tenants: Vec<Value>,
    pub(crate) sites: Vec<Value>,
}

impl From<Responses> for RegistryData {
    fn from(responses: Responses) -> Self {
        let records = |values: Vec<Value>| values.into_iter().map(RegistryRecord::from).collect();
        Self::new(records(responses.tenants), records(responses.sites))
    }
}

/// The primary site `tacc` with the tenants admin, acme, beta and others that lack something; the site `uh`, which runs its own
/// `files`, with adminuh and hawaii.
pub(crate) fn data() -> Responses {
    let key = |id: &str| if id.starts_with("admin") { ADMIN.public_pem() } else { ACME.public_pem() };
    let tenant = |id: &str, site: &str, changes: Value| {
        let domain = if site == "tacc" { "tapis" } else { "uh" };
        let mut record = json!({
            "tenant_id": id, "site_id": site, "status": "active", "public_key": key(id),
            "base_url": format!("https://{id}.{domain}.test"),
            "token_service": format!("https://{id}.{domain}.test/v3/tokens"),
        });
        record.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        record
    };
    Responses {
        sites: vec![
            json!({"site_id": "tacc", "primary": true, "site_admin_tenant_id": "admin", "services": ["files", "bookmarks"],
                   "tenant_base_url_template": "https://${tenant_id}.tapis.test"}),
            json!({"site_id": "uh", "primary": false, "site_admin_tenant_id": "adminuh", "services": ["files"]}),
        ],
        tenants: vec![
            tenant("admin", "tacc", json!({})),
            tenant("acme", "tacc", json!({})),
            tenant("beta", "tacc", json!({"status": null})),
            tenant("dev", "tacc", json!({})),
            tenant("nokey", "tacc", json!({"public_key": null})),
            tenant("gone", "tacc", json!({"status": "inactive"})),
            tenant("soon", "tacc", json!({"status": "draft"})),
            tenant("anyissuer", "tacc", json!({"token_service": null})),
            tenant("plain", "tacc", json!({"base_url": "http://plain.lan:8080"})),
            tenant(
                "local",
                "tacc",
                json!({"base_url": "http://localhost:5080", "token_service": "http://localhost:5080/v3/tokens"}),
            ),
            tenant("adminuh", "uh", json!({})),
            tenant("hawaii", "uh", json!({})),
        ],
    }
}

/// The service `bookmarks` at `tacc`, which serves every tenant.
pub(crate) fn settings() -> AuthSettings {
    service("bookmarks", "tacc")
}

/// Another service at another site.
pub(crate) fn service(name: &str, site: &str) -> AuthSettings {
    AuthSettings::new(name, SiteId::new(site).unwrap())
}

/// The claims of a user's access token, as the Tokens API mints it.
pub(crate) fn user(name: &str, tenant: &str, exp: u64) -> Value {
    let domain = if ["adminuh", "hawaii"].contains(&tenant) { "uh" } else { "tapis" };
    json!({
        "jti": "11111111-2222-3333-4444-555555555555", "iss": format!("https://{tenant}.{domain}.test/v3/tokens"),
        "sub": format!("{name}@{tenant}"), "tapis/tenant_id": tenant, "tapis/token_type": "access",
        "tapis/delegation": false, "tapis/delegation_sub": null, "tapis/username": name,
        "tapis/account_type": "user", "exp": exp,
    })
}

/// The claims of a service's access token for the site `target`.
pub(crate) fn service_account(name: &str, tenant: &str, target: &str, exp: u64) -> Value {
    let mut claims = user(name, tenant, exp);
    claims["tapis/account_type"] = json!("service");
    claims["tapis/target_site"] = json!(target);
    claims
}

/// A source that answers what a test puts in, and counts.
#[derive(Clone)]
pub(crate) struct Script {
    response: Arc<Mutex<Option<Responses>>>,
    fetches: Arc<AtomicUsize>,
}

impl Script {
    /// `None` is a registry that is down.
    pub(crate) fn new(response: Option<Responses>) -> Self {
        Self { response: Arc::new(Mutex::new(response)), fetches: Arc::default() }
    }

    /// Answers otherwise from now on.
    pub(crate) fn set(&self, response: Option<Responses>) {
        *self.response.lock() = response;
    }

    /// How often the registry was read.
    pub(crate) fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }
}

impl TenantSource for Script {
    fn fetch(&self) -> BoxFuture<'_, Result<RegistryData, SourceError>> {
        self.fetches.fetch_add(1, Ordering::SeqCst);
        let response = self.response.lock().clone();
        Box::pin(async { response.map(RegistryData::from).ok_or_else(|| SourceError::new("down")) })
    }

    fn describe(&self) -> String {
        "a script".to_owned()
    }
}
