//! A loaded configuration.

use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{ConfigError, Violation};
use crate::origin::Origins;
use crate::schema::Schema;
use crate::typed::{self, Context};
use crate::{Loader, ValueOrigin, mask, pointer};

/// A validated configuration; clones share one document.
///
/// `S` is the type of the service's own settings ([`Loader::settings`]).
///
/// [`Debug`](fmt::Debug) and [`Display`](fmt::Display) print secrets as `***` (C8).
pub struct Config<S = ()> {
    document: Arc<Document>,
    settings: Arc<S>,
}

struct Document {
    value: Value,
    schema: Schema,
    origins: Origins,
    warnings: Vec<String>,
    /// Whether the file is what a development machine has in place of a deployer's.
    local: bool,
}

impl Config {
    /// A loader with the defaults of a deployment, which knows no keys yet.
    pub fn loader() -> Loader {
        Loader::new()
    }

    pub(crate) fn new(
        value: Value,
        schema: Schema,
        origins: Origins,
        warnings: Vec<String>,
        local: bool,
    ) -> Self {
        let document = Document { value, schema, origins, warnings, local };
        Self { document: Arc::new(document), settings: Arc::new(()) }
    }

    /// Adds warnings, as long as nobody shares the document.
    pub(crate) fn warn(&mut self, warnings: Vec<String>) {
        if let Some(document) = Arc::get_mut(&mut self.document) {
            document.warnings.extend(warnings);
        }
    }

    pub(crate) fn with_settings<S>(self, settings: S) -> Config<S> {
        Config { document: self.document, settings: Arc::new(settings) }
    }
}

impl<S> Config<S> {
    /// The service's own settings.
    pub fn settings(&self) -> &S {
        &self.settings
    }

    /// The same configuration without the type of the service's own settings.
    pub fn untyped(&self) -> Config {
        Config { document: Arc::clone(&self.document), settings: Arc::new(()) }
    }

    /// The value of a top-level key as a `T`. An absent key counts as null, so that an `Option` is `None`.
    ///
    /// # Errors
    ///
    /// When the value does not fit `T`, or is absent and `T` has no place for null.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Result<T, ConfigError> {
        let at = pointer::member("", key);
        match self.value(key) {
            Some(value) => Ok(typed::parse(value, &at, self.context())?),
            None => T::deserialize(Value::Null).map_err(|_| Violation::new(at, "required", None).into()),
        }
    }

    /// The value of a top-level key as it is: secrets included, so neither print nor send it.
    pub fn value(&self, key: &str) -> Option<&Value> {
        self.document.value.get(key)
    }

    /// The whole configuration as a `T`, a struct with the keys that some part needs. Keys that `T` does not know are passed over. A
    /// service's own settings are [`settings`](Self::settings).
    ///
    /// # Errors
    ///
    /// When values do not fit `T`, with a fault for each as far as they can be told apart: a value that has neither a
    /// default nor is optional hides those after it. The schema is what finds all.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, ConfigError> {
        typed::parse_document(self.context()).map_err(ConfigError::new)
    }

    /// A fault of a key, or of what lies at a JSON pointer when it starts with `/`, with the origin of its value; for a
    /// [`check`](Loader::check). The message says what was expected, and no value.
    pub fn violation(&self, key_or_pointer: &str, message: impl Into<String>) -> Violation {
        let at = at(key_or_pointer);
        let message = typed::without_secret(&at, message.into(), self.context());
        let origin = self.origin(&at).cloned();
        Violation::new(at, message, origin)
    }

    /// Whether whoever deploys the service set the key: in the environment, or in a file that is not just the one of
    /// a development machine ([`Loader::local_config`]). False for a default, and for a key that is absent.
    pub fn is_configured(&self, key: &str) -> bool {
        match self.origin(key) {
            None | Some(ValueOrigin::Default { .. }) => false,
            Some(ValueOrigin::File { .. }) => !self.document.local,
            Some(_) => true,
        }
    }

    /// Where the value of a top-level key, or at a JSON pointer when it starts with `/`, came from; `None`
    /// when there is no such value.
    pub fn origin(&self, key_or_pointer: &str) -> Option<&ValueOrigin> {
        let at = at(key_or_pointer);
        self.document.value.pointer(&at)?;
        self.document.origins.of(&at)
    }

    /// What deserves a look: keys without an effect, unknown keys with a name like that of a known one, keys of the framework that the
    /// service's overrides, parts of the service's schema that have no effect, variables that are not read, white space around
    /// secrets. To be logged once logs are up.
    pub fn warnings(&self) -> &[String] {
        &self.document.warnings
    }

    /// The merged schema (C3).
    pub fn merged_schema(&self) -> &Value {
        self.document.schema.as_value()
    }

    /// Every top-level key with its value in print and its origin, ordered by key.
    ///
    /// ```
    /// # use tapisservice_config::Config;
    /// # let loader = Config::loader().default_config_path("").default_schema_path("").environment([("", ""); 0]);
    /// # let config = loader.fallback_config("config.json", r#"{"service_name": "demo"}"#).load().unwrap();
    /// for entry in config.entries() {
    ///     println!("{} = {} from {}", entry.key, entry.value, entry.origin);
    /// }
    /// ```
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        let mut keys: Vec<_> =
            self.document.value.as_object().into_iter().flat_map(|members| members.keys()).collect();
        keys.sort_unstable();
        let masked = mask::masked(&self.document.schema, &self.document.value);
        keys.into_iter().filter_map(move |key| {
            let value = masked.get(key).cloned()?;
            Some(Entry { key, value, origin: self.origin(&pointer::member("", key))? })
        })
    }

    fn context(&self) -> Context<'_> {
        Context {
            schema: &self.document.schema,
            document: &self.document.value,
            origins: &self.document.origins,
        }
    }
}

fn at(key_or_pointer: &str) -> String {
    if key_or_pointer.starts_with('/') {
        key_or_pointer.to_owned()
    } else {
        pointer::member("", key_or_pointer)
    }
}

/// A top-level key of a configuration, fit to be printed.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Entry<'a> {
    /// The key.
    pub key: &'a str,
    /// The value, with `***` for every secret.
    pub value: Value,
    /// Where the value came from.
    pub origin: &'a ValueOrigin,
}

/// One line per key, `key = value (origin)`, with `***` for every secret.
impl<S> fmt::Display for Config<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Entry { key, value, origin } in self.entries() {
            writeln!(f, "{} = {value} ({origin})", key.escape_debug())?;
        }
        Ok(())
    }
}

impl<S> Clone for Config<S> {
    fn clone(&self) -> Self {
        Self { document: Arc::clone(&self.document), settings: Arc::clone(&self.settings) }
    }
}

impl<S> fmt::Debug for Config<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.entries().map(|entry| (entry.key, entry.value))).finish()
    }
}
