//! Configurations: a service's schema, values and variables, merged, filled and validated.
//!
//! The input is the values, a line `---`, the schema, a line `---`, and variables, `NAME=text`. The variable `SECRET` is
//! always set; its value must never be printed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};
use tapisservice::Settings;
use tapisservice_config::{Config, ConfigError, Loader};
use tapisservice_fuzz::CANARY;

fuzz_target!(init: good_is_accepted(), |data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    // The input itself may be printed: names of keys, patterns, words of an enum.
    if text.contains(CANARY) {
        return;
    }
    match load(text) {
        Ok(config) => check(&config, parts(text)[1]),
        Err(error) => check_error(&error),
    }
});

/// A target that takes nothing would check nothing.
fn good_is_accepted() {
    for text in [
        &include_bytes!("../seeds/configuration/secret")[..],
        include_bytes!("../seeds/configuration/nested"),
    ] {
        assert!(load(std::str::from_utf8(text).unwrap()).is_ok());
    }
}

fn load(text: &str) -> Result<Config, ConfigError> {
    let [values, schema, variables] = parts(text);
    loader(values, schema).environment(environment(variables)).load()
}

fn parts(text: &str) -> [&str; 3] {
    let (values, rest) = text.split_once("\n---\n").unwrap_or((text, ""));
    let (schema, variables) = rest.split_once("\n---\n").unwrap_or((rest, ""));
    [values, schema, variables]
}

fn loader(values: &str, schema: &str) -> Loader {
    Settings::loader()
        .default_config_path("")
        .default_schema_path("")
        .embedded_schema(schema)
        .fallback_config("fuzz", values)
        .environment([("", ""); 0])
}

fn environment(text: &str) -> Vec<(String, String)> {
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    // These name files.
    let pairs = pairs.filter(|(name, _)| !name.contains("_PATH"));
    let secret = ("SECRET".to_owned(), CANARY.to_owned());
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).chain([secret]).collect()
}

/// A violation is one line without a value.
fn check_error(error: &ConfigError) {
    assert!(!error.violations().is_empty());
    assert_eq!(error.to_string().lines().count(), error.violations().len(), "{error}");
    for fault in error.violations() {
        assert!(!fault.to_string().contains(CANARY), "{fault}");
        assert!(!fault.to_string().contains(char::is_control), "{fault}");
    }
}

/// A loaded configuration has every required key, hides secrets, and loads again unchanged.
fn check(config: &Config, schema: &str) {
    let keys: Vec<_> = config.entries().map(|entry| entry.key.to_owned()).collect();
    for key in ["service_name", "service_site_id", "service_tenant_id", "base_path", "log_level"] {
        assert!(config.get::<String>(key).is_ok(), "{key}");
    }
    let declared = config.merged_schema()["properties"].as_object().unwrap();
    let secret = |key: &&String| declared.get(*key).is_some_and(|schema| schema["writeOnly"] == true);
    for key in keys.iter().filter(secret) {
        let entry = config.entries().find(|entry| entry.key == *key).unwrap();
        assert_eq!(entry.value.to_string().trim_matches('"'), "***", "{key}");
    }
    let value = |key: &String| (key.clone(), config.value(key).unwrap().clone());
    let document = Value::Object(keys.iter().map(value).collect::<Map<_, _>>());
    // A reference that a variable wrote is text the first time and a reference the second.
    if !document.to_string().contains("$env{") {
        let again = loader(&document.to_string(), schema).load().expect("it was loaded before");
        for key in &keys {
            assert_eq!(again.value(key), config.value(key), "{key}");
        }
        assert_eq!(again.entries().count(), keys.len());
    }
}
