//! What is wrong with a configuration: blamed on what is at fault, and all at once.

use serde::Deserialize;
use serde_json::{Value, json};
use tapisservice::Settings;
use tapisservice::config::{Config, ConfigError, Loader, SchemaSource, ValueOrigin};

fn loader(own: Value, schema: &Value) -> Loader {
    let mut config = json!({
        "service_name": "bookmarks", "service_site_id": "tacc", "service_tenant_id": "admin",
        "tenants": ["*"], "primary_site_admin_tenant_base_url": "https://admin.tapis.test",
    });
    let Value::Object(own) = own else { panic!("an object") };
    config.as_object_mut().unwrap().extend(own);
    Settings::loader()
        .default_config_path("")
        .default_schema_path("")
        .fallback_config("config.json", config.to_string())
        .environment([("", ""); 0])
        .embedded_schema(schema.to_string())
}

fn lines(result: Result<Config, ConfigError>) -> Vec<String> {
    result.unwrap_err().to_string().lines().map(str::to_owned).collect()
}

#[test]
fn a_default_that_its_schema_refuses_is_a_fault_of_the_schema() {
    let log = |default: Value| json!({"type": "object", "properties": {"length": {"type": "integer", "default": default}}});
    let closed = json!({"additionalProperties": false, "properties": {"log_ex": {"type": "integer"}}});
    let cases = [
        (
            json!({"properties": {"a_tenant_object": log(json!(1))}, "patternProperties": {"^.*_tenant_object": closed}}),
            json!({"a_tenant_object": {}}),
            "/a_tenant_object/length",
            "/properties/a_tenant_object/properties/length/default or /patternProperties/^.*_tenant_object/additionalProperties",
        ),
        (
            json!({"properties": {"x": {"type": "integer", "default": "five"}}}),
            json!({}),
            "/x",
            "/properties/x/default or /properties/x/type",
        ),
        (
            json!({"properties": {"x": {"type": "integer", "default": "five"}}, "required": ["x"]}),
            json!({}),
            "/x",
            "/properties/x/default or /properties/x/type",
        ),
        (
            json!({"properties": {"list": {"items": log(json!("one"))}}}),
            json!({"list": [{}, {}, {"length": 1}, {}]}),
            "/list/3/length",
            "/properties/list/items/properties/length/default or /properties/list/items/properties/length/type",
        ),
        (
            json!({"definitions": {"log": log(json!(1))},
                "properties": {"deep": {"allOf": [{"$ref": "#/definitions/log"}, {"maxProperties": 1}]}}}),
            json!({"deep": {"x": 1}}),
            "/deep/length",
            "/definitions/log/properties/length/default or /properties/deep/allOf/1/maxProperties",
        ),
    ];
    for (schema, own, at, places) in cases {
        let lines = lines(loader(own, &schema).load());
        assert_eq!(lines.len(), 1, "{lines:?}");
        let start = format!("{at}: the schema refuses its own default: expected ");
        let end = format!(
            " (from the default in the schema compiled into the service); correct {places} in that schema"
        );
        assert!(lines[0].starts_with(&start) && lines[0].ends_with(&end), "{}\n{end}", lines[0]);
        assert!(!lines[0].contains("config.json"), "{lines:?}");
    }
}

#[test]
fn a_default_is_not_blamed_for_what_the_file_lacks_or_has() {
    let tls = json!({"properties": {"tls": {"default": true}, "mode": {"default": "fast"}}});
    let needs = json!({"dependencies": {"tls": ["certificate"]}});
    let bound = json!({"if": {"properties": {"mode": {"const": "fast"}}}, "then": {"properties": {"size": {"minimum": 10}}}});
    let closed = json!({"additionalProperties": false, "properties": {"tls": {}, "mode": {}, "size": {}, "certificate": {}}});
    let db = json!({"allOf": [tls, needs, bound, closed]});
    let lines =
        lines(loader(json!({"db": {"size": 5, "ghost": 1}}), &json!({"properties": {"db": db}})).load());
    assert_eq!(
        lines,
        [
            "/db/certificate: required; set it in the file config.json",
            "/db/ghost: expected no member of this name (from the file config.json)",
            "/db/size: expected a number of at least 10 (from the file config.json)",
        ]
    );
}

#[test]
fn a_member_that_is_not_expected_has_the_origin_of_its_own() {
    let required = [
        "service_name",
        "service_site_id",
        "service_tenant_id",
        "tenants",
        "primary_site_admin_tenant_base_url",
    ];
    let config = loader(json!({}), &json!({})).load().unwrap();
    let mut known = config.merged_schema()["properties"].as_object().unwrap().clone();
    known.remove("dev_iss");
    assert!(required.iter().all(|key| known.contains_key(*key)));
    let schema = json!({"allOf": [{"additionalProperties": false, "properties": known}]});
    let variables = [("dev_iss", "x")];
    let lines = lines(loader(json!({"ghost": 1}), &schema).environment(variables).load());
    assert_eq!(
        lines,
        [
            "/dev_iss: expected no member of this name (from the environment variable dev_iss)",
            "/ghost: expected no member of this name (from the file config.json)",
        ]
    );
}

#[test]
fn a_default_comes_from_the_schema_that_states_it() {
    let schema = json!({"allOf": [{"properties": {"log_file": {"default": "own.log"}}}]});
    let config = loader(json!({}), &schema).load().unwrap();
    assert_eq!(config.origin("log_file"), Some(&ValueOrigin::Default { schema: SchemaSource::Embedded }));
    assert_eq!(config.origin("log_level"), Some(&ValueOrigin::Default { schema: SchemaSource::Base }));
    assert_eq!(config.origin("base_path"), Some(&ValueOrigin::Default { schema: SchemaSource::Base }));
}

#[test]
fn a_whole_number_is_an_integer_for_types_too() {
    #[derive(Deserialize)]
    struct Settings {
        client_retries: u64,
    }
    let config = loader(json!({"client_retries": 90.0}), &json!({})).load().unwrap();
    assert_eq!(config.parse::<Settings>().unwrap().client_retries, 90);
}

#[derive(Debug, Deserialize)]
struct Pages {
    page_size: u8,
    page_size_max: u8,
    #[serde(default)]
    page_order: Option<std::net::IpAddr>,
}

fn check(config: &Config) -> Result<(), ConfigError> {
    let pages: Pages = config.parse()?;
    let _ = pages.page_order;
    if pages.page_size > pages.page_size_max {
        return Err(config.violation("page_size", "expected at most `page_size_max`").into());
    }
    Ok(())
}

#[test]
fn faults_of_types_and_checks_are_told_with_those_of_the_schema() {
    let size = |default: u64| json!({"type": "integer", "minimum": 1, "default": default});
    let schema = json!({"properties": {"page_size": size(10), "page_size_max": size(100)}});
    let load = |own: Value| loader(own, &schema).check(check).check(check).load();
    assert!(load(json!({})).is_ok());
    let file = "(from the file config.json)";
    let default = "(from the default in the schema compiled into the service)";
    let cases = [
        (json!({"page_size": 200}), vec![format!("/page_size: expected at most `page_size_max` {file}")]),
        (
            json!({"page_size_max": 5}),
            vec![format!("/page_size: expected at most `page_size_max` {default}")],
        ),
        (
            json!({"page_size": 4711, "page_size_max": 4711, "page_order": "4711", "use_sk": 1}),
            vec![
                format!("/page_order: invalid IP address syntax {file}"),
                format!("/page_size: expected a whole number from 0 to 255 {file}"),
                format!("/page_size_max: expected a whole number from 0 to 255 {file}"),
                format!("/use_sk: expected a boolean, found an integer {file}"),
            ],
        ),
        (json!({"page_size": 0}), vec![format!("/page_size: expected a number of at least 1 {file}")]),
        (
            json!({"page_size": 0, "page_order": "4711"}),
            vec![
                format!("/page_order: invalid IP address syntax {file}"),
                format!("/page_size: expected a number of at least 1 {file}"),
            ],
        ),
    ];
    for (own, expected) in cases {
        assert_eq!(lines(load(own.clone())), expected, "{own}");
    }
}

#[test]
fn a_bad_name_is_not_told_again_as_a_bad_path() {
    for name in ["a b", "a/b", "a:b", "a?b", ""] {
        let lines = lines(loader(json!({"service_name": name}), &json!({})).load());
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].starts_with("/service_name: expected 1 to 255 letters"), "{lines:?}");
    }
}

#[test]
fn a_path_that_a_router_reads_as_a_pattern_is_refused() {
    for path in ["/{x}", "/v3/{*x}", "/:x", "/*x"] {
        assert_eq!(lines(loader(json!({"base_path": path}), &json!({})).load()).len(), 1, "{path}");
    }
    for path in ["", "/", "/v3/a:b", "/api/v3.1"] {
        assert!(loader(json!({"base_path": path}), &json!({})).load().is_ok(), "{path}");
    }
}

#[test]
fn what_a_secret_says_is_in_no_message_of_a_check() {
    let loader = loader(json!({"service_password": "canary", "version": "x"}), &json!({}));
    let loader =
        loader.check(|config| Err(config.violation("service_password", "canary is too short").into()));
    let said = loader.load().unwrap_err().to_string();
    assert!(said.starts_with("/service_password: ") && !said.contains("canary"), "{said}");
}

#[test]
fn white_space_at_the_end_of_a_secret_is_warned_about() {
    let variables = [("TAPIS_SERVICE_PASSWORD", "canary\n")];
    let config = loader(json!({"version": "x "}), &json!({})).environment(variables).load().unwrap();
    assert_eq!(
        config.warnings(),
        ["/service_password ends with white space (from the environment variable TAPIS_SERVICE_PASSWORD); \
          remove it unless it belongs to the secret"]
    );
}

#[test]
fn what_a_development_machine_has_is_not_configured() {
    let folder = tempfile::TempDir::new().unwrap();
    let text = json!({
        "service_name": "bookmarks", "service_site_id": "tacc", "service_tenant_id": "admin", "tenants": ["*"],
        "primary_site_admin_tenant_base_url": "https://admin.tapis.test", "listen": "127.0.0.1:5000",
    })
    .to_string();
    let path = folder.path().join("config.json");
    std::fs::write(&path, &text).unwrap();
    let load = |local: &str, variables: &[(&str, &str)]| {
        let loader = Settings::loader().default_schema_path("").local_config(local, text.clone());
        loader.environment(variables.iter().copied()).load().unwrap()
    };
    let path = path.to_str().unwrap();
    for config in [load("does-not-exist.json", &[]), load(path, &[])] {
        assert!(!config.is_configured("listen") && !config.is_configured("log_level"));
        assert!(!config.is_configured("metrics_listen"));
    }
    assert!(load(path, &[("TAPIS_LISTEN", "127.0.0.1:1")]).is_configured("listen"));
    let named = load("does-not-exist.json", &[("TAPIS_CONFIG_PATH", path)]);
    assert!(named.is_configured("listen") && !named.is_configured("log_level"));
}
