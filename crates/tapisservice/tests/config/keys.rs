//! Every key of the framework is read by something, or said to have no effect.

use std::path::Path;

use serde_json::{Map, Value, json};
use tapisservice::Settings;
use tapisservice::config::NO_EFFECT;

/// What is accepted and ignored, of which the start and `check-config` warn.
const IGNORED: [&str; 5] = [
    "dev_allowable_x_tenant_ids",
    "dev_is_owned_by_associate_site",
    "python_framework_type",
    "tapisservice_spec_expected_server",
    "use_sk",
];

/// Whether the schema says that nothing reads the key.
fn has_no_effect(property: &Value) -> bool {
    property.get(NO_EFFECT) == Some(&Value::Bool(true))
}

fn keys() -> Map<String, Value> {
    let schemas = Settings::schemas().into_iter();
    schemas.flat_map(|(_, schema)| schema["properties"].as_object().cloned().unwrap_or_default()).collect()
}

/// The code of all crates without their unit tests.
fn code(folder: &Path, code: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            self::code(&path, code);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            code.push_str(text.split("#[cfg(test)]\nmod tests").next().unwrap());
        }
    }
}

fn is_read(key: &str, code: &str) -> bool {
    let ends = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    let field = format!(".{key}");
    code.match_indices(&field).any(|(at, _)| ends(&code[at + field.len()..]))
        || code.contains(&format!("\"{key}\" =>"))
}

#[test]
fn every_key_is_read_or_said_to_have_no_effect() {
    let mut all = String::new();
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).unwrap() {
        let source = entry.unwrap().path().join("src");
        if source.is_dir() {
            code(&source, &mut all);
        }
    }
    let unread: Vec<_> = keys()
        .into_iter()
        .filter(|(key, property)| !has_no_effect(property) && !is_read(key, &all))
        .collect();
    assert!(unread.is_empty(), "read by nothing, and not marked `{NO_EFFECT}`: {unread:?}");
    assert!(!is_read("use_sk", &all) && !is_read("no_such_key", &all));
    let mut ignored: Vec<_> = keys().into_iter().filter(|(_, property)| has_no_effect(property)).collect();
    ignored.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(ignored.iter().map(|(key, _)| key).collect::<Vec<_>>(), IGNORED);
}

#[test]
fn every_key_is_described_with_its_unit_and_has_a_valid_default() {
    for (title, schema) in Settings::schemas() {
        assert!(jsonschema::draft7::meta::is_valid(&schema), "{title}");
        for group in ["properties", "patternProperties"] {
            for (key, property) in schema[group].as_object().into_iter().flatten() {
                let description = property["description"].as_str().unwrap_or_default();
                assert!(description.ends_with('.'), "{key} is not described: {property}");
                let has_unit = key.split_once("_seconds").is_none() || description.contains("Seconds");
                assert!(has_unit, "the unit of {key} is not named");
                if let Some(default) = property.get("default") {
                    assert!(jsonschema::draft7::is_valid(property, default), "the default of {key}");
                }
            }
        }
    }
}

#[test]
fn no_two_parts_state_one_key() {
    let stated: usize = Settings::schemas()
        .iter()
        .filter_map(|(_, schema)| schema["properties"].as_object())
        .map(Map::len)
        .sum();
    assert_eq!(stated, keys().len());
}

#[test]
fn the_loader_knows_the_keys_of_the_groups() {
    let required = json!({
        "service_name": "demo", "service_site_id": "tacc", "service_tenant_id": "admin", "tenants": ["*"],
        "primary_site_admin_tenant_base_url": "https://admin.tapis.test",
    });
    let config = Settings::loader()
        .environment([("", ""); 0])
        .default_config_path("")
        .default_schema_path("")
        .fallback_config("c.json", required.to_string())
        .load()
        .unwrap();
    assert_eq!(config.merged_schema()["properties"], Value::Object(keys()));
    assert_eq!(config.warnings(), [""; 0]);
}
