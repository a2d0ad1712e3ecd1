//! The one tenant of a development machine without a Tenants API: `use_tenants: false` and the `dev_` keys, as in the Python framework.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tapisservice_auth::{AuthSettings, Environment};
use tapisservice_config::{Config, Violation};
use tapisservice_tenants::{
    BoxFuture, RegistryData, RegistryRecord, SourceError, TenantKey, TenantSource, parse_base_url,
};

/// The id of the tenant where `tenants` names none.
const TENANT: &str = "dev";

/// Keys that say nothing as long as the Tenants API is read.
const KEYS: [&str; 6] = [
    "dev_jwt_public_key",
    "dev_base_url",
    "dev_iss",
    "dev_token_service",
    "dev_authenticator",
    "dev_security_kernel",
];

/// The keys that describe the tenant of a development machine.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct DevelopmentSettings {
    /// Reads tenants and sites from the Tenants API. `false` is allowed only where `server` is `dev`: then there is one tenant, which the `dev_` keys describe; its id is the one that `tenants` names, or `dev`.
    #[serde(default = "yes")]
    pub use_tenants: bool,
    /// Public key (PEM) that verifies the tokens of the development tenant. Required where `use_tenants` is false.
    #[serde(default)]
    pub dev_jwt_public_key: Option<String>,
    /// Base URL of the development tenant and of all services. Required where `use_tenants` is false.
    #[serde(default)]
    pub dev_base_url: Option<String>,
    /// Issuer of the development tenant's tokens. Default: `dev_token_service`.
    #[serde(default)]
    pub dev_iss: Option<String>,
    /// URL of the Tokens API of the development tenant.
    #[serde(default)]
    #[schemars(extend("writeOnly" = false))]
    pub dev_token_service: Option<String>,
    /// URL of the Authenticator of the development tenant, kept in its record.
    #[serde(default)]
    pub dev_authenticator: Option<String>,
    /// URL of the Security Kernel of the development tenant, kept in its record.
    #[serde(default)]
    pub dev_security_kernel: Option<String>,
}

fn yes() -> bool {
    true
}

/// The registry that the keys describe. It never changes.
#[derive(Debug, Clone)]
pub(super) struct OneTenant {
    tenant: RegistryRecord,
    site: RegistryRecord,
}

impl OneTenant {
    pub(super) fn new(development: &DevelopmentSettings, auth: &AuthSettings) -> Self {
        let id = match auth.served_tenants() {
            Some([id, ..]) => id.as_str(),
            _ => TENANT,
        };
        let site = &auth.service_site_id;
        let tenant = json!({
            "tenant_id": id,
            "site_id": site,
            "status": "ACTIVE",
            "base_url": development.dev_base_url,
            "public_key": development.dev_jwt_public_key,
            // An issuer is compared with this (rule A8).
            "token_service": development.dev_iss.as_ref().or(development.dev_token_service.as_ref()),
            "authenticator": development.dev_authenticator,
            "security_kernel": development.dev_security_kernel,
        });
        let site = json!({
            "site_id": site,
            "primary": true,
            "site_admin_tenant_id": id,
            "base_url": development.dev_base_url,
            "tenant_base_url_template": development.dev_base_url,
            "services": [],
        });
        Self { tenant: without_null(tenant).into(), site: without_null(site).into() }
    }
}

fn without_null(mut record: Value) -> Value {
    if let Some(members) = record.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    record
}

impl TenantSource for OneTenant {
    fn fetch(&self) -> BoxFuture<'_, Result<RegistryData, SourceError>> {
        let data = RegistryData::new(vec![self.tenant.clone()], vec![self.site.clone()]);
        Box::pin(async move { Ok(data) })
    }

    fn describe(&self) -> String {
        "the dev_ keys of the configuration".to_owned()
    }
}

/// Whether the keys describe a tenant, where they are to.
pub(super) fn check(config: &Config, development: &DevelopmentSettings) -> Vec<Violation> {
    if development.use_tenants {
        return Vec::new();
    }
    let Ok(auth) = config.parse::<AuthSettings>() else { return Vec::new() };
    let mut violations = Vec::new();
    if auth.server != Environment::Dev {
        let text =
            "must be true unless `server` is `dev`: a deployment reads its tenants from the Tenants API";
        violations.push(config.violation("use_tenants", text).depends_on("server"));
    }
    if matches!(config.value("tenants_file"), Some(Value::String(_))) {
        let text = "must be absent where `use_tenants` is false: that has a tenant of its own";
        violations.push(config.violation("tenants_file", text).depends_on("use_tenants"));
    }
    if auth.served_tenants().is_some_and(|tenants| tenants.len() > 1) {
        let text = "expected one tenant at most where `use_tenants` is false";
        violations.push(config.violation("tenants", text).depends_on("use_tenants"));
    }
    violations.extend(required(
        config,
        "dev_jwt_public_key",
        development.dev_jwt_public_key.as_deref(),
        |key| TenantKey::from_pem(key).err().map(|error| error.to_string()),
    ));
    violations.extend(required(config, "dev_base_url", development.dev_base_url.as_deref(), |url| {
        let is_url = parse_base_url(url).is_some();
        (!is_url).then(|| "expected an http or https URL without user, query and fragment".to_owned())
    }));
    violations
}

fn required(
    config: &Config,
    key: &str,
    value: Option<&str>,
    wrong: impl FnOnce(&str) -> Option<String>,
) -> Option<Violation> {
    let text = match value {
        None => "required where `use_tenants` is false".to_owned(),
        Some(value) => wrong(value)?,
    };
    Some(config.violation(key, text).depends_on("use_tenants"))
}

/// Says which keys have no effect since the Tenants API is read.
pub(super) fn advice(config: &Config) -> Vec<String> {
    if config.value("use_tenants") == Some(&Value::Bool(false)) {
        return Vec::new();
    }
    let set = KEYS.into_iter().filter_map(|key| Some((key, config.origin(key)?)));
    let warning = |(key, origin)| {
        format!(
            "/{key} has no effect (from {origin}): tenants are read from the Tenants API unless `use_tenants` is false"
        )
    };
    set.map(warning).collect()
}
