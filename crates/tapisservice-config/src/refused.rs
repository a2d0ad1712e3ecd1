//! Defaults that do not satisfy their own schema: they are not applied, and are an error of the schema, not of the file.

use std::collections::HashSet;

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use serde_json::Value;

use crate::defaults::Filled;
use crate::expected;
use crate::mask::is_secret;
use crate::pointer;
use crate::schema::Schema;
use crate::schema_node::Subschema;

/// A default that the schema refuses where it would go.
pub(crate) struct Refused<'s> {
    /// Where it would go.
    pub(crate) at: String,
    /// The subschema that states it.
    pub(crate) stated_by: &'s Subschema,
    /// What the schema expects instead.
    pub(crate) message: String,
    /// Where the schema says so, as a pointer into it.
    pub(crate) refused_by: String,
}

/// Takes out of `document` the defaults without which it has fewer violations at their place, innermost first.
///
/// That a key is missing is never held against a default: a schema may well ask for a second key where the first
/// one has the value it has by default.
pub(crate) fn take_out<'s>(schema: &Schema, document: &mut Value, filled: &[Filled<'s>]) -> Vec<Refused<'s>> {
    let mut refused = Vec::new();
    let mut before = Violations::of(schema, document);
    for one in filled.iter().rev().filter(|one| document.pointer(&one.at).is_some()).collect::<Vec<_>>() {
        if !before.0.iter().any(|violation| violation.concerns(&one.at))
            || document.pointer(&one.at).is_none()
        {
            continue;
        }
        let mut without = document.clone();
        remove(&mut without, &one.at);
        let after = Violations::of(schema, &without);
        if let Some(violation) = before.gone_in(&after, &one.at) {
            refused.push(Refused {
                at: one.at.clone(),
                stated_by: one.stated_by,
                message: violation.message.clone(),
                refused_by: violation.schema_path.clone(),
            });
            *document = without;
            before = after;
        }
    }
    refused
}

fn remove(document: &mut Value, at: &str) {
    let (parent, _) = at.rsplit_once('/').unwrap_or_default();
    let key = pointer::keys(at).last();
    if let (Some(Value::Object(members)), Some(key)) = (document.pointer_mut(parent), key) {
        members.remove(&key);
    }
}

#[derive(Debug, Clone)]
struct Violation {
    schema_path: String,
    instance_path: String,
    unexpected: Vec<String>,
    message: String,
}

/// What `document` violates, missing keys apart.
struct Violations(Vec<Violation>);

impl Violations {
    fn of(schema: &Schema, document: &Value) -> Self {
        let errors = schema.validator().iter_errors(document);
        let counted = errors.filter(|error| !matches!(error.kind(), ValidationErrorKind::Required { .. }));
        Self(counted.map(|error| Violation::of(schema, &error)).collect())
    }

    /// The violation that concerns the place and is not there any more.
    fn gone_in(&self, after: &Self, at: &str) -> Option<&Violation> {
        let left: HashSet<_> = after.0.iter().map(Violation::key).collect();
        let (parent, _) = at.rsplit_once('/').unwrap_or_default();
        let key = pointer::keys(at).last().unwrap_or_default();
        self.0.iter().filter(|violation| violation.concerns(at)).find(|violation| {
            let by_name = violation.instance_path == parent && violation.unexpected.contains(&key);
            by_name || !left.contains(&violation.key())
        })
    }
}

impl Violation {
    fn of(schema: &Schema, error: &ValidationError<'_>) -> Self {
        let at = error.instance_path().as_str();
        let unexpected = match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected } => unexpected.clone(),
            _ => Vec::new(),
        };
        Self {
            schema_path: error.schema_path().as_str().to_owned(),
            instance_path: at.to_owned(),
            unexpected,
            message: expected::message(error, is_secret(schema, at)),
        }
    }

    fn key(&self) -> (&str, &str) {
        (&self.schema_path, &self.instance_path)
    }

    /// Whether it is about the value at the place, something in it, or something it lies in.
    fn concerns(&self, at: &str) -> bool {
        pointer::is_within(at, &self.instance_path) || pointer::is_within(&self.instance_path, at)
    }
}
