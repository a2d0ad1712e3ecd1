//! Records as the Tenants API gives them.

use std::sync::LazyLock;

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use serde_json::{Value, json};
use tapisservice_tenants::{RegistryData, RegistryRecord};

pub(crate) static KEY: LazyLock<String> = LazyLock::new(fresh_key);

pub(crate) fn fresh_key() -> String {
    let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
    pem::encode(&pem::Pem::new("PUBLIC KEY", pair.public_key().as_der().unwrap().as_ref()))
}

pub(crate) fn tenant(id: &str, site: &str, base_url: &str) -> Value {
    json!({"tenant_id": id, "site_id": site, "base_url": base_url, "status": "active",
           "token_service": format!("{base_url}/v3/tokens"), "public_key": *KEY})
}

pub(crate) fn sites() -> Vec<Value> {
    vec![
        json!({"site_id": "tacc", "primary": true, "site_admin_tenant_id": "admin",
               "tenant_base_url_template": "https://${tenant_id}.tapis.test", "services": ["files", "bookmarks"]}),
        json!({"site_id": "uh", "primary": false, "site_admin_tenant_id": "adminuh", "services": ["files"]}),
    ]
}

/// The records of a registry while a test changes them.
#[derive(Clone)]
pub(crate) struct ListResponses {
    pub(crate) tenants: Vec<Value>,
    pub(crate) sites: Vec<Value>,
}

impl From<ListResponses> for RegistryData {
    fn from(responses: ListResponses) -> Self {
        let records = |values: Vec<Value>| values.into_iter().map(RegistryRecord::from).collect();
        Self::new(records(responses.tenants), records(responses.sites))
    }
}

pub(crate) fn data() -> ListResponses {
    ListResponses {
        sites: sites(),
        tenants: vec![
            tenant("admin", "tacc", "https://admin.tapis.test"),
            tenant("tacc", "tacc", "https://tacc.tapis.test"),
            tenant("adminuh", "uh", "https://adminuh.hawaii.test"),
            tenant("uh", "uh", "https://uh.hawaii.test"),
        ],
    }
}
