//! Keys that somebody set and that do nothing: they are accepted, and pointed out.

use serde_json::Value;

use crate::environment::{Environment, Variable};
use crate::origin::{Origins, ValueOrigin};
use crate::overlay::overriding_name;
use crate::pointer;
use crate::schema::Schema;
use crate::schema_node::{Applicability, SchemaNode};

/// The keyword that a settings struct marks a key with that is accepted and read by nothing.
pub const NO_EFFECT: &str = "x-no-effect";

/// The most edits between a name and the one that was meant.
const MAX_EDITS: usize = 2;

/// A warning for each key without an effect, and for each that may be a typing error.
///
/// The values of unknown keys are in none of them.
pub(crate) fn warnings(
    schema: &Schema,
    document: &Value,
    origins: &Origins,
    environment: &Environment,
) -> Vec<String> {
    let root = schema.root_node(Applicability::Possible);
    let known = root.declared_keys();
    let keys = document.as_object().into_iter().flat_map(|members| members.keys());
    let mut warnings: Vec<_> = keys.filter_map(|key| about(key, &root, &known, origins)).collect();
    warnings.extend(misspelt_variables(&known, environment));
    warnings
}

fn about(key: &str, root: &SchemaNode<'_>, known: &[&str], origins: &Origins) -> Option<String> {
    let at = pointer::member("", key);
    let origin = origins.of(&at).filter(|origin| !matches!(origin, ValueOrigin::Default { .. }))?;
    let member = root.member(key);
    if member.says(NO_EFFECT) {
        return Some(format!(
            "{at} has no effect (from {origin}); it is accepted for configurations of other versions"
        ));
    }
    if member.is_stated() || known.contains(&key) {
        return None;
    }
    let meant = nearest(key, known)?;
    Some(format!("{} is no known key (from {origin}); did you mean `{meant}`?", at.escape_debug()))
}

/// `TAPIS_` variables that no key has, but almost.
fn misspelt_variables(known: &[&str], environment: &Environment) -> Vec<String> {
    let variables: Vec<_> = known.iter().map(|key| overriding_name(key)).collect();
    let reserved = [crate::files::CONFIG_PATH, crate::files::SCHEMA_PATH];
    let names: Vec<_> = variables.iter().map(String::as_str).chain(reserved).collect();
    let is_set = |name: &str| !matches!(environment.get(name), Variable::Unset | Variable::Set(""));
    let set = environment.names().filter(|name| name.starts_with("TAPIS_") && is_set(name));
    let unknown = set.filter(|name| !names.contains(name));
    let warning = |name: &str| {
        let meant = nearest(name, &names)?;
        Some(format!("the variable {} is not read; did you mean {meant}?", name.escape_debug()))
    };
    let mut warnings: Vec<_> = unknown.filter_map(warning).collect();
    warnings.sort_unstable();
    warnings
}

/// The known name that is almost this one: transposed letters count as one edit, and short names have to be closer.
fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    let edits = |known: &&str| strsim::damerau_levenshtein(&name.to_lowercase(), &known.to_lowercase());
    let allowed = MAX_EDITS.min(name.chars().count() / 4);
    let nearest = known.iter().copied().min_by_key(edits)?;
    (edits(&nearest) <= allowed).then_some(nearest)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(document: &Value, variables: &[(&str, &str)]) -> Vec<String> {
        let schema = Schema::compile(json!({
            "properties": {
                "log_level": {"type": "string"}, "port": {"type": "integer"}, "use_sk": {"x-no-effect": true},
                "drain_seconds": {"type": "number"},
            },
            "patternProperties": {"_log_level$": {"type": "string"}},
        }))
        .unwrap();
        let mut origins = Origins::default();
        origins.set("", ValueOrigin::File { path: "c.json".into() });
        origins.set("/defaulted", ValueOrigin::Environment { variable: "x".to_owned() });
        let environment = variables.iter().copied().collect();
        warnings(&schema, document, &origins, &environment)
    }

    #[test]
    fn a_key_without_an_effect_is_named() {
        let said = said(&json!({"use_sk": "canary"}), &[]);
        assert_eq!(
            said,
            [
                "/use_sk has no effect (from the file c.json); it is accepted for configurations of other versions"
            ]
        );
    }

    #[test]
    fn an_almost_known_key_is_named_with_the_known_one_and_without_its_value() {
        for (key, meant) in [
            ("log_levle", "log_level"),
            ("loglevel", "log_level"),
            ("Log_Level", "log_level"),
            ("prot", "port"),
            ("drain_second", "drain_seconds"),
        ] {
            let said = said(&json!({key: "canary"}), &[]);
            let expected = format!("/{key} is no known key (from the file c.json); did you mean `{meant}`?");
            assert_eq!(said, [expected]);
        }
    }

    #[test]
    fn known_keys_and_names_of_another_service_are_not_mentioned() {
        for key in ["log_level", "tapisservice.auth_log_level", "ldap_url", "pane", "x", "python"] {
            assert_eq!(said(&json!({key: 1}), &[]), [""; 0], "{key}");
        }
    }

    #[test]
    fn an_almost_known_variable_is_named() {
        let variables = [
            ("TAPIS_LOG_LEVLE", "canary"),
            ("TAPIS_LOG_LEVEL", "x"),
            ("TAPIS_CONFIG_PATHS", "x"),
            ("TAPIS_SHARED", "x"),
            ("TAPIS_POR", ""),
            ("LOG_LEVLE", "x"),
        ];
        assert_eq!(
            said(&json!({}), &variables),
            [
                "the variable TAPIS_CONFIG_PATHS is not read; did you mean TAPIS_CONFIG_PATH?",
                "the variable TAPIS_LOG_LEVLE is not read; did you mean TAPIS_LOG_LEVEL?",
            ]
        );
    }
}
