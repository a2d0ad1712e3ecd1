//! The framework's own schema (C2).

use std::sync::LazyLock;

use serde_json::{Map, Value};

static BASE: LazyLock<Map<String, Value>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("base_schema.json")).expect("the file in this crate is a JSON object")
});

/// The base schema.
pub(crate) fn schema() -> &'static Map<String, Value> {
    &BASE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_schema_is_valid_and_says_what_every_key_is() {
        assert!(jsonschema::draft7::meta::is_valid(&Value::Object(schema().clone())));
        for group in ["properties", "patternProperties"] {
            for (key, property) in schema()[group].as_object().unwrap() {
                let description = property["description"].as_str().unwrap_or_default();
                assert!(description.ends_with('.'), "{key} is not described");
                let unit = key.split_once("_seconds").is_none() || description.contains("Seconds");
                assert!(unit, "the unit of {key} is not named");
            }
        }
    }

    #[test]
    fn every_default_is_valid() {
        for (key, property) in schema()["properties"].as_object().unwrap() {
            if let Some(default) = property.get("default") {
                assert!(jsonschema::draft7::is_valid(property, default), "the default of {key}");
            }
        }
    }
}
