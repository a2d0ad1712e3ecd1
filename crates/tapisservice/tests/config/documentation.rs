//! `docs/CONFIGURATION.md` has a table of all keys, which is written from the settings structs.

use std::fmt::Write as _;

use expect_test::expect_file;
use serde_json::{Map, Value};
use tapisservice::Settings;

const PAGE: &str = include_str!("../../../../docs/CONFIGURATION.md");
const BEGIN: &str = "<!-- The tables up to the end of this page are written by `UPDATE_EXPECT=1 cargo test -p tapisservice --test config`. -->\n";

#[test]
fn the_tables_are_those_of_the_settings() {
    let (prose, _) = PAGE.split_once(BEGIN).expect("the page has the mark before its tables");
    let mut page = format!("{prose}{BEGIN}");
    for (title, schema) in Settings::schemas() {
        write!(page, "\n### {title}\n\n| key | type | default | meaning |\n|---|---|---|---|\n").unwrap();
        for row in rows(&schema) {
            writeln!(page, "{row}").unwrap();
        }
    }
    expect_file!["../../../../docs/CONFIGURATION.md"].assert_eq(&page);
}

fn rows(schema: &Value) -> Vec<String> {
    let required: Vec<_> = schema["required"].as_array().into_iter().flatten().collect();
    let members = |group: &str| schema[group].as_object().into_iter().flatten().collect::<Vec<_>>();
    let properties = members("properties").into_iter().map(|(key, property)| (key.clone(), key, property));
    let patterns = members("patternProperties");
    let patterns = patterns
        .into_iter()
        .map(|(key, property)| (format!("*{}", key.trim_end_matches('$')), key, property));
    let row = |(name, key, property): (String, &String, &Value)| {
        row(&name, property.as_object().unwrap(), required.iter().any(|one| *one == key))
    };
    properties.chain(patterns).map(row).collect()
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
