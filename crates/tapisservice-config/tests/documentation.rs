//! `docs/CONFIGURATION.md` is in step with the base schema.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up is to stop")]

use serde_json::{Map, Value};

const SCHEMA: &str = include_str!("../src/base_schema.json");
const DOCUMENT: &str = include_str!("../../../docs/CONFIGURATION.md");

#[test]
fn the_table_has_the_row_of_every_base_key() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let required = schema["required"].as_array().unwrap();
    for (key, property) in schema["properties"].as_object().unwrap() {
        let is_required = required.contains(&Value::from(key.as_str()));
        let row = row(key, property.as_object().unwrap(), is_required);
        assert!(DOCUMENT.lines().any(|line| line == row), "this row is missing:\n{row}");
    }
    for (pattern, property) in schema["patternProperties"].as_object().unwrap() {
        let row = row(&format!("*{}", pattern.trim_end_matches('$')), property.as_object().unwrap(), false);
        assert!(DOCUMENT.lines().any(|line| line == row), "this row is missing:\n{row}");
    }
}

#[test]
fn the_table_has_no_other_rows() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let known = ["properties", "patternProperties"].map(|group| schema[group].as_object().unwrap().len());
    let (_, table) = DOCUMENT.split_once("\n## The keys of the base schema\n").unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| `")).count();
    assert_eq!(rows, known.iter().sum::<usize>());
}

fn row(key: &str, property: &Map<String, Value>, is_required: bool) -> String {
    let default = match property.get("default") {
        Some(default) => format!("`{default}`"),
        None if is_required => "required".to_owned(),
        None => String::new(),
    };
    format!("| `{key}` | {} | {default} | {} |", kind(property), property["description"].as_str().unwrap())
}

fn kind(property: &Map<String, Value>) -> String {
    if let Some(Value::Array(options)) = property.get("enum") {
        return options
            .iter()
            .map(|option| format!("`{}`", option.as_str().unwrap()))
            .collect::<Vec<_>>()
            .join(", ");
    }
    let kind = match property.get("type").and_then(Value::as_str) {
        Some("array") => "list of strings",
        Some(kind) => kind,
        None => "any",
    };
    let bound = |keyword: &str, word: &str| {
        property.get(keyword).map(|limit| format!("{word} {limit}")).unwrap_or_default()
    };
    let bounds = [bound("minimum", ", from"), bound("exclusiveMinimum", ", above"), bound("maximum", " to")];
    format!("{kind}{}", bounds.concat())
}
