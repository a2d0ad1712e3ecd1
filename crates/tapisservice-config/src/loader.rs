//! Loading a configuration.

use std::path::PathBuf;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::assemble::{Assembled, Assembly};
use crate::environment::Environment;
use crate::error::{ConfigError, Violation};
use crate::files::{Fallback, read_config, read_schema};
use crate::layers::{CompiledIn, Layers};
use crate::origin::{SchemaSource, ValueOrigin};
use crate::schema::Schema;
use crate::schema_node::Applicability;
use crate::{Config, advice, overlay, pointer, white_space};

/// How a [`Config`] is loaded; [`Config::loader`] makes one.
///
/// Everything has the default of a deployment (C1): the process environment, the paths
/// `/home/tapis/config.json` and `/home/tapis/configschema.json`, and no schema file of the service. It knows the keys of the
/// structs that it was given ([`settings`](Self::settings)).
///
/// `S` is the type of the service's own settings.
#[must_use = "a loader does nothing until `load` is called"]
pub struct Loader<S = ()> {
    compiled_in: CompiledIn,
    embedded: Option<String>,
    fallback: Option<Fallback>,
    environment: Option<Environment>,
    config_path: PathBuf,
    schema_path: PathBuf,
    local: bool,
    derive: Vec<Derive>,
    base_checks: Vec<Check<()>>,
    checks: Vec<Check<S>>,
    advice: Vec<Advice>,
    parse: fn(&Config) -> Result<S, ConfigError>,
}

/// Fills in what follows from other values.
pub(crate) type Derive = fn(&mut Map<String, Value>);

/// What is asked of a configuration beyond its schema.
type Check<S> = Arc<dyn Fn(&Config<S>) -> Result<(), ConfigError> + Send + Sync>;

/// What deserves a look in a configuration that can be used.
type Advice = fn(&Config) -> Vec<String>;

impl Loader {
    pub(crate) fn new() -> Self {
        Self {
            compiled_in: CompiledIn::default(),
            embedded: None,
            fallback: None,
            environment: None,
            config_path: "/home/tapis/config.json".into(),
            schema_path: "/home/tapis/configschema.json".into(),
            local: false,
            derive: Vec::new(),
            base_checks: Vec::new(),
            checks: Vec::new(),
            advice: Vec::new(),
            parse: |_| Ok(()),
        }
    }

    /// Adds the keys that one part of the framework reads: their types, bounds, defaults and descriptions are those of `T`. Whether
    /// values match `T` is checked with all other violations.
    ///
    /// A key that several parts read is stated by one of them; the others skip it with `#[schemars(skip)]`.
    ///
    /// # Panics
    ///
    /// In a debug build, loading the configuration panics if two parts state one key differently.
    pub fn base<T: DeserializeOwned + JsonSchema>(mut self) -> Self {
        self.compiled_in.add_base::<T>();
        self.base_check(|config| config.parse::<T>().map(drop))
    }

    /// Gives a key of the framework another default, which makes it optional: for what a program knows by itself, such as its name.
    ///
    /// ```
    /// use schemars::JsonSchema;
    /// use serde::Deserialize;
    /// use tapisservice_config::Config;
    ///
    /// #[derive(Deserialize, JsonSchema)]
    /// struct ServiceSettings {
    ///     service_name: String,
    /// }
    ///
    /// let loader = Config::loader().base::<ServiceSettings>().base_default("service_name", "shelf");
    /// # let loader = loader.default_config_path("").default_schema_path("").environment([("", ""); 0]);
    /// assert_eq!(loader.load().unwrap().get::<String>("service_name").unwrap(), "shelf");
    /// ```
    pub fn base_default(mut self, key: &str, default: impl Into<Value>) -> Self {
        self.compiled_in.set_base_default(key, default.into());
        self
    }

    /// Adds a check for keys of the framework, as [`check`](Self::check) does for those of the service.
    pub fn base_check(
        mut self,
        check: impl Fn(&Config) -> Result<(), ConfigError> + Send + Sync + 'static,
    ) -> Self {
        self.base_checks.push(Arc::new(check));
        self
    }

    /// Fills in values that follow from others, after the defaults and before the validation.
    pub fn derive(mut self, derive: fn(&mut Map<String, Value>)) -> Self {
        self.derive.push(derive);
        self
    }

    /// Adds warnings about a configuration that can be used, to [`Config::warnings`].
    pub fn advice(mut self, advice: fn(&Config) -> Vec<String>) -> Self {
        self.advice.push(advice);
        self
    }

    /// Sets the type of the service's own settings. It states their keys, and [`Config::settings`] returns it.
    ///
    /// ```
    /// use schemars::JsonSchema;
    /// use serde::Deserialize;
    /// use tapisservice_config::Config;
    /// use tapisservice_core::Secret;
    ///
    /// #[derive(Deserialize, JsonSchema)]
    /// struct ShelfSettings {
    ///     /// Books on one page.
    ///     #[serde(default = "page_size")]
    ///     page_size: u16,
    ///     /// Secret with which the publisher signs its calls.
    ///     webhook_secret: Secret,
    /// }
    ///
    /// fn page_size() -> u16 {
    ///     100
    /// }
    ///
    /// let loader = Config::loader().settings::<ShelfSettings>();
    /// # let loader = loader.default_config_path("").default_schema_path("");
    /// let config = loader.environment([("TAPIS_WEBHOOK_SECRET", "hunter2")]).load().unwrap();
    /// assert_eq!(config.settings().page_size, 100);
    /// assert_eq!(config.settings().webhook_secret.expose(), "hunter2");
    /// assert!(!config.to_string().contains("hunter2"));
    /// ```
    pub fn settings<S: DeserializeOwned + JsonSchema>(mut self) -> Loader<S> {
        self.compiled_in.set_own::<S>();
        Loader {
            compiled_in: self.compiled_in,
            embedded: self.embedded,
            fallback: self.fallback,
            environment: self.environment,
            config_path: self.config_path,
            schema_path: self.schema_path,
            local: self.local,
            derive: self.derive,
            base_checks: self.base_checks.into_iter().chain(self.checks).collect(),
            checks: Vec::new(),
            advice: self.advice,
            parse: Config::parse::<S>,
        }
    }
}

impl<S> Loader<S> {
    /// A hand-written schema (JSON Schema Draft 7), used when there is no schema file. It complements what the settings structs state:
    /// it may restrict their keys and name others.
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

    /// A configuration compiled into the service, used if there is no file; origins show `name`. For development only: a deployment
    /// without its file should fail.
    ///
    /// ```
    /// use tapisservice_config::Config;
    ///
    /// let local = r#"{"service_name": "demo"}"#;
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
    /// current folder, or else `json`, which is compiled into the service. Values from this file do not count as configured:
    /// [`Config::is_configured`] returns false for them.
    pub fn local_config(mut self, name: &str, json: impl Into<String>) -> Self {
        self.local = true;
        self.default_config_path(name).fallback_config(format!("{name} as built in"), json)
    }

    /// Adds a check for conditions that a schema cannot express, such as two keys that go together. Its violations are reported together
    /// with those of the schema, before anything starts.
    ///
    /// Keys that have already failed validation appear with their default, or as absent, and violations of those keys are not
    /// reported twice.
    ///
    /// ```
    /// use tapisservice_config::{Config, ConfigError};
    ///
    /// #[derive(serde::Deserialize, schemars::JsonSchema)]
    /// struct Pages {
    ///     page_size: u16,
    ///     page_size_max: u16,
    /// }
    ///
    /// fn check(config: &Config<Pages>) -> Result<(), ConfigError> {
    ///     let pages = config.settings();
    ///     if pages.page_size > pages.page_size_max {
    ///         return Err(config.violation("page_size", "expected a number that is not above `page_size_max`").into());
    ///     }
    ///     Ok(())
    /// }
    /// # let values = r#"{"page_size": 20, "page_size_max": 10}"#;
    /// # let loader = Config::loader().default_config_path("").fallback_config("config.json", values).environment([("", ""); 0]);
    /// let error = loader.settings::<Pages>().check(check).load().unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "/page_size: expected a number that is not above `page_size_max` (from the file config.json)"
    /// );
    /// ```
    pub fn check(
        mut self,
        check: impl Fn(&Config<S>) -> Result<(), ConfigError> + Send + Sync + 'static,
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
    /// Returns an error if a file cannot be read or is not a JSON object, if the service's schema is not valid Draft 7, or if the
    /// configuration does not match the merged schema or fails a [`check`](Self::check). The error has all violations (C7).
    pub fn load(self) -> Result<Config<S>, ConfigError> {
        let environment = self.environment.unwrap_or_else(Environment::of_process);
        let file = read_config(&environment, &self.config_path, self.fallback, self.local);
        let service = read_schema(&environment, &self.schema_path, self.embedded.as_deref());
        let (file, service) = both(file, service).map_err(ConfigError::new)?;
        let layers = Layers::merge(self.compiled_in, service)
            .map_err(|(service, found)| ConfigError::new(schema_violations(&service.source, found)))?;
        let schema = layers
            .compile()
            .map_err(|found| ConfigError::new(schema_violations(layers.service_source(), found)))?;
        let mut warnings = layers.warnings.clone();
        warnings.extend(overlay::warnings(&schema.root_node(Applicability::Certain), &environment));
        let Assembled { mut document, origins, mut violations } =
            Assembly::new(&schema, &layers, &environment, &file).run(&self.derive);
        warnings.extend(white_space::warnings(&schema, &document, &origins));
        warnings.extend(advice::warnings(&schema, &document, &origins, &environment));
        unset(&mut document, &schema, &violations);
        let mut config = Config::new(document, schema, origins, warnings, file.local);
        for check in self.base_checks {
            note(&mut violations, check(&config));
        }
        let settings = (self.parse)(&config);
        let own_checks = |config: &Config<S>| {
            // Each sees the settings, so none hides what another has to say.
            self.checks.iter().map(|check| check(config)).collect::<Vec<_>>()
        };
        match settings {
            Ok(settings) => {
                if violations.is_empty() {
                    config.warn(self.advice.iter().flat_map(|advice| advice(&config)).collect());
                }
                let config = config.with_settings(settings);
                for found in own_checks(&config) {
                    note(&mut violations, found);
                }
                if violations.is_empty() { Ok(config) } else { Err(ConfigError::new(violations)) }
            }
            Err(error) => {
                note(&mut violations, Err(error));
                Err(ConfigError::new(violations))
            }
        }
    }
}

/// Adds what is new.
fn note(violations: &mut Vec<Violation>, found: Result<(), ConfigError>) {
    let found = found.err().map(ConfigError::into_violations).unwrap_or_default();
    let new: Vec<_> = found.into_iter().filter(|violation| violation.is_new(violations)).collect();
    violations.extend(new);
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

impl<S> Clone for Loader<S> {
    fn clone(&self) -> Self {
        Self {
            compiled_in: self.compiled_in.clone(),
            embedded: self.embedded.clone(),
            fallback: self.fallback.clone(),
            environment: self.environment.clone(),
            config_path: self.config_path.clone(),
            schema_path: self.schema_path.clone(),
            local: self.local,
            derive: self.derive.clone(),
            base_checks: self.base_checks.clone(),
            checks: self.checks.clone(),
            advice: self.advice.clone(),
            parse: self.parse,
        }
    }
}

impl<S> std::fmt::Debug for Loader<S> {
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

fn schema_violations(source: &SchemaSource, violations: Vec<(String, String)>) -> Vec<Violation> {
    let violation = |(at, message): (String, String)| {
        let place = if at.is_empty() { "at its root" } else { at.as_str() };
        Violation::of_source(ValueOrigin::Schema { schema: source.clone() }, format!("{place}: {message}"))
    };
    violations.into_iter().map(violation).collect()
}
