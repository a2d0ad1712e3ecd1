//! Loading a configuration.

use std::path::PathBuf;

use serde_json::Value;

use crate::assemble::Assembly;
use crate::environment::Environment;
use crate::error::{ConfigError, Fault};
use crate::files::{Fallback, ServiceSchema, read_config, read_schema};
use crate::merge::{Merged, merge};
use crate::origin::{Origin, SchemaSource};
use crate::place::Reach;
use crate::schema::{Schema, draft7_faults};
use crate::{Config, base, overlay, references};

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
}

impl Loader {
    pub(crate) fn new() -> Self {
        Self {
            embedded: None,
            fallback: None,
            environment: None,
            config_path: "/home/tapis/config.json".into(),
            schema_path: "/home/tapis/configschema.json".into(),
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
    /// and when the configuration does not fit the merged schema: with every fault at once (C7).
    pub fn load(self) -> Result<Config, ConfigError> {
        let environment = self.environment.unwrap_or_else(Environment::of_process);
        let file = read_config(&environment, &self.config_path, self.fallback);
        let service = read_schema(&environment, &self.schema_path, self.embedded.as_deref());
        let (file, service) = both(file, service).map_err(ConfigError::new)?;
        let (schema, mut warnings) = compile(&service).map_err(ConfigError::new)?;
        warnings.extend(overlay::warnings(&schema.place(Reach::Certain), &environment));
        let assembly = Assembly::new(&schema, &service, &environment, &file);
        let (document, origins) = assembly.run().map_err(ConfigError::new)?;
        Ok(Config::new(document, schema, origins, warnings))
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

fn both<A, B>(a: Result<A, Fault>, b: Result<B, Fault>) -> Result<(A, B), Vec<Fault>> {
    match (a, b) {
        (Ok(a), Ok(b)) => Ok((a, b)),
        (a, b) => Err(a.err().into_iter().chain(b.err()).collect()),
    }
}

/// The merged schema and the warnings about the service's.
fn compile(service: &ServiceSchema) -> Result<(Schema, Vec<String>), Vec<Fault>> {
    let report = |faults| schema_faults(&service.source, faults);
    let mut faults = draft7_faults(&Value::Object(service.value.clone()));
    let Merged { schema, warnings } = merge(base::schema(), &service.value);
    if !faults.is_empty() {
        faults.extend(references::faults(&schema));
        return Err(report(faults));
    }
    Schema::compile(schema).map(|schema| (schema, warnings)).map_err(report)
}

fn schema_faults(source: &SchemaSource, faults: Vec<(String, String)>) -> Vec<Fault> {
    let fault = |(at, message): (String, String)| {
        let place = if at.is_empty() { "at its root" } else { at.as_str() };
        Fault::of_source(Origin::Schema { schema: source.clone() }, format!("{place}: {message}"))
    };
    faults.into_iter().map(fault).collect()
}
