//! Variables that fill or override top-level keys (C6).

use serde_json::Value;

use crate::coerce::coerce;
use crate::environment::{Environment, Variable};
use crate::schema_node::SchemaNode;

/// Their variables say where the files are; a key of such a name cannot be overridden.
const RESERVED: [&str; 2] = [crate::files::CONFIG_PATH, crate::files::SCHEMA_PATH];

/// A key whose value is the text of a variable.
#[derive(Debug, PartialEq)]
pub(crate) struct FromVariable {
    pub(crate) key: String,
    pub(crate) variable: String,
    pub(crate) value: Value,
}

/// What the variables say.
#[derive(Debug, Default)]
pub(crate) struct FromVariables {
    pub(crate) values: Vec<FromVariable>,
    /// Keys with the variable that is set for them to bytes that are not UTF-8.
    pub(crate) not_unicode: Vec<(String, String)>,
}

/// The variable that overrides a key: `TAPIS_` and the key in upper case.
pub(crate) fn overriding_name(key: &str) -> String {
    format!("TAPIS_{}", key.to_uppercase())
}

/// The scalar keys that a `TAPIS_` variable overrides.
pub(crate) fn overriding(root: &SchemaNode<'_>, environment: &Environment) -> FromVariables {
    read(root, keys(root).map(|key| (key, overriding_name(key))), environment)
}

/// The scalar keys that a variable of their own name fills, those that are `present` excepted.
pub(crate) fn filling(
    root: &SchemaNode<'_>,
    environment: &Environment,
    present: impl Fn(&str) -> bool,
) -> FromVariables {
    let absent = root.declared_keys().into_iter().filter(|key| !present(key));
    read(root, absent.map(|key| (key, key.to_owned())), environment)
}

/// Variables that look as if they overrode a key and do not.
pub(crate) fn warnings(root: &SchemaNode<'_>, environment: &Environment) -> Vec<String> {
    let ignored = |key: &&str| {
        let set = match environment.get(&overriding_name(key)) {
            Variable::Set(text) => !text.is_empty(),
            Variable::NotUnicode => true,
            Variable::Unset => false,
        };
        set && !root.member(key).is_scalar()
    };
    let warn = |key: &str| {
        format!("the variable {} is not read: `{key}` is no scalar in the schema", overriding_name(key))
    };
    keys(root).filter(ignored).map(warn).collect()
}

fn keys<'s>(root: &SchemaNode<'s>) -> impl Iterator<Item = &'s str> + use<'s> {
    root.declared_keys().into_iter().filter(|key| !RESERVED.contains(&overriding_name(key).as_str()))
}

/// Reads the variables of scalar keys. An empty one counts as not set.
fn read<'k>(
    root: &SchemaNode<'_>,
    variables: impl Iterator<Item = (&'k str, String)>,
    environment: &Environment,
) -> FromVariables {
    let mut found = FromVariables::default();
    for (key, variable) in variables {
        let text = match environment.get(&variable) {
            Variable::Unset | Variable::Set("") => continue,
            Variable::Set(text) => Some(text),
            Variable::NotUnicode => None,
        };
        let node = root.member(key);
        match text {
            _ if !node.is_scalar() => {}
            Some(text) => {
                let value = coerce(text, &node.scalar_types());
                found.values.push(FromVariable { key: key.to_owned(), variable, value });
            }
            None => found.not_unicode.push((key.to_owned(), variable)),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Schema;
    use crate::schema_node::Applicability;
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

    fn values(found: FromVariables) -> Vec<(String, Value)> {
        found.values.into_iter().map(|one| (one.key, one.value)).collect()
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
        let root = schema.root_node(Applicability::Certain);
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
        let root = schema.root_node(Applicability::Certain);
        assert_eq!(values(filling(&root, &environment, |_| false)), [("port".to_owned(), json!(1))]);
        assert!(filling(&root, &environment, |key| key == "port").values.is_empty());
    }

    #[test]
    #[cfg(unix)]
    fn a_variable_that_is_not_unicode_is_told_where_it_would_be_used() {
        use std::os::unix::ffi::OsStringExt as _;
        let schema = schema();
        let names = ["TAPIS_PORT", "extra", "TAPIS_LIST", "TAPIS_GHOST", "GHOST", "port"];
        let bytes = || std::ffi::OsString::from_vec(b"p\xe9ss".to_vec());
        let environment = Environment::from_os(names.map(|name| (name.into(), bytes())));
        let root = schema.root_node(Applicability::Certain);
        let found = |key: &str, variable: &str| vec![(key.to_owned(), variable.to_owned())];
        assert_eq!(overriding(&root, &environment).not_unicode, found("port", "TAPIS_PORT"));
        let filled = filling(&root, &environment, |key| key == "port");
        assert_eq!(filled.not_unicode, found("extra", "extra"));
        assert_eq!(warnings(&root, &environment).len(), 1);
    }
}
