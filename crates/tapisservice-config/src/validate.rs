//! The document against the merged schema, every violation at once (C7).

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use serde_json::Value;

use crate::error::Violation;
use crate::expected::{message, with_article};
use crate::mask::is_secret;
use crate::origin::Origins;
use crate::overlay::overriding_name;
use crate::pointer;
use crate::schema::Schema;
use crate::schema_node::{Applicability, SchemaNode};

/// The violations in `value`. What lies within one of `failed` is reported already; `file` is where a
/// missing key is to be set.
pub(crate) fn validate(
    schema: &Schema,
    value: &Value,
    origins: &Origins,
    failed: &[String],
    file: &str,
) -> Vec<Violation> {
    let violations =
        schema.validator().iter_errors(value).flat_map(|error| violations(schema, &error, origins, file));
    violations
        .filter(|violation| !failed.iter().any(|failed| pointer::is_within(violation.pointer(), failed)))
        .collect()
}

fn violations(schema: &Schema, error: &ValidationError<'_>, origins: &Origins, file: &str) -> Vec<Violation> {
    let at = error.instance_path().as_str();
    if let ValidationErrorKind::AdditionalProperties { unexpected } = error.kind() {
        // Each of them has an origin of its own.
        let one = |key: &String| {
            let at = pointer::member(at, key);
            let origin = origins.of(&at).cloned();
            Violation::new(at, "expected no member of this name", origin)
        };
        return unexpected.iter().map(one).collect();
    }
    vec![violation(schema, error, at, origins, file)]
}

fn violation(
    schema: &Schema,
    error: &ValidationError<'_>,
    at: &str,
    origins: &Origins,
    file: &str,
) -> Violation {
    if let ValidationErrorKind::Required { property } = error.kind() {
        return missing(schema, at, property.as_str().unwrap_or_default(), file);
    }
    Violation::new(at, message(error, is_secret(schema, at)), origins.of(at).cloned())
}

fn missing(schema: &Schema, parent: &str, key: &str, file: &str) -> Violation {
    let node = at(schema, parent).member(key);
    let kinds: Vec<_> = node.types().unwrap_or_default().into_iter().map(with_article).collect();
    let message = if kinds.is_empty() {
        "required".to_owned()
    } else {
        format!("required, expected {}", kinds.join(" or "))
    };
    let remedy = if parent.is_empty() && node.is_scalar() {
        format!("set it in {file} or by the variable {}", overriding_name(key))
    } else {
        format!("set it in {file}")
    };
    Violation::new(pointer::member(parent, key), message, None).with_remedy(remedy)
}

fn at<'s>(schema: &'s Schema, pointer: &str) -> SchemaNode<'s> {
    pointer::keys(pointer).fold(schema.root_node(Applicability::Certain), |node, key| node.step(&key))
}
