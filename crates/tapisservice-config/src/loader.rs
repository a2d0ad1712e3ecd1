//! Loading a configuration.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;

use crate::assemble::{Assembled, Assembly};
use crate::environment::Environment;
use crate::error::{ConfigError, Violation};
use crate::files::{Fallback, ServiceSchema, read_config, read_schema};
use crate::merge::{Merged, merge};
use crate::origin::{SchemaSource, ValueOrigin};
use crate::schema::{Schema, draft7_violations};
use crate::schema_node::Applicability;
use crate::{Config, base, overlay, pointer, references, white_space};

/// How a [`Config`] is loaded; [`Config::loader`] makes one.
///
/// Everything has the default of a deployment (C1): the process environment, the paths
/// `/home/tapis/config.json` and `/home/tapis/configschema.json`, and no schema of the service.
#[derive(Clone)]
#[must_use = "a loader does nothing until `load` is called"]
pub struct Loader {
    embedded: Option<String>,
    fallback: Option<Fallback>,
    environment: Option<Environment>,
    config_path: PathBuf,
    schema_path: PathBuf,
    local: bool,
    checks: Vec<Check>,
}

/// What is asked of a configuration beyond its schema.
type Check = Arc<dyn Fn(&Config) -> Result<(), ConfigError> + Send + Sync>;

impl Loader {
    pub(crate) fn new() -> Self {
        Self {
            embedded: None,
            fallback: None,
            environment: None,
            config_path: "/home/tapis/config.json".into(),
            schema_path: "/home/tapis/configschema.json".into(),
            local: false,
            checks: Vec::new(),
        }
    }

    /// The schema compiled into the service, used when there is no schema file.
    pub fn embedded_schema(mut self, json: impl Into<String>) -> Self {
        self.embedded = Some(json.into());
        self
    }

    /// Variables to use instead of the environment of the process, for tests.
    pub fn environment<N: Into<String>, T: Into<String>>(
        mut self,
        variables: impl IntoIterator<Item = (N, T)>,
    ) -> Self {
        self.environment = Some(variables.into_iter().collect());
        self
    }

    /// The file that is read when `TAPIS_CONFIG_PATH` is not set, if it exists.
    pub fn default_config_path(mut self, path: impl Into<PathBuf>) -> Self {
        self.config_path = path.into();
        self
    }

    /// A configuration compiled into the service, used when there is no file; `name` is what origins show. For
    /// development: a deployment that forgot its file should fail.
    ///
    /// ```
    /// use tapisservice_config::Config;
    ///
    /// let local = r#"{"service_name": "demo", "service_site_id": "tacc", "service_tenant_id": "admin", "tenants": ["*"],
    ///     "primary_site_admin_tenant_base_url": "http://localhost:5081"}"#;
    /// let loader = Config::loader().default_config_path("does-not-exist.json");
    /// # let loader = loader.environment([("", ""); 0]);
    /// let config = loader.fallback_config("config-local.json, compiled in", local).load().unwrap();
    /// assert_eq!(config.origin("service_name").unwrap().to_string(), "the file config-local.json, compiled in");
    /// ```
    pub fn fallback_config(mut self, name: impl Into<PathBuf>, json: impl Into<String>) -> Self {
        self.fallback = Some(Fallback { name: name.into(), json: json.into() });
        self
    }

    /// The configuration of a development machine, used when `TAPIS_CONFIG_PATH` is not set: the file `name` in the
    /// current folder, or what is compiled into the service. Nobody deployed what it says, so that
    /// [`Config::is_configured`] is false for it.
    pub fn local_config(mut self, name: &str, json: impl Into<String>) -> Self {
        self.local = true;
        self.default_config_path(name).fallback_config(format!("{name} as built in"), json)
    }

    /// Adds what is asked of the configuration beyond its schema: that it fits a type, that two keys go together. Its
    /// faults are reported together with those of the schema, and before anything starts.
    ///
    /// It sees the value of a key whose fault is known already as if nobody had set it, and what it says of such a
    /// key is left out.
    ///
    /// ```
    /// use tapisservice_config::{Config, ConfigError};
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Pages {
    ///     page_size: u16,
    ///     page_size_max: u16,
    /// }
    ///
    /// fn check(config: &Config) -> Result<(), ConfigError> {
    ///     let pages: Pages = config.parse()?;
    ///     if pages.page_size > pages.page_size_max {
    ///         return Err(config.violation("page_size", "expected a number that is not above `page_size_max`").into());
    ///     }
    ///     Ok(())
    /// }
    /// # let required = r#"{"service_name": "demo", "service_site_id": "tacc", "service_tenant_id": "admin", "tenants": [],
    /// #     "primary_site_admin_tenant_base_url": "http://localhost", "page_size": 20, "page_size_max": 10}"#;
    /// # let loader = Config::loader().default_config_path("").fallback_config("config.json", required).environment([("", ""); 0]);
    /// let error = loader.check(check).load().unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "/page_size: expected a number that is not above `page_size_max` (from the file config.json)"
    /// );
    /// ```
    pub fn check(
        mut self,
        check: impl Fn(&Config) -> Result<(), ConfigError> + Send + Sync + 'static,
    ) -> Self {
        self.checks.push(Arc::new(check));
        self
    }

    /// The schema that is read when `TAPIS_CONFIGSCHEMA_PATH` is not set, if it exists.
    pub fn default_schema_path(mut self, path: impl Into<PathBuf>) -> Self {
        self.schema_path = path.into();
        self
    }

    /// Reads the files and the environment and validates the result.
    ///
    /// # Errors
    ///
    /// When a file cannot be read or is no JSON object, when the service's schema is no valid Draft 7 one,
    /// and when the configuration does not fit the merged schema or fails a [`check`](Self::check): with every
    /// fault at once (C7).
    pub fn load(self) -> Result<Config, ConfigError> {
        let environment = self.environment.unwrap_or_else(Environment::of_process);
        let file = read_config(&environment, &self.config_path, self.fallback, self.local);
        let service = read_schema(&environment, &self.schema_path, self.embedded.as_deref());
        let (file, service) = both(file, service).map_err(ConfigError::new)?;
        let (schema, mut warnings) = compile(&service).map_err(ConfigError::new)?;
        warnings.extend(overlay::warnings(&schema.root_node(Applicability::Certain), &environment));
        let Assembled { mut document, origins, mut violations } =
            Assembly::new(&schema, &service, &environment, &file).run();
        warnings.extend(white_space::warnings(&schema, &document, &origins));
        unset(&mut document, &schema, &violations);
        let config = Config::new(document, schema, origins, warnings, file.local);
        for check in self.checks {
            let found = check(&config).err().map(ConfigError::into_violations).unwrap_or_default();
            let new: Vec<_> = found.into_iter().filter(|violation| violation.is_new(&violations)).collect();
            violations.extend(new);
        }
        if violations.is_empty() { Ok(config) } else { Err(ConfigError::new(violations)) }
    }
}

/// Puts the default in place of what is at fault, so that checks can look at the rest. A default that is at fault
/// itself is no worse than what was there: what checks say of it is known.
fn unset(document: &mut Value, schema: &Schema, violations: &[Violation]) {
    let Value::Object(members) = document else { return };
    for key in violations.iter().filter_map(|violation| pointer::keys(violation.pointer()).next()) {
        members.remove(&key);
        let default = schema.root_node(Applicability::Certain).member(&key).default().cloned();
        if let Some(default) = default {
            members.insert(key, default);
        }
    }
}

impl std::fmt::Debug for Loader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The environment holds secrets.
        f.debug_struct("Loader")
            .field("config_path", &self.config_path)
            .field("schema_path", &self.schema_path)
            .finish_non_exhaustive()
    }
}

fn both<A, B>(a: Result<A, Violation>, b: Result<B, Violation>) -> Result<(A, B), Vec<Violation>> {
    match (a, b) {
        (Ok(a), Ok(b)) => Ok((a, b)),
        (a, b) => Err(a.err().into_iter().chain(b.err()).collect()),
    }
}

/// The merged schema and the warnings about the service's.
fn compile(service: &ServiceSchema) -> Result<(Schema, Vec<String>), Vec<Violation>> {
    let report = |violations| schema_violations(&service.source, violations);
    let mut violations = draft7_violations(&Value::Object(service.value.clone()));
    let Merged { schema, warnings } = merge(base::schema(), &service.value);
    if !violations.is_empty() {
        violations.extend(references::violations(&schema));
        return Err(report(violations));
    }
    Schema::compile(schema).map(|schema| (schema, warnings)).map_err(report)
}

fn schema_violations(source: &SchemaSource, violations: Vec<(String, String)>) -> Vec<Violation> {
    let violation = |(at, message): (String, String)| {
        let place = if at.is_empty() { "at its root" } else { at.as_str() };
        Violation::of_source(ValueOrigin::Schema { schema: source.clone() }, format!("{place}: {message}"))
    };
    violations.into_iter().map(violation).collect()
}
