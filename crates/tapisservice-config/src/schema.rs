//! The merged schema, ready to be asked.

use std::collections::BTreeMap;
use std::fmt;

use jsonschema::{Draft, ValidationError, Validator};
use serde_json::{Value, json};

use crate::schema_node::{Applicability, SchemaNode};
use crate::{expected, formats, references};

/// A Draft 7 schema whose references resolve and whose patterns compile.
pub(crate) struct Schema {
    root: Value,
    validator: Validator,
    patterns: BTreeMap<String, Validator>,
}

impl Schema {
    /// Compiles the merged schema.
    ///
    /// # Errors
    ///
    /// What is wrong with it, as pairs of a pointer into it and a message.
    pub(crate) fn compile(root: Value) -> Result<Self, Vec<(String, String)>> {
        let violations = references::violations(&root);
        if !violations.is_empty() {
            return Err(violations);
        }
        let validator = build(&root).map_err(|error| vec![describe(&error)])?;
        let patterns = compile_patterns(&root)?;
        Ok(Self { root, validator, patterns })
    }

    pub(crate) fn as_value(&self) -> &Value {
        &self.root
    }

    pub(crate) fn validator(&self) -> &Validator {
        &self.validator
    }

    /// What the schema says about the whole document.
    pub(crate) fn root_node(&self, applicability: Applicability) -> SchemaNode<'_> {
        SchemaNode::new(self, [&self.root], applicability)
    }

    pub(crate) fn resolve(&self, reference: &str) -> Option<&Value> {
        references::resolve(&self.root, reference)
    }

    /// Whether a key matches a pattern of `patternProperties`, by the rules of the validator itself.
    pub(crate) fn matches(&self, pattern: &str, key: &str) -> bool {
        self.patterns.get(pattern).is_some_and(|matcher| matcher.is_valid(&json!(key)))
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Schema").finish_non_exhaustive()
    }
}

/// What makes `schema` no valid Draft 7 schema (C3), as pairs of a pointer into it and a message.
pub(crate) fn draft7_violations(schema: &Value) -> Vec<(String, String)> {
    jsonschema::draft7::meta::validator().iter_errors(schema).map(|error| describe(&error)).collect()
}

fn build(schema: &Value) -> Result<Validator, ValidationError<'static>> {
    formats::register(jsonschema::options().with_draft(Draft::Draft7).offline()).build(schema)
}

fn describe(error: &ValidationError<'_>) -> (String, String) {
    (error.instance_path().as_str().to_owned(), expected::message(error, false))
}

fn compile_patterns(root: &Value) -> Result<BTreeMap<String, Validator>, Vec<(String, String)>> {
    let mut patterns = BTreeMap::new();
    for (at, schema) in references::subschemas(root) {
        for pattern in
            schema.get("patternProperties").and_then(Value::as_object).into_iter().flat_map(|m| m.keys())
        {
            let matcher = build(&json!({"pattern": pattern})).map_err(|error| {
                vec![(format!("{at}/patternProperties"), expected::message(&error, false))]
            })?;
            patterns.insert(pattern.clone(), matcher);
        }
    }
    Ok(patterns)
}
