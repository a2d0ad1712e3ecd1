//! A site with tenants of one key, a service on it, and tokens.

use std::sync::LazyLock;

use serde_json::{Value, json};
use tapisservice_auth::AuthSettings;
use tapisservice_core::SiteId;
use tapisservice_tenants::{Registry, RegistryData};

use crate::Signer;

/// The current time of all targets.
pub const NOW: u32 = 1_800_000_000;
/// The host of the tenant `acme`.
pub const HOST: &str = "acme.tapis.test";

/// The key of all tenants.
pub static KEY: LazyLock<Signer> = LazyLock::new(Signer::generate);
/// Of alice at the tenant `acme`.
pub static USER_TOKEN: LazyLock<String> = LazyLock::new(|| token(&json!({"tapis/account_type": "user"})));
/// Of the service `jobs` at the tenant `acme`, for this site.
pub static SERVICE_TOKEN: LazyLock<String> =
    LazyLock::new(|| token(&json!({"tapis/account_type": "service", "tapis/target_site": "tacc"})));

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| Registry::build(&registry_data(), None).unwrap());

/// The registry that requests are decided with.
pub fn registry() -> &'static Registry {
    &REGISTRY
}

/// Its records.
pub fn registry_data() -> RegistryData {
    let tenant = |id: &str, site: &str| {
        json!({"tenant_id": id, "site_id": site, "public_key": KEY.public_pem(), "status": "active",
               "base_url": format!("https://{id}.tapis.test"), "token_service": format!("https://{id}.tapis.test/v3/tokens")})
        .into()
    };
    RegistryData::new(vec![tenant("acme", "tacc"), tenant("beta", "tacc"), tenant("uhadmin", "uh")], vec![
            json!({"site_id": "tacc", "primary": true, "site_admin_tenant_id": "acme", "services": ["bookmarks"],
                   "tenant_base_url_template": "https://${tenant_id}.tapis.test"})
            .into(),
            json!({"site_id": "uh", "primary": false, "site_admin_tenant_id": "uhadmin", "services": ["bookmarks"]}).into(),
        ])
}

/// The service `bookmarks` at the primary site, which serves every tenant.
pub fn settings() -> AuthSettings {
    AuthSettings::new("bookmarks", SiteId::new("tacc").unwrap())
}

fn token(claims: &Value) -> String {
    let name = if claims["tapis/account_type"] == "user" { "alice" } else { "jobs" };
    let mut all = json!({
        "iss": format!("https://{HOST}/v3/tokens"), "sub": format!("{name}@acme"), "tapis/tenant_id": "acme",
        "tapis/token_type": "access", "tapis/username": name, "exp": NOW + 3600,
    });
    all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
    KEY.sign(br#"{"typ":"JWT","alg":"RS256"}"#, all.to_string().as_bytes())
}
