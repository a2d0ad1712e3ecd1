//! Variables that fill or override top-level keys (C6).

use serde_json::Value;

use crate::coerce::coerce;
use crate::environment::{Environment, Variable};
use crate::place::Place;

/// Their variables say where the files are; a key of such a name cannot be overridden.
const RESERVED: [&str; 2] = [crate::files::CONFIG_PATH, crate::files::SCHEMA_PATH];

/// A key whose value is the text of a variable.
#[derive(Debug, PartialEq)]
pub(crate) struct FromVariable {
    pub(crate) key: String,
    pub(crate) variable: String,
    pub(crate) value: Value,
}

/// The variable that overrides a key: `TAPIS_` and the key in upper case.
pub(crate) fn overriding_name(key: &str) -> String {
    format!("TAPIS_{}", key.to_uppercase())
}

/// The scalar keys that a `TAPIS_` variable overrides.
pub(crate) fn overriding(root: &Place<'_>, environment: &Environment) -> Vec<FromVariable> {
    keys(root).filter_map(|key| read(root, key, overriding_name(key), environment)).collect()
}

/// The scalar keys that a variable of their own name fills, those that are `present` excepted.
pub(crate) fn filling(
    root: &Place<'_>,
    environment: &Environment,
    present: impl Fn(&str) -> bool,
) -> Vec<FromVariable> {
    let absent = root.declared_keys().into_iter().filter(|key| !present(key));
    absent.filter_map(|key| read(root, key, key.to_owned(), environment)).collect()
}

/// Variables that look as if they overrode a key and do not.
pub(crate) fn warnings(root: &Place<'_>, environment: &Environment) -> Vec<String> {
    let ignored = |key: &&str| {
        let set = matches!(environment.get(&overriding_name(key)), Variable::Set(text) if !text.is_empty());
        set && !root.member(key).is_scalar()
    };
    let warn = |key: &str| {
        format!("the variable {} is not read: `{key}` is no scalar in the schema", overriding_name(key))
    };
    keys(root).filter(ignored).map(warn).collect()
}

fn keys<'s>(root: &Place<'s>) -> impl Iterator<Item = &'s str> + use<'s> {
    root.declared_keys().into_iter().filter(|key| !RESERVED.contains(&overriding_name(key).as_str()))
}

/// An empty variable counts as not set; one that is not UTF-8 cannot be used either.
fn read(root: &Place<'_>, key: &str, variable: String, environment: &Environment) -> Option<FromVariable> {
    let Variable::Set(text) = environment.get(&variable) else { return None };
    let place = root.member(key);
    if text.is_empty() || !place.is_scalar() {
        return None;
    }
    let value = coerce(text, &place.scalar_types());
    Some(FromVariable { key: key.to_owned(), variable, value })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::Reach;
    use crate::schema::Schema;
    use serde_json::json;

    fn schema() -> Schema {
        Schema::compile(json!({
            "properties": {
                "port": {"type": "integer"}, "list": {"type": "array"}, "any": {},
                "either": {"type": ["integer", "array"]}, "config_path": {"type": "string"},
            },
            "allOf": [{"properties": {"extra": {"type": "boolean"}}}],
            "patternProperties": {"_x$": {"type": "string"}},
        }))
        .unwrap()
    }

    fn values(found: Vec<FromVariable>) -> Vec<(String, Value)> {
        found.into_iter().map(|one| (one.key, one.value)).collect()
    }

    #[test]
    fn only_declared_scalars_are_overridden() {
        let schema = schema();
        let environment: Environment = [
            ("TAPIS_PORT", "1"),
            ("TAPIS_EXTRA", "true"),
            ("TAPIS_LIST", "[]"),
            ("TAPIS_ANY", "x"),
            ("TAPIS_EITHER", "1"),
            ("TAPIS_A_X", "x"),
            ("TAPIS_GHOST", "x"),
            ("TAPIS_CONFIG_PATH", "/x"),
        ]
        .into_iter()
        .collect();
        let root = schema.place(Reach::Certain);
        assert_eq!(
            values(overriding(&root, &environment)),
            [("extra".to_owned(), json!(true)), ("port".to_owned(), json!(1))]
        );
        assert_eq!(warnings(&root, &environment).len(), 3);
    }

    #[test]
    fn a_variable_fills_what_is_absent_unless_it_is_empty() {
        let schema = schema();
        let environment: Environment = [("port", "1"), ("extra", ""), ("list", "[]")].into_iter().collect();
        let root = schema.place(Reach::Certain);
        assert_eq!(values(filling(&root, &environment, |_| false)), [("port".to_owned(), json!(1))]);
        assert!(filling(&root, &environment, |key| key == "port").is_empty());
    }
}
