//! `use_tenants: false`: one tenant from the configuration, and no Tenants API.

use serde_json::{Value, json};
use tapisservice::prelude::*;
use tapisservice::{App, Settings};
use tapisservice_devsite::DevSite;
use tower::ServiceExt as _;

/// A configuration without a Tenants API, and a token of the tenant that it describes.
struct Development {
    values: Value,
    token: String,
    stranger: String,
}

impl Development {
    /// Borrows key and issuer of a site, which ends before the service starts.
    async fn new() -> Self {
        let site = DevSite::builder().server("dev").start().await.unwrap();
        let tacc = site.tenant_url("tacc").unwrap();
        let values = json!({
            "service_name": "demo", "service_site_id": "tacc", "service_tenant_id": "admin", "server": "dev",
            "primary_site_admin_tenant_base_url": "http://127.0.0.1:1",
            "use_tenants": false, "tenants": ["tacc"],
            "dev_jwt_public_key": site.public_key("tacc"),
            "dev_base_url": "http://tacc.tapis.test",
            "dev_iss": format!("{tacc}/v3/tokens"),
        });
        Self {
            values,
            token: site.token_for_user("tacc", "alice"),
            stranger: site.token_for_user("admin", "alice"),
        }
    }

    fn with(mut self, changes: &Value) -> Self {
        for (key, value) in changes.as_object().unwrap() {
            self.values[key] = value.clone();
        }
        self.values.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        self
    }

    fn load(&self) -> std::result::Result<Config, tapisservice::config::ConfigError> {
        Settings::loader()
            .environment([("", ""); 0])
            .default_config_path("")
            .default_schema_path("")
            .fallback_config("c.json", self.values.to_string())
            .load()
    }

    fn violations(&self) -> Vec<String> {
        self.load().unwrap_err().to_string().lines().map(str::to_owned).collect()
    }
}

async fn whoami(g: RequestContext, identity: Identity) -> Envelope<String> {
    drop(g);
    Envelope::new(format!("{}@{}", identity.username(), identity.tenant_id()))
}

async fn ask(app: &App, host: &str, token: &str) -> (u16, String) {
    let request = http::Request::get("/v3/demo/whoami").header("host", host).header("x-tapis-token", token);
    let request = request.body(axum::body::Body::empty()).unwrap();
    let response = app.service().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn a_service_runs_without_a_tenants_api() {
    let development = Development::new().await;
    let config = development.load().unwrap();
    assert_eq!(config.warnings(), [""; 0]);
    let settings = Settings::from_config(&config).unwrap();
    let routes = Routes::new().route(Policy::authenticated(), "/whoami", axum::routing::get(whoami));
    let app = App::builder(settings).routes(routes).build().unwrap();
    app.tenants().refresh().await.unwrap();
    for host in ["localhost", "tacc.tapis.test"] {
        let (status, body) = ask(&app, host, &development.token).await;
        assert!(status == 200 && body.contains("alice@tacc"), "{status} {body}");
    }
    let (status, body) = ask(&app, "localhost", &development.stranger).await;
    assert_eq!(status, 401, "{body}");
}

#[tokio::test]
async fn the_tenant_is_dev_unless_the_configuration_names_one() {
    let development = Development::new().await.with(&json!({"tenants": []}));
    let settings = Settings::from_config(&development.load().unwrap()).unwrap();
    let cache = settings.tenant_cache().unwrap().build();
    cache.refresh().await.unwrap();
    assert!(cache.snapshot().unwrap().tenant("dev").is_some());
}

#[tokio::test]
async fn what_does_not_describe_a_tenant_is_refused_with_the_cure() {
    let cases = [
        (
            json!({"server": "prod"}),
            vec![
                "/use_tenants: must be true unless `server` is `dev`: a deployment reads its tenants from the Tenants API (from the file c.json)",
            ],
        ),
        (
            json!({"dev_jwt_public_key": null, "dev_base_url": null}),
            vec![
                "/dev_base_url: required where `use_tenants` is false",
                "/dev_jwt_public_key: required where `use_tenants` is false",
            ],
        ),
        (
            json!({"dev_base_url": "tacc"}),
            vec![
                "/dev_base_url: expected an http or https URL without user, query and fragment (from the file c.json)",
            ],
        ),
        (
            json!({"tenants": ["a", "b"]}),
            vec!["/tenants: expected one tenant at most where `use_tenants` is false (from the file c.json)"],
        ),
        (
            json!({"tenants_file": "t.json"}),
            vec![
                "/tenants_file: must be absent where `use_tenants` is false: that has a tenant of its own (from the file c.json)",
            ],
        ),
    ];
    for (changes, expected) in cases {
        assert_eq!(Development::new().await.with(&changes).violations(), expected, "{changes}");
    }
    let lines = Development::new().await.with(&json!({"dev_jwt_public_key": "canary"})).violations();
    assert!(
        lines.len() == 1 && lines[0].starts_with("/dev_jwt_public_key: ") && !lines[0].contains("canary"),
        "{lines:?}"
    );
}

#[tokio::test]
async fn keys_of_a_tenant_that_is_not_used_are_pointed_out() {
    let development = Development::new().await.with(&json!({"use_tenants": true, "dev_base_url": null}));
    let config = development.load().unwrap();
    let warning = |key: &str| {
        format!(
            "/{key} has no effect (from the file c.json): tenants are read from the Tenants API unless `use_tenants` is false"
        )
    };
    assert_eq!(config.warnings(), [warning("dev_jwt_public_key"), warning("dev_iss")]);
}
