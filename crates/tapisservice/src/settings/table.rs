//! Tables of settings for people, in Markdown.

use serde_json::{Map, Value};

/// The keys of a schema, as a table below a title.
pub(crate) fn table(title: &str, schema: &Value) -> String {
    let required: Vec<_> = schema["required"].as_array().into_iter().flatten().collect();
    let members = |group: &str| schema[group].as_object().into_iter().flatten().collect::<Vec<_>>();
    let properties = members("properties").into_iter().map(|(key, property)| (key.clone(), key, property));
    let patterns = members("patternProperties");
    let patterns = patterns
        .into_iter()
        .map(|(key, property)| (format!("*{}", key.trim_end_matches('$')), key, property));
    let row = |(name, key, property): (String, &String, &Value)| {
        row(&name, property, required.iter().any(|one| *one == key))
    };
    let rows: String = properties.chain(patterns).map(row).collect();
    format!("### {title}\n\n| key | type | default | meaning |\n|---|---|---|---|\n{rows}")
}

fn row(key: &str, property: &Value, is_required: bool) -> String {
    let default = match property.get("default") {
        Some(default) => format!("`{default}`"),
        None if is_required => "required".to_owned(),
        None => String::new(),
    };
    let description = property["description"].as_str().unwrap_or_default();
    let kind = property.as_object().map(kind).unwrap_or_default();
    format!("| `{key}` | {kind} | {default} | {description} |\n")
}

fn kind(property: &Map<String, Value>) -> String {
    if let Some(Value::Array(options)) = property.get("enum") {
        let options =
            options.iter().map(|option| option.as_str().map_or_else(|| option.to_string(), str::to_owned));
        return options.map(|option| format!("`{option}`")).collect::<Vec<_>>().join(", ");
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
