//! Loading as a service does it: files, environment and defaults together.

use serde::Deserialize;
use serde_json::{Value, json};
use tapisservice::Settings;
use tapisservice::config::{Config, ConfigError, Loader, SchemaSource, ValueOrigin, Violation};
use tapisservice::core::Secret;
use tempfile::TempDir;

/// A folder with a configuration and a loader that knows nothing else.
struct Setting {
    folder: TempDir,
}

impl Setting {
    fn new(own: Value) -> Self {
        let mut config = json!({
            "service_name": "bookmarks", "service_site_id": "tacc", "service_tenant_id": "admin",
            "tenants": ["*"], "primary_site_admin_tenant_base_url": "https://admin.tapis.test",
        });
        let Value::Object(own) = own else { panic!("an object") };
        config.as_object_mut().unwrap().extend(own);
        let setting = Self { folder: TempDir::new().unwrap() };
        setting.write("config.json", &config);
        setting
    }

    fn write(&self, name: &str, value: &Value) {
        std::fs::write(self.folder.path().join(name), value.to_string()).unwrap();
    }

    fn loader(&self) -> Loader {
        Settings::loader()
            .default_config_path(self.folder.path().join("config.json"))
            .default_schema_path(self.folder.path().join("schema.json"))
            .environment([("", ""); 0])
    }

    fn load(&self, schema: &Value, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        self.loader().embedded_schema(schema.to_string()).environment(variables.iter().copied()).load()
    }
}

fn load(own: Value, schema: &Value, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    Setting::new(own).load(schema, variables)
}

fn pointers(error: &ConfigError) -> Vec<&str> {
    error.violations().iter().map(Violation::pointer).collect()
}

#[test]
fn a_schema_file_comes_before_the_embedded_schema() {
    let setting = Setting::new(json!({}));
    let embedded = json!({"properties": {"from": {"default": "embedded"}}});
    assert_eq!(setting.load(&embedded, &[]).unwrap().value("from"), Some(&json!("embedded")));
    setting.write("schema.json", &json!({"properties": {"from": {"default": "file"}}}));
    let config = setting.load(&embedded, &[]).unwrap();
    assert_eq!(config.value("from"), Some(&json!("file")));
    let path = setting.folder.path().join("schema.json");
    assert_eq!(config.origin("from"), Some(&ValueOrigin::Default { schema: SchemaSource::File(path) }));
}

#[test]
fn without_a_file_the_environment_may_hold_everything_scalar() {
    let setting = Setting::new(json!({}));
    let schema = json!({"properties": {"tenants": {"type": "array", "default": ["*"]}}});
    let variables = [
        ("service_name", "bookmarks"),
        ("service_site_id", "tacc"),
        ("TAPIS_SERVICE_TENANT_ID", "admin"),
        ("primary_site_admin_tenant_base_url", "https://admin.tapis.test"),
    ];
    let loader = setting.loader().default_config_path(setting.folder.path().join("none.json"));
    let loader = loader.environment(variables).embedded_schema(schema.to_string());
    assert_eq!(loader.load().unwrap().get::<String>("service_name").unwrap(), "bookmarks");
}

#[test]
fn a_missing_default_file_is_named_with_what_is_missing() {
    let setting = Setting::new(json!({}));
    let missing = setting.folder.path().join("none.json");
    let error = setting.loader().default_config_path(&missing).load().unwrap_err();
    let required = [
        "/primary_site_admin_tenant_base_url",
        "/service_name",
        "/service_site_id",
        "/service_tenant_id",
        "/tenants",
    ];
    assert_eq!(pointers(&error), required);
    for line in error.to_string().lines() {
        assert!(line.contains(missing.to_str().unwrap()) && line.contains("no such file"), "{line}");
    }
}

#[test]
fn both_files_are_reported_when_both_are_bad() {
    let setting = Setting::new(json!({}));
    let variables = [("TAPIS_CONFIG_PATH", "/no/config"), ("TAPIS_CONFIGSCHEMA_PATH", "/no/schema")];
    let error = setting.loader().environment(variables).load().unwrap_err().to_string();
    assert!(error.contains("/no/config") && error.contains("/no/schema"), "{error}");
    assert_eq!(error.lines().count(), 2);
}

#[test]
fn a_fault_ends_the_process_with_78() {
    let error = load(json!({"use_sk": 1}), &json!({}), &[]).unwrap_err();
    assert_eq!(format!("{:?}", error.exit_code()), format!("{:?}", std::process::ExitCode::from(78)));
}

#[test]
fn every_origin_is_known() {
    let own = json!({"version": "$env{V}", "server": "dev", "db": {"user": "x"}});
    let schema = json!({"properties": {"db": {"properties": {"host": {"default": "h"}}}}});
    let setting = Setting::new(own);
    let config =
        setting.load(&schema, &[("V", "1"), ("TAPIS_LISTEN", "[::1]:5000"), ("use_sk", "false")]).unwrap();
    let path = setting.folder.path().join("config.json");
    let variable = |name: &str| ValueOrigin::Environment { variable: name.to_owned() };
    let default = |schema| ValueOrigin::Default { schema };
    let expected = [
        ("server", ValueOrigin::File { path: path.clone() }),
        ("/db/user", ValueOrigin::File { path: path.clone() }),
        ("version", ValueOrigin::Substitution { path, variables: vec!["V".to_owned()] }),
        ("listen", variable("TAPIS_LISTEN")),
        ("use_sk", variable("use_sk")),
        ("log_level", default(SchemaSource::Base)),
        ("base_path", default(SchemaSource::Base)),
        ("/db/host", default(SchemaSource::Embedded)),
    ];
    for (key, origin) in expected {
        assert_eq!(config.origin(key), Some(&origin), "{key}");
    }
    assert_eq!(config.origin("/db/port"), None);
}

#[test]
fn an_overridden_key_needs_none_of_the_variables_it_refers_to() {
    let own = json!({"version": "$env{UNSET}"});
    let config = load(own, &json!({}), &[("TAPIS_VERSION", "2")]).unwrap();
    assert_eq!(config.value("version"), Some(&json!("2")));
}

#[test]
fn an_unset_variable_is_the_only_fault_of_its_key() {
    let own = json!({"port": "$env{UNSET}", "use_sk": "no"});
    let error = load(own, &json!({"properties": {"port": {"type": "integer"}}}), &[]).unwrap_err();
    assert_eq!(pointers(&error), ["/port", "/use_sk"]);
}

#[test]
fn warning_is_taken_as_warn() {
    let own = json!({"log_level": "WARNING", "tapisservice.auth_log_level": "WARNING", "other": "WARNING"});
    let config = load(own, &json!({}), &[]).unwrap();
    assert_eq!(config.value("log_level"), Some(&json!("WARN")));
    assert_eq!(config.value("tapisservice.auth_log_level"), Some(&json!("WARN")));
    assert_eq!(config.value("other"), Some(&json!("WARNING")));
}

#[test]
fn the_base_path_follows_the_name_of_the_service() {
    let config = load(json!({}), &json!({}), &[]).unwrap();
    assert_eq!(config.value("base_path"), Some(&json!("/v3/bookmarks")));
    let config = load(json!({"base_path": ""}), &json!({}), &[]).unwrap();
    assert_eq!(config.value("base_path"), Some(&json!("")));
    let error = load(json!({"base_path": "v3/x/"}), &json!({}), &[]).unwrap_err();
    assert_eq!(pointers(&error), ["/base_path"]);
}

#[test]
fn values_out_of_bounds_are_refused_and_fractions_of_seconds_are_not() {
    let own = json!({
        "header_timeout_seconds": 0, "token_leeway_seconds": 301, "tenants_refresh_seconds": 0.5,
        "drain_seconds": 0, "idle_timeout_seconds": 0.25, "tenants": [""], "listen": "5000",
        "metrics_listen": "[::]:9090",
    });
    let error = load(own, &json!({}), &[]).unwrap_err();
    let expected = [
        "/header_timeout_seconds",
        "/listen",
        "/tenants/0",
        "/tenants_refresh_seconds",
        "/token_leeway_seconds",
    ];
    assert_eq!(pointers(&error), expected);
}

#[test]
fn references_are_never_fetched() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let remote = format!("http://{}/schema.json", listener.local_addr().unwrap());
    for reference in [remote.as_str(), "file:///etc/hostname", "other.json", "#/definitions/none"] {
        let error =
            load(json!({"x": 1}), &json!({"properties": {"x": {"$ref": reference}}}), &[]).unwrap_err();
        assert!(error.to_string().contains(reference), "{error}");
        assert!(error.to_string().contains("/properties/x/$ref"), "{error}");
    }
    assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

#[test]
fn all_faults_of_a_schema_are_reported() {
    let schema = json!({
        "properties": {"a": {"type": "strng"}, "b": {"$ref": "http://x.test/"}, "c": {"pattern": "("}},
        "required": "a",
    });
    let error = load(json!({}), &schema, &[]).unwrap_err();
    for place in ["/properties/a/type", "/properties/b/$ref", "/properties/c/pattern", "/required"] {
        assert!(error.to_string().contains(place), "{place}: {error}");
    }
}

#[test]
fn overriding_a_base_key_is_warned_about_and_does_not_open_a_secret() {
    let schema = json!({"properties": {"service_password": {"type": "string", "writeOnly": false}}});
    let config = load(json!({"service_password": "canary"}), &schema, &[("TAPIS_TENANTS", "x")]).unwrap();
    assert!(config.warnings()[0].contains("service_password"), "{:?}", config.warnings());
    assert!(config.warnings()[1].contains("TAPIS_TENANTS"), "{:?}", config.warnings());
    assert!(!format!("{config}{config:?}").contains("canary"));
}

#[test]
fn additional_properties_are_not_merged() {
    let config = load(json!({"undeclared": 1}), &json!({"additionalProperties": false}), &[]).unwrap();
    assert_eq!(config.value("undeclared"), Some(&json!(1)));
    assert_eq!(config.warnings().len(), 1);
}

#[test]
fn service_password_may_be_absent_or_empty() {
    assert!(load(json!({}), &json!({}), &[]).unwrap().value("service_password").is_none());
    assert!(load(json!({"service_password": ""}), &json!({}), &[]).is_ok());
}

#[derive(Debug, Deserialize)]
struct Own {
    service_password: Option<Secret>,
    page_size: u16,
    seconds: Option<f64>,
}

#[test]
fn a_struct_takes_the_keys_it_knows() {
    let own = json!({"service_password": "canary", "page_size": 10, "seconds": 1});
    let settings: Own = load(own, &json!({}), &[]).unwrap().parse().unwrap();
    assert_eq!((settings.page_size, settings.seconds), (10, Some(1.0)));
    assert_eq!(settings.service_password.as_ref().unwrap().expose(), "canary");
    assert!(!format!("{settings:?}").contains("canary"));
}

#[test]
fn a_key_is_read_alone_and_an_absent_one_is_null() {
    let config = load(json!({"db": {"port": "canary"}}), &json!({}), &[]).unwrap();
    assert_eq!(config.get::<Option<u16>>("absent").unwrap(), None);
    assert_eq!(pointers(&config.get::<u16>("absent").unwrap_err()), ["/absent"]);
    let error = config.get::<std::collections::BTreeMap<String, u16>>("db").unwrap_err();
    assert_eq!(pointers(&error), ["/db/port"]);
    assert!(matches!(error.violations()[0].origin(), Some(ValueOrigin::File { .. })));
    assert!(!error.to_string().contains("canary"));
}

#[test]
fn endless_defaults_are_one_fault() {
    let node = json!({"type": "object", "default": {}, "properties": {"a": {"$ref": "#/definitions/node"}}});
    let schema = json!({"definitions": {"node": node}, "properties": {"a": {"$ref": "#/definitions/node"}}});
    assert_eq!(pointers(&load(json!({}), &schema, &[]).unwrap_err()), ["/a"]);
}
