//! From two files and the environment to a validated document.
//!
//! The order is the rule: `TAPIS_` variables, the file with its references, variables of the keys' names,
//! defaults. Each step is a function of its own module; this one records where every value came from.

use serde_json::{Map, Value, json};

use crate::environment::Environment;
use crate::error::Fault;
use crate::files::{ConfigFile, ServiceSchema};
use crate::origin::{Origin, Origins, SchemaSource};
use crate::overlay::FromVariable;
use crate::place::Reach;
use crate::schema::Schema;
use crate::substitute::Event;
use crate::{base, defaults, overlay, pointer, substitute, validate};

/// A document whose values have all found their place.
pub(crate) struct Assembly<'a> {
    schema: &'a Schema,
    service: &'a ServiceSchema,
    environment: &'a Environment,
    file: &'a ConfigFile,
    document: Map<String, Value>,
    origins: Origins,
    faults: Vec<Fault>,
    /// Pointers of strings whose references could not be replaced.
    failed: Vec<String>,
}

impl<'a> Assembly<'a> {
    pub(crate) fn new(
        schema: &'a Schema,
        service: &'a ServiceSchema,
        environment: &'a Environment,
        file: &'a ConfigFile,
    ) -> Self {
        Self {
            schema,
            service,
            environment,
            file,
            document: file.value.clone(),
            origins: Origins::default(),
            faults: Vec::new(),
            failed: Vec::new(),
        }
    }

    /// Runs every step.
    ///
    /// # Errors
    ///
    /// With every fault of every step.
    pub(crate) fn run(mut self) -> Result<(Value, Origins), Vec<Fault>> {
        self.origins.set("", Origin::File { path: self.file.path.clone() });
        let overriding = overlay::overriding(&self.schema.place(Reach::Certain), self.environment);
        for one in &overriding {
            self.document.remove(&one.key);
        }
        self.substitute();
        self.insert(overriding);
        let document = &self.document;
        let present = |key: &str| document.contains_key(key);
        let filling = overlay::filling(&self.schema.place(Reach::Certain), self.environment, present);
        self.insert(filling);
        self.fill_defaults();
        self.derive_base_path();
        self.finish()
    }

    fn insert(&mut self, values: Vec<FromVariable>) {
        for FromVariable { key, variable, value } in values {
            self.origins.set(pointer::member("", &key), Origin::Environment { variable });
            self.document.insert(key, value);
        }
    }

    /// The references in what the file holds and no variable overrides.
    fn substitute(&mut self) {
        let mut document = Value::Object(std::mem::take(&mut self.document));
        let mut events = Vec::new();
        let place = self.schema.place(Reach::Certain);
        substitute::substitute(&mut document, &place, "", self.environment, &mut events);
        self.document = into_members(document);
        for event in events {
            self.record(event);
        }
    }

    fn record(&mut self, event: Event) {
        let path = self.file.path.clone();
        match event {
            Event::Replaced { pointer, variables } => {
                self.origins.set(pointer, Origin::Substitution { path, variables });
            }
            Event::Failed { pointer, message } => {
                let fault = Fault::new(pointer.clone(), message, Some(Origin::File { path }));
                self.faults.push(fault.with_remedy("set the variable or correct the file"));
                self.failed.push(pointer);
            }
        }
    }

    fn fill_defaults(&mut self) {
        let mut document = Value::Object(std::mem::take(&mut self.document));
        let mut filled = Vec::new();
        let place = self.schema.place(Reach::Certain);
        let endless = defaults::fill(&mut document, &place, "", &mut filled).err();
        self.document = into_members(document);
        for at in filled {
            let schema = self.stating_schema(&at);
            self.origins.set(at, Origin::Default { schema });
        }
        if let Some(at) = endless {
            let top = format!("/{}", at.split('/').nth(1).unwrap_or_default());
            let origin = Origin::Default { schema: self.stating_schema(&top) };
            self.faults.push(Fault::new(
                top.clone(),
                "its defaults hold themselves without end",
                Some(origin),
            ));
            self.failed.push(top.clone());
            // What was filled so far says nothing, and is too deep to look at.
            self.document.retain(|key, _| pointer::member("", key) != top);
        }
    }

    /// The schema that declares the top-level key a pointer begins with.
    fn stating_schema(&self, at: &str) -> SchemaSource {
        let key = pointer::keys(at).next().unwrap_or_default();
        let declares =
            |schema: &Map<String, Value>| schema.get("properties").is_some_and(|p| p.get(&key).is_some());
        if declares(base::schema()) && !declares(&self.service.value) {
            SchemaSource::Base
        } else {
            self.service.source.clone()
        }
    }

    /// The one default that depends on another key (C2).
    fn derive_base_path(&mut self) {
        if let Some(name) = self.document.get("service_name").and_then(Value::as_str)
            && !self.document.contains_key("base_path")
        {
            self.document.insert("base_path".to_owned(), json!(format!("/v3/{name}")));
            self.origins.set("/base_path", Origin::Default { schema: SchemaSource::Base });
        }
    }

    fn finish(mut self) -> Result<(Value, Origins), Vec<Fault>> {
        let absent = if self.file.exists { "" } else { " (there is no such file)" };
        let file = format!("the file {}{absent}", self.file.path.display());
        let mut document = Value::Object(self.document);
        self.faults.extend(validate::validate(self.schema, &document, &self.origins, &self.failed, &file));
        if !self.faults.is_empty() {
            return Err(self.faults);
        }
        normalize_levels(&mut document);
        Ok((document, self.origins))
    }
}

fn into_members(document: Value) -> Map<String, Value> {
    match document {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// `WARNING`, the word of Python, is taken as `WARN` (C2).
fn normalize_levels(document: &mut Value) {
    for (key, value) in document.as_object_mut().into_iter().flatten() {
        if (key == "log_level" || key.ends_with("_log_level")) && value == "WARNING" {
            *value = json!("WARN");
        }
    }
}
