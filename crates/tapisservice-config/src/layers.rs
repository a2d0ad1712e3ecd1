//! The schemas that a configuration is validated with, lowest first: the framework's, the one of the service's own settings, and the
//! service's hand-written one. Each complements those below it (C3).

use schemars::JsonSchema;
use serde_json::{Map, Value};

use crate::derived::members_of;
use crate::files::ServiceSchema;
use crate::merge::merge;
use crate::origin::SchemaSource;
use crate::schema::{Schema, draft7_violations};
use crate::schema_node::Subschema;
use crate::{pointer, references};

/// What is compiled into the program, from settings structs.
#[derive(Debug, Clone, Default)]
pub(crate) struct CompiledIn {
    /// The framework's.
    base: Map<String, Value>,
    /// The service's own.
    own: Map<String, Value>,
    /// Keys that two structs state, and not alike.
    clashes: Vec<String>,
}

/// All layers, merged.
pub(crate) struct Layers {
    compiled_in: CompiledIn,
    service: ServiceSchema,
    merged: Value,
    /// What the author of the service's schema should know.
    pub(crate) warnings: Vec<String>,
}

impl CompiledIn {
    /// Adds the keys of one part of the framework.
    pub(crate) fn add_base<T: JsonSchema>(&mut self) {
        let merged = merge(&self.base, &members_of::<T>(), "another part of the framework");
        self.clashes.extend(merged.overridden);
        self.base = merged.schema;
    }

    /// Gives a key of the framework another default, which makes it optional. A key that no part stated is left alone.
    pub(crate) fn set_base_default(&mut self, key: &str, default: Value) {
        let properties = self.base.get_mut("properties").and_then(Value::as_object_mut);
        let Some(Value::Object(property)) = properties.and_then(|properties| properties.get_mut(key)) else {
            return;
        };
        property.insert("default".to_owned(), default);
        if let Some(Value::Array(required)) = self.base.get_mut("required") {
            required.retain(|required| required != key);
        }
    }

    /// Sets the keys of the service itself.
    pub(crate) fn set_own<T: JsonSchema>(&mut self) {
        self.own = members_of::<T>();
    }
}

impl Layers {
    /// Merges the layers.
    ///
    /// # Errors
    ///
    /// With what is wrong with the service's schema, as pairs of a pointer into it and a message.
    pub(crate) fn merge(
        compiled_in: CompiledIn,
        service: ServiceSchema,
    ) -> Result<Self, (ServiceSchema, Vec<(String, String)>)> {
        debug_assert!(
            compiled_in.clashes.is_empty(),
            "keys that two structs state differently: {:?}",
            compiled_in.clashes
        );
        let own = merge(&compiled_in.base, &compiled_in.own, "the framework's base schema");
        let all = merge(&own.schema, &service.value, "the schemas compiled into the service");
        let merged = Value::Object(all.schema);
        let mut violations = draft7_violations(&Value::Object(service.value.clone()));
        if !violations.is_empty() {
            violations.extend(references::violations(&merged));
            return Err((service, violations));
        }
        let warnings = own.warnings.into_iter().chain(all.warnings).collect();
        Ok(Self { compiled_in, service, merged, warnings })
    }

    /// The merged schema, compiled.
    ///
    /// # Errors
    ///
    /// With what is wrong with it, as pairs of a pointer into it and a message.
    pub(crate) fn compile(&self) -> Result<Schema, Vec<(String, String)>> {
        Schema::compile(self.merged.clone())
    }

    pub(crate) fn service_source(&self) -> &SchemaSource {
        &self.service.source
    }

    /// The layers with their names, highest first.
    fn by_rank(&self) -> [(&Map<String, Value>, SchemaSource); 3] {
        [
            (&self.service.value, self.service.source.clone()),
            (&self.compiled_in.own, SchemaSource::Embedded),
            (&self.compiled_in.base, SchemaSource::Base),
        ]
    }

    /// The schema that has a subschema at this pointer.
    pub(crate) fn stating(&self, at: &str, subschema: &Subschema) -> Option<SchemaSource> {
        let has = |schema| pointed(schema, at) == Some(subschema);
        self.by_rank().into_iter().find(|(schema, _)| has(schema)).map(|(_, source)| source)
    }

    /// The schema that declares the top-level key a pointer begins with.
    pub(crate) fn declaring(&self, at: &str) -> SchemaSource {
        let key = pointer::keys(at).next().unwrap_or_default();
        let declares =
            |schema: &Map<String, Value>| schema.get("properties").is_some_and(|p| p.get(&key).is_some());
        let found = self.by_rank().into_iter().find(|(schema, _)| declares(schema));
        found.map_or_else(|| self.service.source.clone(), |(_, source)| source)
    }
}

fn pointed<'v>(schema: &'v Map<String, Value>, pointer: &str) -> Option<&'v Subschema> {
    if pointer.is_empty() {
        return Some(schema);
    }
    let mut keys = pointer::keys(pointer);
    let first = schema.get(&keys.next()?)?;
    let rest = pointer.splitn(3, '/').nth(2).map_or_else(String::new, |rest| format!("/{rest}"));
    first.pointer(&rest)?.as_object()
}
