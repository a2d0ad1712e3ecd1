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
    /// Whether the file is the development file ([`Loader::local_config`]).
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
    /// Returns an error if the value does not deserialize as `T`, or if the key is absent and `T` is not an `Option`.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Result<T, ConfigError> {
        let at = pointer::member("", key);
        match self.value(key) {
            Some(value) => Ok(typed::parse(value, &at, self.context())?),
            None => T::deserialize(Value::Null).map_err(|_| Violation::new(at, "required", None).into()),
        }
    }

    /// The value of a top-level key, unmasked. It may be a secret: do not print or send it.
    pub fn value(&self, key: &str) -> Option<&Value> {
        self.document.value.get(key)
    }

    /// Deserializes the whole configuration as a `T`, a struct with the keys that one part needs. Keys that `T` does not have are ignored.
    /// The service's own settings are [`settings`](Self::settings).
    ///
    /// # Errors
    ///
    /// Returns an error if values do not match `T`. A missing required field hides later violations; schema validation at load time
    /// reports all of them.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, ConfigError> {
        typed::parse_document(self.context()).map_err(ConfigError::new)
    }

    /// Creates a violation for `key_or_pointer`, a key or a JSON pointer (which starts with `/`), for use in a [`check`](Loader::check).
    /// The message states what was expected; do not include the value.
    pub fn violation(&self, key_or_pointer: &str, message: impl Into<String>) -> Violation {
        let at = at(key_or_pointer);
        let message = typed::without_secret(&at, message.into(), self.context());
        let origin = self.origin(&at).cloned();
        Violation::new(at, message, origin)
    }

    /// Returns whether the operator set the key, in the environment or in a configuration file. The development file
    /// ([`Loader::local_config`]) and defaults do not count.
    pub fn is_configured(&self, key: &str) -> bool {
        match self.origin(key) {
            None | Some(ValueOrigin::Default { .. }) => false,
            Some(ValueOrigin::File { .. }) => !self.document.local,
            Some(_) => true,
        }
    }

    /// The source of the value of a top-level key, or of the value at a JSON pointer (which starts with `/`). `None` if there is no
    /// such value.
    pub fn origin(&self, key_or_pointer: &str) -> Option<&ValueOrigin> {
        let at = at(key_or_pointer);
        self.document.value.pointer(&at)?;
        self.document.origins.of(&at)
    }

    /// Returns warnings, such as unknown or ineffective keys and white space around secrets. Log them after logging has started.
    pub fn warnings(&self) -> &[String] {
        &self.document.warnings
    }

    /// The merged schema (C3).
    pub fn merged_schema(&self) -> &Value {
        self.document.schema.as_value()
    }

    /// Every top-level key with its masked value and its origin, ordered by key.
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
