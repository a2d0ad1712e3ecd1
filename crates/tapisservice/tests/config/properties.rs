//! Loading as a whole, as a property. Merging and filling alone have theirs beside the code.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use tapisservice::Settings;
use tapisservice::config::Config;

/// A property with a default, and a value that fits it.
fn property() -> impl Strategy<Value = (Value, Value)> {
    let leaf = prop_oneof![
        ("[a-z ]{0,5}", "[a-z ]{0,5}")
            .prop_map(|(default, value)| (json!({"type": "string", "default": default}), json!(value))),
        any::<(i16, i16)>()
            .prop_map(|(default, value)| (json!({"type": "integer", "default": default}), json!(value))),
        any::<(bool, bool)>()
            .prop_map(|(default, value)| (json!({"type": "boolean", "default": default}), json!(value))),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        let members = prop::collection::btree_map("[a-e]", (inner.clone(), any::<bool>()), 0..4);
        prop_oneof![
            (members, any::<bool>()).prop_map(|(members, closed)| {
                let properties: Map<_, _> = members.iter().map(|(key, ((schema, _), _))| (key.clone(), schema.clone())).collect();
                let values: Map<_, _> =
                    members.into_iter().filter(|(_, (_, given))| *given).map(|(key, ((_, value), _))| (key, value)).collect();
                (json!({"type": "object", "default": {}, "properties": properties, "additionalProperties": !closed}), values.into())
            }),
            (inner, 0..3_usize).prop_map(|((schema, value), count)| {
                (json!({"type": "array", "items": schema, "default": []}), vec![value; count].into())
            }),
        ]
    })
}

fn load(schema: &Value, values: &Value, variables: &[(String, String)]) -> Config {
    Settings::loader()
        .default_config_path("")
        .default_schema_path("")
        .environment(variables.iter().cloned())
        .embedded_schema(schema.to_string())
        .fallback_config("test", values.to_string())
        .load()
        .unwrap()
}

fn document(config: &Config) -> Value {
    let member = |key: &str| (key.to_owned(), config.value(key).unwrap().clone());
    config.entries().map(|entry| member(entry.key)).collect::<Map<_, _>>().into()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    /// Defaults, variables and derived values, written out as a file, are the same configuration; so are the merged schema and
    /// the service's.
    #[test]
    fn loading_what_was_loaded_changes_nothing(
        own in prop::collection::btree_map("own_[a-e]", (property(), any::<bool>()), 0..5),
        level in prop::sample::select(vec!["WARNING", "INFO"]),
    ) {
        let properties: Map<_, _> = own.iter().map(|(key, ((schema, _), _))| (key.clone(), schema.clone())).collect();
        let schema = json!({"properties": properties});
        let mut values = json!({
            "service_name": "bookmarks", "service_site_id": "tacc", "service_tenant_id": "admin",
            "tenants": ["*"], "primary_site_admin_tenant_base_url": "https://admin.tapis.test",
        });
        for (key, ((_, value), given)) in own {
            if given {
                values[key] = value;
            }
        }
        let once = load(&schema, &values, &[("TAPIS_LOG_LEVEL".to_owned(), level.to_owned())]);
        let written = document(&once);
        let twice = load(&schema, &written, &[]);
        prop_assert_eq!(document(&twice), written.clone());
        let merged = load(once.merged_schema(), &written, &[]);
        prop_assert_eq!(document(&merged), written);
        prop_assert_eq!(merged.merged_schema(), once.merged_schema());
    }
}
