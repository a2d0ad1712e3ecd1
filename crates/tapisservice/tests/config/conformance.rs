//! The cases of `conformance/config.json`. Where `TAPIS_SHARED` names a folder with a `conformance/config.json` of its own, the cases
//! that the repository does not have are run as well.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value, json};
use tapisservice::Settings;
use tapisservice::config::{Config, ConfigError, ValueOrigin};
use tempfile::TempDir;

const LEAST_CASES: usize = 112;

#[derive(Deserialize)]
struct Case {
    id: String,
    config: Option<Value>,
    config_text: Option<String>,
    config_hex: Option<String>,
    config_path: Option<String>,
    schema: Option<Value>,
    schema_text: Option<String>,
    schema_path: Option<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    expect: Expect,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    conf: Option<Map<String, Value>>,
    #[serde(default)]
    hidden: Vec<String>,
    error: Option<ExpectedError>,
    #[serde(rename = "rule")]
    _rule: Value,
    #[serde(rename = "differs_from_python")]
    _differs: Value,
    #[serde(rename = "why")]
    _why: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedError {
    #[serde(default)]
    pointers: Vec<String>,
    #[serde(default)]
    mentions: Vec<String>,
    #[serde(default)]
    excludes: Vec<String>,
    source: Option<String>,
}

#[test]
fn every_case_of_the_conformance_suite_passes() {
    let file = Path::new("conformance/config.json");
    let suite = cases(&Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).join(file));
    assert!(suite.len() >= LEAST_CASES, "only {} cases", suite.len());
    let additional = additional_cases(file, &suite);
    let failures: Vec<_> = suite.iter().chain(&additional).filter_map(failure).collect();
    for failure in &failures {
        println!("{failure}");
    }
    assert!(failures.is_empty(), "{} of {} cases failed", failures.len(), suite.len() + additional.len());
    println!("{} cases passed, {} additional ones", suite.len(), additional.len());
}

fn cases(path: &Path) -> Vec<Value> {
    let text = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut suite: Value = serde_json::from_slice(&text).unwrap();
    suite["cases"].as_array_mut().map(std::mem::take).unwrap()
}

/// The cases outside the repository that differ from all of `known`. What a case says about its rule does not count.
#[expect(clippy::disallowed_methods, reason = "the folder is named by the environment")]
fn additional_cases(file: &Path, known: &[Value]) -> Vec<Value> {
    let path = std::env::var_os("TAPIS_SHARED").map(|folder| PathBuf::from(folder).join(file));
    let mut found = path.filter(|path| path.exists()).map(|path| cases(&path)).unwrap_or_default();
    let known: Vec<_> = known.iter().cloned().map(without_remarks).collect();
    found.retain(|case| !known.contains(&without_remarks(case.clone())));
    found
}

fn without_remarks(mut case: Value) -> Value {
    let expect = case["expect"].as_object_mut().unwrap();
    expect.retain(|name, _| !["rule", "differs_from_python", "why"].contains(&name.as_str()));
    case
}

fn failure(case: &Value) -> Option<String> {
    let case: Case = serde_json::from_value(case.clone()).unwrap_or_else(|error| panic!("{error}: {case}"));
    run(&case).err().map(|reason| format!("{}: {reason}", case.id))
}

fn run(case: &Case) -> Result<(), String> {
    let folder = TempDir::new().unwrap();
    let (config_path, schema_path) = (folder.path().join("config.json"), folder.path().join("schema.json"));
    write_files(case, &config_path, &schema_path);
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let config_variable =
        if case.config_path.as_deref() == Some("empty") { String::new() } else { text(&config_path) };
    let mut environment = case.env.clone();
    environment.insert("TAPIS_CONFIG_PATH".to_owned(), config_variable);
    environment.insert("TAPIS_CONFIGSCHEMA_PATH".to_owned(), text(&schema_path));
    let result = Settings::loader().environment(environment).load();
    match (&case.expect.error, result) {
        (None, Ok(config)) => check_config(&case.expect, &config),
        (None, Err(error)) => Err(format!("failed to load: {error}")),
        (Some(_), Ok(_)) => Err("loaded".to_owned()),
        (Some(expected), Err(error)) => {
            check_error(expected, &error, &text(&config_path), &text(&schema_path))
        }
    }
}

fn write_files(case: &Case, config_path: &Path, schema_path: &Path) {
    match case.config_path.as_deref() {
        Some("missing" | "empty") => {}
        Some("directory") => std::fs::create_dir(config_path).unwrap(),
        Some(other) => panic!("unknown config_path {other}"),
        None => std::fs::write(config_path, config_bytes(case)).unwrap(),
    }
    match case.schema_path.as_deref() {
        Some("missing") => {}
        Some(other) => panic!("unknown schema_path {other}"),
        None => {
            let schema = case.schema.as_ref().map_or_else(|| "{}".to_owned(), Value::to_string);
            std::fs::write(schema_path, case.schema_text.as_ref().unwrap_or(&schema)).unwrap();
        }
    }
}

fn config_bytes(case: &Case) -> Vec<u8> {
    if let Some(hex) = &case.config_hex {
        return (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect();
    }
    let text =
        case.config_text.clone().unwrap_or_else(|| case.config.clone().unwrap_or(json!({})).to_string());
    text.into_bytes()
}

fn check_config(expected: &Expect, config: &Config) -> Result<(), String> {
    for (key, value) in expected.conf.iter().flatten() {
        let found = config.value(key).unwrap_or(&Value::Null);
        if found != value {
            return Err(format!("{key} is {found}, expected {value}"));
        }
    }
    let listed: Vec<_> = config.entries().collect();
    let printed = format!("{config} {config:?} {config:#?} {listed:?}");
    match expected.hidden.iter().find(|text| printed.contains(text.as_str())) {
        Some(text) => Err(format!("prints {text}")),
        None => Ok(()),
    }
}

fn check_error(
    expected: &ExpectedError,
    error: &ConfigError,
    config_path: &str,
    schema_path: &str,
) -> Result<(), String> {
    let text = error.to_string();
    for pointer in &expected.pointers {
        let fault = error.violations().iter().find(|fault| fault.pointer() == pointer);
        let fault = fault.ok_or_else(|| format!("{pointer} is not reported: {text}"))?;
        if let Some(source) = expected.source.as_deref().filter(|source| !comes_from(fault.origin(), source))
        {
            return Err(format!("{pointer} is not from {source}: {text}"));
        }
    }
    for mention in &expected.mentions {
        let mention = mention.replace("@config", config_path).replace("@schema", schema_path);
        if !text.contains(&mention) {
            return Err(format!("does not mention {mention}: {text}"));
        }
    }
    let printed = format!("{text} {error:?}");
    match expected.excludes.iter().find(|excluded| printed.contains(excluded.as_str())) {
        Some(excluded) => Err(format!("shows {excluded}")),
        None => Ok(()),
    }
}

fn comes_from(origin: Option<&ValueOrigin>, source: &str) -> bool {
    match origin {
        Some(ValueOrigin::File { .. }) => source == "file",
        Some(ValueOrigin::Environment { .. }) => source == "environment",
        Some(ValueOrigin::Substitution { .. }) => source == "file" || source == "environment",
        Some(ValueOrigin::Default { .. }) => source == "default",
        _ => false,
    }
}
