//! The keys that describe the service itself.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tapisservice_config::{Config, Violation};
use tapisservice_core::{Secret, ServiceInfo};

/// The keys that describe the service itself.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct ServiceSettings {
    /// Name of the service in Tapis, such as `apps`; it is the first segment after `/v3/` and the user name of the service's own tokens.
    #[schemars(extend("format" = "service-name"))]
    pub service_name: String,
    // Tokens itself has none.
    /// Password for obtaining the service's own tokens from the Tokens API. Absent or empty for services that need none.
    #[serde(default)]
    pub service_password: Option<Secret>,
    /// Version of the service, included in every response envelope.
    #[serde(default = "version")]
    pub version: String,
    /// Address and port to listen on.
    #[serde(default = "listen")]
    #[schemars(extend("format" = "socket-address"))]
    pub listen: SocketAddr,
    // Rule D7.
    /// Address and port of a separate listener that serves only `GET /metrics`. If unset, metrics are not exposed.
    #[serde(default)]
    #[schemars(extend("format" = "socket-address"))]
    pub metrics_listen: Option<SocketAddr>,
    // Another path than the default where a proxy strips that (rule D1).
    /// Base path of all routes, without a trailing slash; empty for none. Default: `/v3/<service_name>`.
    #[serde(default)]
    #[schemars(regex(pattern = r"^(/[^/?#\s{}:*][^/?#\s{}]*)*/?$"))]
    pub base_path: Option<String>,
    /// Shows callers the full error chain of panics and of errors of unknown type, in place of the message. Do not enable it in production.
    #[serde(default)]
    pub show_traceback: bool,
    /// Returns 400 instead of 401 and 403, as the Python framework does.
    #[serde(default)]
    pub legacy_error_status: bool,
    /// JSON file with tenants and sites, read instead of the Tenants API.
    #[serde(default)]
    #[schemars(extend("minLength" = 1))]
    pub tenants_file: Option<PathBuf>,
}

fn version() -> String {
    "dev".to_owned()
}

fn listen() -> SocketAddr {
    SocketAddr::from(([0, 0, 0, 0], 5000))
}

impl ServiceSettings {
    /// The path below which the public reaches the service: `/v3/<service_name>`.
    pub fn public_path(&self) -> String {
        format!("/v3/{}", self.service_name)
    }

    /// The path below which its routes lie: starts with a slash, ends without one; empty for the root.
    pub fn route_path(&self) -> String {
        let path = self.base_path.clone().unwrap_or_else(|| self.public_path());
        let trimmed = path.trim_matches('/');
        if trimmed.is_empty() { String::new() } else { format!("/{trimmed}") }
    }

    pub(crate) fn info(&self) -> Arc<ServiceInfo> {
        Arc::new(ServiceInfo::new(&*self.service_name, &*self.version))
    }
}

/// The one default that depends on another key (rule C2).
pub(super) fn derive_base_path(document: &mut Map<String, Value>) {
    if let Some(name) = document.get("service_name").and_then(Value::as_str)
        && !document.contains_key("base_path")
    {
        let path = format!("/v3/{name}");
        document.insert("base_path".to_owned(), path.into());
    }
}

/// `WARNING`, the word of Python, is taken as `WARN` (rule C2).
pub(super) fn normalize_levels(document: &mut Map<String, Value>) {
    for (key, value) in document {
        if (key == "log_level" || key.ends_with("_log_level")) && value == "WARNING" {
            *value = json!("WARN");
        }
    }
}

/// Two listeners cannot have one port.
pub(super) fn check(config: &Config, service: &ServiceSettings) -> Vec<Violation> {
    let (listen, metrics) = (service.listen, service.metrics_listen);
    let taken = metrics.is_some_and(|metrics| {
        let one_family = listen.is_ipv4() == metrics.is_ipv4();
        let meet =
            listen.ip() == metrics.ip() || listen.ip().is_unspecified() || metrics.ip().is_unspecified();
        metrics.port() == listen.port() && metrics.port() != 0 && one_family && meet
    });
    let violation = || {
        config.violation("metrics_listen", "expected a port that `listen` does not take").depends_on("listen")
    };
    let mut violations: Vec<_> = taken.then(violation).into_iter().collect();
    if metrics.is_some() && cfg!(not(feature = "metrics")) {
        violations.push(config.violation(
            "metrics_listen",
            "expected nothing, as this program is built without the feature `metrics` of tapisservice",
        ));
    }
    violations
}
