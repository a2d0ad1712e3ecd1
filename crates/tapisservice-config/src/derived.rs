//! The schema that a settings struct states by itself.

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform as _};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

/// The `$schema` of Draft 7.
const DRAFT_7: &str = "http://json-schema.org/draft-07/schema#";

/// The schema (Draft 7) of a settings struct, in the form that configurations are validated with.
///
/// Types, bounds, defaults and descriptions are those of the struct: its `Default` or `#[serde(default)]`, its doc comments, its
/// `#[schemars(..)]` attributes. Where they differ from what `schemars` alone says:
///
/// - An `Option` is a key that may be absent; `null` is rejected, as is usual for configurations.
/// - Values of an enum are one `enum`, so that a violation lists them.
/// - Formats that name a Rust type, such as `uint32`, are left out, and a doc comment is one line.
///
/// ```
/// use serde_json::json;
///
/// #[derive(serde::Deserialize, schemars::JsonSchema)]
/// struct Pages {
///     /// Bookmarks on one page.
///     #[serde(default = "page_size")]
///     #[schemars(range(min = 1, max = 1000))]
///     page_size: u32,
/// }
///
/// fn page_size() -> u32 {
///     100
/// }
///
/// assert_eq!(
///     tapisservice_config::schema_of::<Pages>()["properties"]["page_size"],
///     json!({"type": "integer", "minimum": 1, "maximum": 1000, "default": 100, "description": "Bookmarks on one page."})
/// );
/// ```
pub fn schema_of<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft07().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    RecursiveTransform(as_configuration).transform(&mut schema);
    // The name of a Rust type says nothing to a deployer.
    schema.remove("title");
    schema.insert("$schema".to_owned(), DRAFT_7.into());
    schema.to_value()
}

/// The text of [`schema_of`] for a file such as `configschema.json`: indented, keys in alphabetical order, one line end at the end.
pub fn schema_text_of<T: JsonSchema>() -> String {
    let mut schema = schema_of::<T>();
    schema.sort_all_objects();
    format!("{schema:#}\n")
}

/// Gives a key of a settings struct another default, which makes it optional: for keys of a flattened struct of another crate.
///
/// ```
/// use schemars::{JsonSchema, Schema};
/// use tapisservice_config::{schema_of, set_default};
///
/// #[derive(serde::Deserialize, JsonSchema)]
/// struct Database {
///     url: String,
/// }
///
/// #[derive(serde::Deserialize, JsonSchema)]
/// #[schemars(transform = database_by_default)]
/// struct ShelfSettings {
///     #[serde(flatten)]
///     database: Database,
/// }
///
/// fn database_by_default(schema: &mut Schema) {
///     set_default(schema, "url", "sqlite://shelf.db");
/// }
///
/// assert_eq!(schema_of::<ShelfSettings>()["properties"]["url"]["default"], "sqlite://shelf.db");
/// ```
///
/// # Panics
///
/// When the struct has no such key.
pub fn set_default(schema: &mut Schema, key: &str, default: impl Into<Value>) {
    let property = schema.get_mut("properties").and_then(|properties| properties.get_mut(key));
    let property = property.unwrap_or_else(|| panic!("the settings have no key {key}"));
    property["default"] = default.into();
    if let Some(Value::Array(required)) = schema.get_mut("required") {
        required.retain(|required| required != key);
    }
}

/// The same as members, for merging.
pub(crate) fn members_of<T: JsonSchema>() -> Map<String, Value> {
    match schema_of::<T>() {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

fn as_configuration(schema: &mut Schema) {
    let Some(keywords) = schema.as_object_mut() else { return };
    without_null(keywords);
    constants_as_enum(keywords);
    let names_rust_type = |format: &Value| {
        let format = format.as_str().unwrap_or_default();
        let number = format.trim_start_matches("uint").trim_start_matches("int");
        matches!(format, "float" | "double")
            || (number != format && (number.is_empty() || number.parse::<u8>().is_ok()))
    };
    if keywords.get("format") == Some(&json!("uint32")) {
        // Smaller types state their bounds, and JSON does not keep larger ones.
        keywords.entry("maximum").or_insert(u32::MAX.into());
    }
    if keywords.get("format").is_some_and(names_rust_type) {
        keywords.remove("format");
    }
    if keywords.contains_key("exclusiveMinimum") {
        keywords.remove("minimum");
    }
    if let Some(Value::String(description)) = keywords.get_mut("description") {
        *description = description.split_whitespace().collect::<Vec<_>>().join(" ");
    }
}

/// An `Option` that is absent is `None`: null says no more.
fn without_null(keywords: &mut Map<String, Value>) {
    if let Some(Value::Array(kinds)) = keywords.get_mut("type") {
        kinds.retain(|kind| kind != "null");
        if let [kind] = kinds.as_slice() {
            let kind = kind.clone();
            keywords.insert("type".to_owned(), kind);
        }
    }
    if let Some(Value::Array(alternatives)) = keywords.get_mut("anyOf") {
        alternatives.retain(|one| *one != json!({"type": "null"}));
        if let [Value::Object(only)] = alternatives.as_mut_slice() {
            let only = std::mem::take(only);
            keywords.remove("anyOf");
            for (keyword, value) in only {
                // What the field says counts before what its type says.
                keywords.entry(keyword).or_insert(value);
            }
        }
    }
    if keywords.get("default") == Some(&Value::Null) {
        keywords.remove("default");
    }
}

/// Variants with documentation are constants in a `oneOf`.
fn constants_as_enum(keywords: &mut Map<String, Value>) {
    let Some(Value::Array(alternatives)) = keywords.get("oneOf") else { return };
    let constant = |one: &Value| one.get("const").filter(|constant| constant.is_string()).cloned();
    if let Some(constants) = alternatives.iter().map(constant).collect::<Option<Vec<_>>>() {
        keywords.remove("oneOf");
        keywords.insert("type".to_owned(), "string".into());
        keywords.insert("enum".to_owned(), constants.into());
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "lowercase")]
    enum Mode {
        /// Quick.
        Fast,
        /// Thorough.
        Slow,
    }

    #[derive(Deserialize, JsonSchema)]
    #[serde(default)]
    struct Inner {
        /// How many,
        /// at most.
        count: u32,
        mode: Option<Mode>,
        path: Option<std::path::PathBuf>,
        #[schemars(skip)]
        service_name: String,
    }

    impl Default for Inner {
        fn default() -> Self {
            Self { count: 5, mode: None, path: None, service_name: String::new() }
        }
    }

    #[derive(Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "only the schema is looked at")]
    struct Outer {
        #[serde(flatten)]
        inner: Inner,
        #[schemars(extend("exclusiveMinimum" = 0))]
        ratio: f64,
        timeout: tapisservice_core::Seconds,
        mode: Mode,
    }

    #[test]
    fn a_struct_says_what_its_keys_are() {
        let mut schema = schema_of::<Outer>();
        schema["required"].as_array_mut().unwrap().sort_unstable_by_key(ToString::to_string);
        let expected = json!({
            "$schema": DRAFT_7,
            "type": "object",
            "properties": {
                "count": {"description": "How many, at most.", "type": "integer", "minimum": 0, "maximum": u32::MAX, "default": 5},
                "mode": {"type": "string", "enum": ["fast", "slow"]},
                "path": {"type": "string"},
                "ratio": {"type": "number", "exclusiveMinimum": 0},
                "timeout": {"type": "number", "minimum": 0, "maximum": 86400},
            },
            "required": ["mode", "ratio", "timeout"],
        });
        assert_eq!(schema, expected, "{schema:#}");
        assert!(jsonschema::draft7::meta::is_valid(&schema));
    }
}
