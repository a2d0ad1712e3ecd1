//! From two files and the environment to a validated document.
//!
//! The order is the rule: `TAPIS_` variables, the file with its references, variables of the keys' names,
//! defaults, values that follow from others. Each step is a function of its own module; this one records where every value came from.

use std::collections::HashSet;

use serde_json::{Map, Value};

use crate::environment::Environment;
use crate::error::Violation;
use crate::files::ConfigFile;
use crate::layers::Layers;
use crate::loader::Derive;
use crate::origin::{Origins, SchemaSource, ValueOrigin};
use crate::overlay::{FromVariable, FromVariables};
use crate::schema::Schema;
use crate::schema_node::{Applicability, Subschema};
use crate::substitute::Event;
use crate::{defaults, integers, overlay, pointer, references, refused, substitute, validate};

/// What came out.
pub(crate) struct Assembled {
    pub(crate) document: Value,
    pub(crate) origins: Origins,
    /// What is wrong with it, of every step.
    pub(crate) violations: Vec<Violation>,
}

/// A document whose values have all found their place.
pub(crate) struct Assembly<'a> {
    schema: &'a Schema,
    layers: &'a Layers,
    environment: &'a Environment,
    file: &'a ConfigFile,
    document: Map<String, Value>,
    origins: Origins,
    violations: Vec<Violation>,
    /// Pointers of strings whose references could not be replaced.
    failed: Vec<String>,
    /// Pointers of values that follow from others.
    derived: Vec<String>,
}

impl<'a> Assembly<'a> {
    pub(crate) fn new(
        schema: &'a Schema,
        layers: &'a Layers,
        environment: &'a Environment,
        file: &'a ConfigFile,
    ) -> Self {
        Self {
            schema,
            layers,
            environment,
            file,
            document: file.value.clone(),
            origins: Origins::default(),
            violations: Vec::new(),
            failed: Vec::new(),
            derived: Vec::new(),
        }
    }

    /// Runs every step.
    pub(crate) fn run(mut self, derive: &[Derive]) -> Assembled {
        if self.file.exists {
            self.origins.set("", ValueOrigin::File { path: self.file.path.clone() });
        }
        let overriding =
            overlay::overriding(&self.schema.root_node(Applicability::Certain), self.environment);
        let keys = overriding.values.iter().map(|one| &one.key);
        for key in keys.chain(overriding.not_unicode.iter().map(|(key, _)| key)) {
            self.document.remove(key);
        }
        self.substitute();
        self.insert(overriding);
        let (document, failed) = (&self.document, &self.failed);
        let present = |key: &str| document.contains_key(key) || failed.contains(&pointer::member("", key));
        let filling =
            overlay::filling(&self.schema.root_node(Applicability::Certain), self.environment, present);
        self.insert(filling);
        self.fill_defaults();
        self.derive(derive);
        self.finish()
    }

    fn insert(&mut self, found: FromVariables) {
        for FromVariable { key, variable, value } in found.values {
            self.origins.set(pointer::member("", &key), ValueOrigin::Environment { variable });
            self.document.insert(key, value);
        }
        for (key, variable) in found.not_unicode {
            let at = pointer::member("", &key);
            let violation = Violation::new(
                at.clone(),
                "expected UTF-8, found other bytes",
                Some(ValueOrigin::Environment { variable }),
            );
            self.violations.push(violation.with_remedy("set it to text in UTF-8, or unset it"));
            self.failed.push(at);
        }
    }

    /// The references in what the file holds and no variable overrides.
    fn substitute(&mut self) {
        let mut document = Value::Object(std::mem::take(&mut self.document));
        let mut events = Vec::new();
        let node = self.schema.root_node(Applicability::Certain);
        substitute::substitute(&mut document, &node, "", self.environment, &mut events);
        self.document = into_members(document);
        for event in events {
            self.record(event);
        }
    }

    fn record(&mut self, event: Event) {
        let path = self.file.path.clone();
        match event {
            Event::Replaced { pointer, variables } => {
                self.origins.set(pointer, ValueOrigin::Substitution { path, variables });
            }
            Event::Failed { pointer, message } => {
                let violation = Violation::new(pointer.clone(), message, Some(ValueOrigin::File { path }));
                self.violations.push(violation.with_remedy("set the variable or correct the file"));
                self.failed.push(pointer);
            }
        }
    }

    fn fill_defaults(&mut self) {
        let mut document = Value::Object(std::mem::take(&mut self.document));
        let mut filled = Vec::new();
        let node = self.schema.root_node(Applicability::Certain);
        let endless = defaults::fill(&mut document, &node, "", &mut filled).err();
        for one in &filled {
            let schema = self.stating_schema(one.stated_by, &one.at);
            self.origins.set(one.at.clone(), ValueOrigin::Default { schema });
        }
        if endless.is_none() && !self.schema.validator().is_valid(&document) {
            let refused = refused::take_out(self.schema, &mut document, &filled);
            for one in &refused {
                self.report_default(one);
            }
        }
        self.document = into_members(document);
        if let Some(at) = endless {
            let top = format!("/{}", at.split('/').nth(1).unwrap_or_default());
            let origin = ValueOrigin::Default { schema: self.layers.declaring(&top) };
            self.violations.push(Violation::new(
                top.clone(),
                "its defaults hold themselves without end",
                Some(origin),
            ));
            self.failed.push(top.clone());
            // What was filled so far says nothing, and is too deep to look at.
            self.document.retain(|key, _| pointer::member("", key) != top);
        }
    }

    /// One fault for each default, however often it would have been filled in.
    fn report_default(&mut self, refused: &refused::Refused<'_>) {
        let schema = self.stating_schema(refused.stated_by, &refused.at);
        let stated_at = self.pointer_into_schema(refused.stated_by).unwrap_or_default();
        let remedy = format!("correct {stated_at}/default or {} in that schema", refused.refused_by);
        if !self.violations.iter().any(|violation| violation.remedy() == Some(&remedy)) {
            let message = format!("the schema refuses its own default: {}", refused.message);
            let violation =
                Violation::new(refused.at.clone(), message, Some(ValueOrigin::Default { schema }));
            self.violations.push(violation.with_remedy(remedy));
        }
        self.failed.push(refused.at.clone());
    }

    /// The schema that has the subschema, which states the default at a place of the document.
    fn stating_schema(&self, stated_by: &Subschema, at: &str) -> SchemaSource {
        let stating =
            self.pointer_into_schema(stated_by).and_then(|place| self.layers.stating(&place, stated_by));
        stating.unwrap_or_else(|| self.layers.declaring(at))
    }

    fn pointer_into_schema(&self, node: &Subschema) -> Option<String> {
        let is_it = |schema: &Value| schema.as_object().is_some_and(|schema| std::ptr::eq(schema, node));
        references::subschemas(self.schema.as_value())
            .into_iter()
            .find(|(_, schema)| is_it(schema))
            .map(|(at, _)| at)
    }

    /// Values that follow from others (C2). What was not there before counts as a default.
    fn derive(&mut self, derive: &[Derive]) {
        for derive in derive {
            let before: HashSet<String> = self.document.keys().cloned().collect();
            derive(&mut self.document);
            for key in self.document.keys().filter(|key| !before.contains(*key)) {
                let at = pointer::member("", key);
                self.origins.set(at.clone(), ValueOrigin::Default { schema: self.layers.declaring(&at) });
                self.derived.push(at);
            }
        }
    }

    fn finish(mut self) -> Assembled {
        let absent = if self.file.exists { "" } else { " (there is no such file)" };
        let file = format!("the file {}{absent}", self.file.path.display());
        let mut document = Value::Object(self.document);
        self.violations.extend(validate::validate(
            self.schema,
            &document,
            &self.origins,
            &self.failed,
            &file,
        ));
        let derived = |violation: &Violation| self.derived.iter().any(|at| at == violation.pointer());
        if !self.violations.iter().all(derived) {
            // What was derived from a bad value says the same again.
            self.violations.retain(|violation| !derived(violation));
        }
        integers::normalize(&mut document, &self.schema.root_node(Applicability::Certain));
        Assembled { document, origins: self.origins, violations: self.violations }
    }
}

fn into_members(document: Value) -> Map<String, Value> {
    match document {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}
