//! The document against the merged schema, every violation at once (C7).

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use serde_json::Value;

use crate::error::Fault;
use crate::expected::{message, with_article};
use crate::mask::is_secret;
use crate::origin::Origins;
use crate::overlay::overriding_name;
use crate::place::{Place, Reach};
use crate::pointer;
use crate::schema::Schema;

/// The violations in `value`. What lies within one of `failed` is reported already; `file` is where a
/// missing key is to be set.
pub(crate) fn validate(
    schema: &Schema,
    value: &Value,
    origins: &Origins,
    failed: &[String],
    file: &str,
) -> Vec<Fault> {
    let faults =
        schema.validator().iter_errors(value).flat_map(|error| faults(schema, &error, origins, file));
    faults.filter(|fault| !failed.iter().any(|failed| pointer::is_within(fault.pointer(), failed))).collect()
}

fn faults(schema: &Schema, error: &ValidationError<'_>, origins: &Origins, file: &str) -> Vec<Fault> {
    let at = error.instance_path().as_str();
    if let ValidationErrorKind::AdditionalProperties { unexpected } = error.kind() {
        // Each of them has an origin of its own.
        let one = |key: &String| {
            let at = pointer::member(at, key);
            let origin = origins.of(&at).cloned();
            Fault::new(at, "expected no member of this name", origin)
        };
        return unexpected.iter().map(one).collect();
    }
    vec![fault(schema, error, at, origins, file)]
}

fn fault(schema: &Schema, error: &ValidationError<'_>, at: &str, origins: &Origins, file: &str) -> Fault {
    if let ValidationErrorKind::Required { property } = error.kind() {
        return missing(schema, at, property.as_str().unwrap_or_default(), file);
    }
    Fault::new(at, message(error, is_secret(schema, at)), origins.of(at).cloned())
}

fn missing(schema: &Schema, parent: &str, key: &str, file: &str) -> Fault {
    let place = at(schema, parent).member(key);
    let kinds: Vec<_> = place.types().unwrap_or_default().into_iter().map(with_article).collect();
    let message = if kinds.is_empty() {
        "missing".to_owned()
    } else {
        format!("missing, expected {}", kinds.join(" or "))
    };
    let remedy = if parent.is_empty() && place.is_scalar() {
        format!("set it in {file} or by the variable {}", overriding_name(key))
    } else {
        format!("set it in {file}")
    };
    Fault::new(pointer::member(parent, key), message, None).with_remedy(remedy)
}

fn at<'s>(schema: &'s Schema, pointer: &str) -> Place<'s> {
    pointer::keys(pointer).fold(schema.place(Reach::Certain), |place, key| place.step(&key))
}
